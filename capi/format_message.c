// FormatMessage: the text is made as UTF-8, then delivered as the caller wants it.
#include "internal.h"

#include "include/winbase.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { most_inserts = 99, most_stars = 2, longest_format = 32 };

// A message is one that is being put together.
struct message {
    struct text out;
    DWORD flags;
    int wide;
    size_t line, space; // where the line begins, and behind its last space; 0: none
    va_list *list;
    const uintptr_t *words; // the inserts, or NULL
    int fetched;            // of the list
    uintptr_t values[most_inserts + most_stars];
};

static void line_break(struct message *m)
{
    text_add(&m->out, "\r\n", 2);
    m->line = m->out.length;
    m->space = 0;
}

// wrap breaks the line at its last space if it has become too long.
static void wrap(struct message *m)
{
    DWORD width = m->flags & FORMAT_MESSAGE_MAX_WIDTH_MASK;
    struct text *t = &m->out;
    size_t columns = 0;

    if (width == 0 || width == FORMAT_MESSAGE_MAX_WIDTH_MASK || m->space == 0 || t->failed)
        return;
    for (size_t i = m->line; i < t->length; i++)
        columns += (t->data[i] & 0xc0) != 0x80;
    if (columns <= width)
        return;
    size_t at = m->space;
    text_add(t, "\n", 1);
    if (t->failed)
        return;
    // The space becomes CR LF, so all behind it moves by one.
    memmove(t->data + at + 1, t->data + at, t->length - 1 - at);
    memcpy(t->data + at - 1, "\r\n", 2);
    m->line = at + 1;
    m->space = 0;
}

static void put(struct message *m, char c)
{
    if (c != ' ')
        text_add(&m->out, &c, 1);
    wrap(m);
    if (c == ' ') {
        text_add(&m->out, &c, 1);
        m->space = m->out.length;
    }
}

// insert_words returns the insert with that number, with those that its stars take.
static const uintptr_t *insert_words(struct message *m, int number, int stars)
{
    if (m->words != NULL)
        return m->words + number - 1;
    if (m->list == NULL)
        return NULL;
    for (; m->fetched < number + stars; m->fetched++)
        m->values[m->fetched] = va_arg(*m->list, uintptr_t);
    return m->values + number - 1;
}

// insert adds "%1" or "%1!format!"; p is behind the '%'. Returns what follows,
// NULL if it is not valid.
static const char *insert(struct message *m, const char *p, const char *end)
{
    char format[longest_format + 2] = "%s";
    int number = *p++ - '0', stars = 0;
    struct arguments a;
    struct text value;

    if (p < end && *p >= '0' && *p <= '9')
        number = number * 10 + (*p++ - '0');
    if (p < end && *p == '!') {
        const char *close = memchr(p + 1, '!', (size_t)(end - p - 1));
        size_t length = close != NULL ? (size_t)(close - p - 1) : 0;
        if (length == 0 || length > longest_format || memchr(p + 1, '%', length) != NULL || close[-1] == 'n')
            return NULL;
        memcpy(format + 1, p + 1, length);
        format[length + 1] = 0;
        for (size_t i = 0; i < length; i++)
            stars += p[1 + i] == '*';
        if (stars > most_stars)
            return NULL;
        p = close + 1;
    }
    memset(&a, 0, sizeof a);
    a.words = insert_words(m, number, stars);
    if (a.words == NULL)
        return NULL;
    a.end = a.words + 1 + stars;
    text_init(&value);
    if (text_format(&value, format, &a, m->wide) != 0) {
        m->out.failed |= value.failed;
        text_free(&value);
        return NULL;
    }
    for (size_t i = 0; i < value.length; i++)
        put(m, value.data[i]);
    text_free(&value);
    return p;
}

// expand adds a message definition. Returns 0 or a system error code.
static DWORD expand(struct message *m, const char *p, size_t length)
{
    const char *end = p + length;
    int verbatim = (m->flags & FORMAT_MESSAGE_IGNORE_INSERTS) != 0;

    while (p < end) {
        char c = *p++;
        if (c == '\r' || c == '\n') {
            if (c == '\r' && p < end && *p == '\n')
                p++;
            if ((m->flags & FORMAT_MESSAGE_MAX_WIDTH_MASK) != 0)
                put(m, ' ');
            else
                line_break(m);
            continue;
        }
        if (c != '%' || p == end) {
            put(m, c);
            continue;
        }
        switch (*p) {
        case '0': return 0;
        case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9':
            if (verbatim) {
                put(m, '%');
                break;
            }
            p = insert(m, p, end);
            if (p == NULL)
                return m->out.failed ? ERROR_NOT_ENOUGH_MEMORY : ERROR_INVALID_PARAMETER;
            break;
        case 'n': line_break(m); p++; break;
        case 'r': put(m, '\r'); p++; break;
        case 't': put(m, '\t'); p++; break;
        default:
            if (verbatim)
                put(m, '%');
            put(m, *p++);
            break;
        }
    }
    return 0;
}

// compose makes the text. Returns 0 or a system error code.
static DWORD compose(struct message *m, LPCVOID source, DWORD id, DWORD language)
{
    if ((m->flags & FORMAT_MESSAGE_FROM_STRING) != 0) {
        struct text definition;
        DWORD code;

        if (source == NULL || (m->flags & (FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_FROM_HMODULE)) != 0)
            return ERROR_INVALID_PARAMETER;
        if (!m->wide)
            return expand(m, source, strlen(source));
        text_init(&definition);
        text_add_utf16(&definition, source, SIZE_MAX, 1);
        code = definition.failed ? ERROR_NOT_ENOUGH_MEMORY : expand(m, definition.data, definition.length);
        text_free(&definition);
        return code;
    }
    if ((m->flags & FORMAT_MESSAGE_FROM_SYSTEM) != 0) {
        char *text = NULL;
        DWORD code;

        if (is_forked())
            return ERROR_NOT_SUPPORTED;
        if ((id & 0xffff0000) == 0x80070000) // an HRESULT made of a system error code
            id &= 0xffff;
        code = message(id, (uint16_t)language, &text);
        if (code != 0)
            return code;
        for (const char *p = text; *p != 0; p++)
            put(m, *p);
        free(text);
        return expand(m, "\r\n", 2);
    }
    if ((m->flags & FORMAT_MESSAGE_FROM_HMODULE) != 0)
        return ERROR_RESOURCE_TYPE_NOT_FOUND; // programs have no message tables here
    return ERROR_INVALID_PARAMETER;
}

// deliver stores the text, in units of the given size. Returns 0 or a code.
static DWORD deliver(struct message *m, void *buffer, DWORD size, DWORD *stored)
{
    size_t unit = m->wide ? sizeof(WCHAR) : 1;
    size_t length = m->wide ? utf8_to_utf16(NULL, m->out.data, m->out.length) : m->out.length;
    char *to = buffer;

    if (length >= UINT32_MAX / 2)
        return ERROR_NOT_ENOUGH_MEMORY;
    if ((m->flags & FORMAT_MESSAGE_ALLOCATE_BUFFER) != 0) {
        if (length == 0)
            return ERROR_NO_WORK_DONE;
        to = calloc(length + 1 > size ? length + 1 : size, unit);
        if (to == NULL)
            return ERROR_NOT_ENOUGH_MEMORY;
        memcpy(buffer, &to, sizeof to);
    } else if (length >= size) {
        return ERROR_INSUFFICIENT_BUFFER;
    }
    if (m->wide)
        utf8_to_utf16((uint16_t *)(void *)to, m->out.data, m->out.length);
    else
        memcpy(to, m->out.data, length);
    memset(to + length * unit, 0, unit);
    *stored = (DWORD)length;
    return length == 0 ? ERROR_NO_WORK_DONE : 0;
}

static DWORD format_message(int wide, DWORD flags, LPCVOID source, DWORD id, DWORD language, void *buffer, DWORD size, va_list *arguments)
{
    struct message m;
    int saved = errno;
    DWORD code, stored = 0;

    memset(&m, 0, sizeof m);
    m.flags = flags;
    m.wide = wide;
    if ((flags & FORMAT_MESSAGE_ARGUMENT_ARRAY) != 0)
        m.words = (const uintptr_t *)(const void *)arguments;
    else
        m.list = arguments;
    text_init(&m.out);
    if ((flags & FORMAT_MESSAGE_ALLOCATE_BUFFER) != 0) {
        void *none = NULL;
        if (buffer == NULL) {
            SetLastError(ERROR_NOT_ENOUGH_MEMORY);
            return 0;
        }
        // So that LocalFree is harmless when this fails.
        memcpy(buffer, &none, sizeof none);
    } else if (buffer == NULL && size != 0) {
        SetLastError(ERROR_INVALID_PARAMETER);
        return 0;
    }
    code = compose(&m, source, id, language);
    if (code == 0)
        code = m.out.failed ? ERROR_NOT_ENOUGH_MEMORY : deliver(&m, buffer, size, &stored);
    text_free(&m.out);
    errno = saved;
    if (code != 0)
        SetLastError(code);
    return stored;
}

DWORD WINAPI FormatMessageA(DWORD flags, LPCVOID source, DWORD message, DWORD language, LPSTR buffer, DWORD size,
                            va_list *arguments)
{
    return format_message(0, flags, source, message, language, buffer, size, arguments);
}

DWORD WINAPI FormatMessageW(DWORD flags, LPCVOID source, DWORD message, DWORD language, LPWSTR buffer, DWORD size,
                            va_list *arguments)
{
    return format_message(1, flags, source, message, language, buffer, size, arguments);
}
