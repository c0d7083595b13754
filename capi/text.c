#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void text_init(struct text *t)
{
    t->data = t->room;
    t->length = 0;
    t->capacity = sizeof t->room;
    t->failed = 0;
}

void text_free(struct text *t)
{
    if (t->data != t->room)
        free(t->data);
    text_init(t);
}

// reserve makes room for more bytes and a NUL.
static int reserve(struct text *t, size_t more)
{
    size_t capacity = t->capacity;
    char *data;

    if (t->failed)
        return -1;
    if (more < capacity - t->length)
        return 0;
    if (more > (size_t)PTRDIFF_MAX / 2 - t->length)
        goto failed;
    while (more >= capacity - t->length)
        capacity *= 2;
    data = malloc(capacity);
    if (data == NULL)
        goto failed;
    memcpy(data, t->data, t->length);
    if (t->data != t->room)
        free(t->data);
    t->data = data;
    t->capacity = capacity;
    return 0;
failed:
    t->failed = 1;
    errno = ENOMEM;
    return -1;
}

void text_add(struct text *t, const char *data, size_t length)
{
    if (reserve(t, length) != 0)
        return;
    memcpy(t->data + t->length, data, length);
    t->length += length;
}

void text_fill(struct text *t, char c, size_t count)
{
    if (reserve(t, count) != 0)
        return;
    memset(t->data + t->length, c, count);
    t->length += count;
}

static int is_high(uint32_t u) { return u >= 0xd800 && u < 0xdc00; }
static int is_low(uint32_t u) { return u >= 0xdc00 && u < 0xe000; }

void text_add_utf16(struct text *t, const uint16_t *from, size_t units, int lossless)
{
    for (size_t i = 0; i < units && from[i] != 0; i++) {
        uint32_t c = from[i];
        char b[4];
        size_t n;

        if (is_high(c) && i + 1 < units && is_low(from[i + 1])) {
            c = 0x10000 + ((c - 0xd800) << 10) + (from[i + 1] - 0xdc00u);
            i++;
        } else if ((is_high(c) || is_low(c)) && !lossless) {
            c = 0xfffd;
        }
        if (c < 0x80) {
            b[0] = (char)c;
            n = 1;
        } else if (c < 0x800) {
            b[0] = (char)(0xc0 | c >> 6);
            b[1] = (char)(0x80 | (c & 0x3f));
            n = 2;
        } else if (c < 0x10000) {
            b[0] = (char)(0xe0 | c >> 12);
            b[1] = (char)(0x80 | (c >> 6 & 0x3f));
            b[2] = (char)(0x80 | (c & 0x3f));
            n = 3;
        } else {
            b[0] = (char)(0xf0 | c >> 18);
            b[1] = (char)(0x80 | (c >> 12 & 0x3f));
            b[2] = (char)(0x80 | (c >> 6 & 0x3f));
            b[3] = (char)(0x80 | (c & 0x3f));
            n = 4;
        }
        text_add(t, b, n);
    }
}

// decode reads one character of UTF-8 and returns its length; what is not valid
// is U+FFFD, one byte long.
static size_t decode(const unsigned char *b, size_t length, uint32_t *c)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = b[0] < 0x80 ? 1 : b[0] >= 0xc2 && b[0] < 0xe0 ? 2 : (b[0] & 0xf0) == 0xe0 ? 3 : b[0] >= 0xf0 && b[0] < 0xf5 ? 4 : 0;

    *c = 0xfffd;
    if (n == 0 || n > length)
        return 1;
    uint32_t v = n == 1 ? b[0] : b[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((b[i] & 0xc0) != 0x80)
            return 1;
        v = v << 6 | (b[i] & 0x3f);
    }
    if (v < least[n] || v > 0x10ffff)
        return 1;
    *c = v;
    return n;
}

size_t utf8_to_utf16(uint16_t *to, const char *from, size_t length)
{
    size_t units = 0;

    for (size_t i = 0; i < length;) {
        uint32_t c;
        i += decode((const unsigned char *)from + i, length - i, &c);
        if (c >= 0x10000) {
            if (to != NULL) {
                to[units] = (uint16_t)(0xd800 + ((c - 0x10000) >> 10));
                to[units + 1] = (uint16_t)(0xdc00 + ((c - 0x10000) & 0x3ff));
            }
            units += 2;
        } else {
            if (to != NULL)
                to[units] = (uint16_t)c;
            units++;
        }
    }
    return units;
}
