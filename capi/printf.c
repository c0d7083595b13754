// printf and its family as Windows programs expect them. A format without a
// directive that means something else there goes to the C library as it is; in
// the others each directive is rewritten and given to the C library alone.
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>
#include <wchar.h>

// What an argument is. The C library's own sizes follow those of C.
enum size { size_none, size_hh, size_h, size_l, size_ll, size_j, size_z, size_t_, size_L, size_w, size_I, size_I32, size_I64 };

struct directive {
    const char *start; // at the '%'
    const char *flags;
    int flags_length, left;
    int position, width_position, precision_position; // of %1$s; 0: the next argument
    int width, precision;                              // -1: none
    int width_star, precision_star;
    enum size size;
    char conversion;
    const char *end;
};

// number reads a decimal number, at most INT_MAX.
static const char *number(const char *p, int *n)
{
    for (*n = 0; *p >= '0' && *p <= '9'; p++)
        *n = *n > (INT_MAX - 9) / 10 ? INT_MAX : *n * 10 + (*p - '0');
    return p;
}

// position reads "12$" and returns what follows; p itself if there is none.
static const char *position(const char *p, int *n)
{
    int v;
    const char *q = number(p, &v);
    if (q == p || *q != '$' || v == 0)
        return p;
    *n = v;
    return q + 1;
}

// bits reads the number of bits after a 'w', with an 'f' before it for the type
// that is at least that wide.
static const char *bits(const char *p, enum size *size)
{
    int fast = *p == 'f', n;
    p = number(p + fast, &n);
    switch (n) {
    case 8: *size = size_hh; break;
    case 16: *size = fast ? size_z : size_h; break;
    case 32: *size = fast ? size_z : size_I32; break;
    case 64: *size = size_ll; break;
    default: break; // not a number of bits there is
    }
    return p;
}

// parse reads the directive after a '%'. Its conversion is 0 at the format's end.
static void parse(const char *p, struct directive *d)
{
    memset(d, 0, sizeof *d);
    d->start = p - 1;
    d->width = d->precision = -1;
    p = position(p, &d->position);
    d->flags = p;
    while (*p != 0 && strchr("-+ #0'", *p) != NULL)
        p++;
    d->flags_length = (int)(p - d->flags);
    d->left = memchr(d->flags, '-', (size_t)d->flags_length) != NULL;
    if (*p == '*') {
        d->width_star = 1;
        p = position(p + 1, &d->width_position);
    } else if (*p >= '1' && *p <= '9') {
        p = number(p, &d->width);
    }
    if (*p == '.') {
        p++;
        if (*p == '*') {
            d->precision_star = 1;
            p = position(p + 1, &d->precision_position);
        } else {
            p = number(p, &d->precision);
        }
    }
    switch (*p) {
    case 'h': p++; d->size = size_h; if (*p == 'h') { p++; d->size = size_hh; } break;
    case 'l': p++; d->size = size_l; if (*p == 'l') { p++; d->size = size_ll; } break;
    case 'q': p++; d->size = size_ll; break;
    case 'j': p++; d->size = size_j; break;
    case 'z': p++; d->size = size_z; break;
    case 't': p++; d->size = size_t_; break;
    case 'L': p++; d->size = size_L; break;
    case 'w':
        p++;
        d->size = size_w;
        if (*p == 'f' || (*p >= '1' && *p <= '9')) // C23: bits, of a fast type with f
            p = bits(p, &d->size);
        break;
    case 'I':
        p++;
        d->size = size_I;
        if (p[0] == '6' && p[1] == '4') { p += 2; d->size = size_I64; }
        else if (p[0] == '3' && p[1] == '2') { p += 2; d->size = size_I32; }
        break;
    default: break;
    }
    d->conversion = *p;
    d->end = *p != 0 ? p + 1 : p;
}

enum kind { kind_none, kind_int, kind_word, kind_double, kind_long_double, kind_text, kind_utf16, kind_unit, kind_char, kind_pointer, kind_count, kind_errno, kind_unknown };

// classify tells what the directive's argument is.
static enum kind classify(const struct directive *d, int wide)
{
    switch (d->conversion) {
    case 'd': case 'i': case 'o': case 'u': case 'x': case 'X':
        switch (d->size) {
        case size_ll: case size_j: case size_L: case size_I64: return kind_word;
        case size_z: case size_t_: case size_I: return sizeof(size_t) == 8 ? kind_word : kind_int;
        default: return kind_int;
        }
    case 'a': case 'A': case 'e': case 'E': case 'f': case 'F': case 'g': case 'G':
        return d->size == size_L ? kind_long_double : kind_double;
    case 's':
        if (d->size == size_l || d->size == size_w)
            return kind_utf16;
        return wide && d->size != size_h ? kind_utf16 : kind_text;
    case 'S':
        if (d->size == size_l || d->size == size_w)
            return kind_utf16;
        return d->size == size_h || wide ? kind_text : kind_utf16;
    case 'c':
        if (d->size == size_l || d->size == size_w)
            return kind_unit;
        return wide && d->size != size_h ? kind_unit : kind_char;
    case 'C':
        if (d->size == size_l || d->size == size_w)
            return kind_unit;
        return d->size == size_h || wide ? kind_char : kind_unit;
    case 'p': return kind_pointer;
    case 'n': return kind_count;
    case 'm': return kind_errno;
    case '%': return kind_none;
    default: return kind_unknown;
    }
}

// differs reports whether the directive means something else to the C library.
static int differs(const struct directive *d)
{
    switch (d->size) {
    case size_I: case size_I32: case size_I64: return 1;
    case size_w: case size_h: return strchr("sScC", d->conversion) != NULL && d->conversion != 0;
    case size_l: return strchr("diouxXnsScC", d->conversion) != NULL && d->conversion != 0;
    default: return d->conversion == 'S' || d->conversion == 'C';
    }
}

static int is_ours(const char *format)
{
    struct directive d;
    const char *p;

    for (p = format; (p = strchr(p, '%')) != NULL; p = d.end) {
        parse(p + 1, &d);
        if (differs(&d))
            return 1;
    }
    return 0;
}

union value {
    uint64_t word;
    double real;
    long double long_real;
    const void *pointer;
};

static union value fetch(struct arguments *a, enum kind kind)
{
    union value v;

    memset(&v, 0, sizeof v);
    if (a->words != NULL) {
        if (kind == kind_double || kind == kind_long_double || kind == kind_count || a->words == a->end) {
            a->failed = 1; // an insert is no floating-point number, nor written to
            return v;
        }
        v.word = *a->words;
        v.pointer = (const void *)*a->words++;
        if (kind == kind_int)
            v.word = (uint64_t)(int64_t)(int32_t)v.word;
        return v;
    }
    switch (kind) {
    case kind_int: case kind_unit: case kind_char: v.word = (uint64_t)(int64_t)va_arg(*a->list, int); break;
    case kind_word: v.word = va_arg(*a->list, uint64_t); break;
    case kind_double: v.real = va_arg(*a->list, double); break;
    case kind_long_double: v.long_real = va_arg(*a->list, long double); break;
    case kind_text: case kind_utf16: case kind_pointer: case kind_count: v.pointer = va_arg(*a->list, const void *); break;
    case kind_none: case kind_errno: case kind_unknown: break;
    }
    return v;
}

// The arguments of a format with positions, %2$s, are fetched before all else.
enum { most_positions = 64 };

struct positions {
    int count;
    enum kind kinds[most_positions];
    union value values[most_positions];
};

static int note(struct positions *all, int at, enum kind kind)
{
    if (at > most_positions || (all->kinds[at - 1] != kind_none && all->kinds[at - 1] != kind))
        return -1;
    all->kinds[at - 1] = kind;
    if (at > all->count)
        all->count = at;
    return 0;
}

// collect fetches the arguments of a format with positions. Returns -1 if they
// cannot be told: some without a position, gaps, contradictions.
static int collect(const char *format, struct arguments *a, int wide, struct positions *all)
{
    struct directive d;
    const char *p;

    memset(all, 0, sizeof *all);
    for (p = format; (p = strchr(p, '%')) != NULL; p = d.end) {
        parse(p + 1, &d);
        enum kind kind = classify(&d, wide);
        if ((d.width_star && d.width_position == 0) || (d.precision_star && d.precision_position == 0))
            return -1;
        if (d.width_star && note(all, d.width_position, kind_int) != 0)
            return -1;
        if (d.precision_star && note(all, d.precision_position, kind_int) != 0)
            return -1;
        if (kind == kind_none || kind == kind_errno || kind == kind_unknown)
            continue;
        if (d.position == 0 || note(all, d.position, kind) != 0)
            return -1;
    }
    for (int i = 0; i < all->count; i++) {
        if (all->kinds[i] == kind_none)
            return -1;
        all->values[i] = fetch(a, all->kinds[i]);
    }
    return 0;
}

static int has_positions(const char *format)
{
    struct directive d;
    const char *p;

    for (p = format; (p = strchr(p, '%')) != NULL; p = d.end) {
        parse(p + 1, &d);
        if (d.position != 0)
            return 1;
    }
    return 0;
}

static union value take(struct arguments *a, const struct positions *all, int at, enum kind kind)
{
    return all != NULL ? all->values[at - 1] : fetch(a, kind);
}

// pad adds a text in the directive's width, which counts units of the text.
static void pad(struct text *t, const struct directive *d, const char *data, size_t length, size_t units)
{
    size_t fill = d->width > 0 && (size_t)d->width > units ? (size_t)d->width - units : 0;

    if (!d->left)
        text_fill(t, ' ', fill);
    text_add(t, data, length);
    if (d->left)
        text_fill(t, ' ', fill);
}

static void add_utf16(struct text *t, const struct directive *d, const uint16_t *from, size_t most)
{
    struct text s;
    size_t units = 0;

    while (units < most && from[units] != 0)
        units++;
    // Half a character is not shown.
    if (units == most && units > 0 && from[units - 1] >= 0xd800 && from[units - 1] < 0xdc00 && d->precision >= 0)
        units--;
    text_init(&s);
    text_add_utf16(&s, from, units, 0);
    if (s.failed)
        t->failed = 1;
    else
        pad(t, d, s.data, s.length, units);
    text_free(&s);
}

// add_libc lets the C library format one argument; size and conversion are its own.
static int add_libc(struct text *t, const struct directive *d, const char *size, char conversion, enum kind kind, union value v)
{
    char format[64], *p = format, small[128], *big = NULL;
    int n = -1;

    *p++ = '%';
    // More flags than there are kinds of them say nothing new.
    if (d->left)
        *p++ = '-';
    for (const char *flag = "+ #0'"; *flag != 0; flag++)
        if (memchr(d->flags, *flag, (size_t)d->flags_length) != NULL)
            *p++ = *flag;
    if (d->width >= 0)
        p += sprintf(p, "%d", d->width);
    if (d->precision >= 0)
        p += sprintf(p, ".%d", d->precision);
    sprintf(p, "%s%c", size, conversion);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    for (int round = 0; round < 2; round++) {
        char *to = round == 0 ? small : big;
        size_t room = round == 0 ? sizeof small : (size_t)n + 1;
        switch (kind) {
        case kind_int: case kind_char: n = snprintf(to, room, format, (int)v.word); break;
        case kind_word: n = snprintf(to, room, format, (long long)v.word); break;
        case kind_double: n = snprintf(to, room, format, v.real); break;
        case kind_long_double: n = snprintf(to, room, format, v.long_real); break;
        case kind_text: case kind_pointer: n = snprintf(to, room, format, v.pointer); break;
        default: n = snprintf(to, room, format, 0); break; // %m takes none
        }
        if (n < 0 || (size_t)n < room) {
            if (n >= 0)
                text_add(t, to, (size_t)n);
            break;
        }
        big = malloc((size_t)n + 1);
        if (big == NULL) {
            n = -1;
            break;
        }
    }
#pragma GCC diagnostic pop
    free(big);
    return n < 0 ? -1 : 0;
}

static void store_count(const struct directive *d, void *to, size_t count)
{
    switch (d->size) {
    case size_hh: *(signed char *)to = (signed char)count; break;
    case size_h: *(short *)to = (short)count; break;
    case size_ll: case size_j: case size_I64: *(int64_t *)to = (int64_t)count; break;
    case size_z: case size_t_: case size_I: *(ssize_t *)to = (ssize_t)count; break;
    default: *(int *)to = (int)count; break;
    }
}

static int add_directive(struct text *t, struct directive *d, struct arguments *a, const struct positions *all, int wide, int saved_errno)
{
    enum kind kind = classify(d, wide);
    union value v;
    uint16_t unit;

    if (d->width_star) {
        d->width = (int)take(a, all, d->width_position, kind_int).word;
        if (d->width < 0) {
            d->width = d->width == INT_MIN ? INT_MAX : -d->width;
            d->left = 1;
        }
    }
    if (d->width > 0 && t->length > (size_t)(INT_MAX - d->width)) {
        errno = EOVERFLOW;
        return -1;
    }
    if (d->precision_star)
        d->precision = (int)take(a, all, d->precision_position, kind_int).word;
    memset(&v, 0, sizeof v);
    if (kind != kind_none && kind != kind_errno && kind != kind_unknown)
        v = take(a, all, d->position, kind);
    if (a->failed) {
        errno = EINVAL;
        return -1;
    }

    switch (kind) {
    case kind_int:
        if (d->size == size_hh || d->size == size_h)
            return add_libc(t, d, d->size == size_hh ? "hh" : "h", d->conversion, kind, v);
        return add_libc(t, d, "", d->conversion, kind, v);
    case kind_word: return add_libc(t, d, "ll", d->conversion, kind, v);
    case kind_double: return add_libc(t, d, "", d->conversion, kind, v);
    case kind_long_double: return add_libc(t, d, "L", d->conversion, kind, v);
    case kind_text:
        if (v.pointer == NULL)
            v.pointer = "(null)";
        return add_libc(t, d, "", 's', kind, v);
    case kind_utf16:
        if (v.pointer == NULL) {
            v.pointer = "(null)";
            return add_libc(t, d, "", 's', kind_text, v);
        }
        add_utf16(t, d, v.pointer, d->precision >= 0 ? (size_t)d->precision : SIZE_MAX);
        return 0;
    case kind_unit:
        unit = (uint16_t)v.word;
        if (unit == 0)
            pad(t, d, "", 1, 1);
        else
            d->precision = -1, add_utf16(t, d, &unit, 1);
        return 0;
    case kind_char: return add_libc(t, d, "", 'c', kind, v);
    case kind_pointer: return add_libc(t, d, "", 'p', kind, v);
    case kind_count:
        store_count(d, (void *)(uintptr_t)v.pointer, t->length);
        return 0;
    case kind_errno:
        errno = saved_errno;
        return add_libc(t, d, "", 'm', kind, v);
    case kind_none: text_add(t, "%", 1); return 0;
    case kind_unknown: break;
    }
    if (d->conversion == 0) {
        errno = EINVAL;
        return -1;
    }
    text_add(t, d->start, (size_t)(d->end - d->start));
    return 0;
}

int text_format(struct text *t, const char *format, struct arguments *a, int wide)
{
    struct positions all;
    int positions = a->words == NULL && has_positions(format), saved_errno = errno;
    const char *p = format;

    if (positions && collect(format, a, wide, &all) != 0) {
        errno = EINVAL;
        return -1;
    }
    for (;;) {
        struct directive d;
        const char *next = strchrnul(p, '%');
        text_add(t, p, (size_t)(next - p));
        if (*next == 0)
            break;
        parse(next + 1, &d);
        if (add_directive(t, &d, a, positions ? &all : NULL, wide, saved_errno) != 0)
            return -1;
        p = d.end;
    }
    if (t->failed) {
        errno = ENOMEM;
        return -1;
    }
    if (t->length > INT_MAX) {
        errno = EOVERFLOW;
        return -1;
    }
    errno = saved_errno;
    return 0;
}

static int format_list(struct text *t, const char *format, va_list list)
{
    struct arguments a;
    va_list copy;
    int status;

    memset(&a, 0, sizeof a);
    va_copy(copy, list);
    a.list = &copy;
    text_init(t);
    status = text_format(t, format, &a, 0);
    va_end(copy);
    return status;
}

int lessee_vfprintf(FILE *stream, const char *format, va_list list)
{
    struct text t;
    int n = -1;

    if (!is_ours(format))
        return vfprintf(stream, format, list);
    if (format_list(&t, format, list) == 0 && fwrite(t.data, 1, t.length, stream) == t.length)
        n = (int)t.length;
    text_free(&t);
    return n;
}

int lessee_vprintf(const char *format, va_list list) { return lessee_vfprintf(stdout, format, list); }

static int format_into(char *buffer, size_t size, const char *format, va_list list)
{
    struct text t;
    int n = -1;

    if (format_list(&t, format, list) == 0) {
        n = (int)t.length;
        if (size > 0) {
            size_t length = t.length < size ? t.length : size - 1;
            memcpy(buffer, t.data, length);
            buffer[length] = 0;
        }
    }
    text_free(&t);
    return n;
}

int lessee_vsnprintf(char *buffer, size_t size, const char *format, va_list list)
{
    return is_ours(format) ? format_into(buffer, size, format, list) : vsnprintf(buffer, size, format, list);
}

int lessee_vsprintf(char *buffer, const char *format, va_list list)
{
    return is_ours(format) ? format_into(buffer, SIZE_MAX, format, list) : vsprintf(buffer, format, list);
}

int lessee_vdprintf(int fd, const char *format, va_list list)
{
    struct text t;
    int n = -1;

    if (!is_ours(format))
        return vdprintf(fd, format, list);
    if (format_list(&t, format, list) == 0) {
        size_t done = 0;
        while (done < t.length) {
            ssize_t wrote = write(fd, t.data + done, t.length - done);
            if (wrote < 0 && errno != EINTR)
                break;
            if (wrote > 0)
                done += (size_t)wrote;
        }
        if (done == t.length)
            n = (int)t.length;
    }
    text_free(&t);
    return n;
}

int lessee_vasprintf(char **result, const char *format, va_list list)
{
    va_list copy;
    int n;

    va_copy(copy, list);
    n = lessee_vsnprintf(NULL, 0, format, copy);
    va_end(copy);
    *result = NULL;
    if (n < 0)
        return -1;
    *result = malloc((size_t)n + 1);
    if (*result == NULL)
        return -1;
    return lessee_vsnprintf(*result, (size_t)n + 1, format, list);
}

#define WITH_LIST(last, call)        \
    do {                             \
        va_list list;                \
        int n;                       \
        va_start(list, last);        \
        n = call;                    \
        va_end(list);                \
        return n;                    \
    } while (0)

int lessee_printf(const char *format, ...) { WITH_LIST(format, lessee_vprintf(format, list)); }
int lessee_fprintf(FILE *stream, const char *format, ...) { WITH_LIST(format, lessee_vfprintf(stream, format, list)); }
int lessee_sprintf(char *buffer, const char *format, ...) { WITH_LIST(format, lessee_vsprintf(buffer, format, list)); }
int lessee_snprintf(char *buffer, size_t size, const char *format, ...) { WITH_LIST(format, lessee_vsnprintf(buffer, size, format, list)); }
int lessee_dprintf(int fd, const char *format, ...) { WITH_LIST(format, lessee_vdprintf(fd, format, list)); }
int lessee_asprintf(char **result, const char *format, ...) { WITH_LIST(format, lessee_vasprintf(result, format, list)); }
