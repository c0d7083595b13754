/* CHECK for test programs: says what was not so and fails at the end. */
#ifndef CHECK_H
#define CHECK_H

#include <stdlib.h>
#include <string.h>

#include <iphlpapi.h>
#include <stdio.h>

static int check_failures;

#define CHECK(condition)                                                              \
    do {                                                                              \
        if (!(condition)) {                                                           \
            printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);            \
            check_failures++;                                                         \
        }                                                                             \
    } while (0)

#define CHECK_CODE(call, want)                                                        \
    do {                                                                              \
        DWORD check_got = (call), check_want = (want);                                \
        if (check_got != check_want) {                                                \
            printf("%s:%d: %s is %lu, want %lu\n", __FILE__, __LINE__, #call, check_got, check_want); \
            check_failures++;                                                         \
        }                                                                             \
    } while (0)

#define CHECK_TEXT(got, want)                                                         \
    do {                                                                              \
        const char *check_g = (got), *check_w = (want);                               \
        if (strcmp(check_g, check_w) != 0) {                                          \
            printf("%s:%d: %s is \"%s\", want \"%s\"\n", __FILE__, __LINE__, #got, check_g, check_w); \
            check_failures++;                                                         \
        }                                                                             \
    } while (0)

static __inline__ int check_end(void)
{
    if (check_failures == 0)
        printf("all is so\n");
    return check_failures != 0;
}

/* Puts an ASCII name into an adapter. */
static __inline__ void check_name(PIP_ADAPTER_INDEX_MAP a, const char *name)
{
    size_t i;
    memset(a, 0, sizeof *a);
    for (i = 0; name[i] != 0; i++)
        a->Name[i] = (WCHAR)name[i];
}

#endif
