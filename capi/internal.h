// What the C files of this package share.
#ifndef LESSEE_CAPI_INTERNAL_H
#define LESSEE_CAPI_INTERNAL_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

// A growing text. failed is set when memory was short; then nothing is added.
struct text {
    char *data;
    size_t length, capacity;
    int failed;
    char room[256];
};

void text_init(struct text *t);
void text_free(struct text *t);
void text_add(struct text *t, const char *data, size_t length);
void text_fill(struct text *t, char c, size_t count);

// Where the arguments of a format come from: a va_list, or an array of words.
struct arguments {
    va_list *list;
    const uintptr_t *words;
    const uintptr_t *end; // of the words; NULL if unknown
    int failed;           // there were too few words
};

// text_format adds what the format says. wide tells that %s is UTF-16 and %hs is
// not, as in a FormatMessage of WCHAR. Returns 0, or -1 with errno.
int text_format(struct text *t, const char *format, struct arguments *a, int wide);

// UTF-16 to UTF-8. units of it, or up to its NUL if that comes before. An
// unpaired surrogate becomes U+FFFD, or its three bytes if lossless.
void text_add_utf16(struct text *t, const uint16_t *from, size_t units, int lossless);

// UTF-8 to UTF-16, with the three bytes of a surrogate as that. to may be NULL.
// Returns the number of units.
size_t utf8_to_utf16(uint16_t *to, const char *from, size_t length);

// environment is getenv; a privileged program does not let its caller choose the
// daemon.
const char *environment(const char *name);

// message finds the text of a system error code, which the caller frees, or
// returns the code that says why there is none.
uint32_t message(uint32_t code, uint16_t langid, char **text);

// is_forked tells that this process was forked from one that had the library.
int is_forked(void);

#endif
