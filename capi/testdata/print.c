/* The family of printf: what means something else on Windows, and that the rest
   is the C library's. */
#include "check.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <unistd.h>

static const WCHAR name[] = {'e', 't', 'h', '0', 0};
/* é € and a character outside of the basic plane */
static const WCHAR accents[] = {0xe9, 0x20ac, 0xd834, 0xdd1e, 0};
static const WCHAR broken[] = {'a', 0xd834, 'b', 0xdd1e, 0};

#define ACCENTS "\xc3\xa9\xe2\x82\xac\xf0\x9d\x84\x9e"
#define BAD "\xef\xbf\xbd"

static char b[8192];

/* CHECK_PRINT compares text and result of sprintf. */
#define CHECK_PRINT(want, arguments)                      \
    do {                                                  \
        int check_n;                                      \
        memset(b, '#', sizeof b);                         \
        check_n = sprintf arguments;                      \
        CHECK_TEXT(b, want);                              \
        CHECK(check_n == (int)strlen(want));              \
    } while (0)

static void wide(void)
{
    CHECK_PRINT("eth0", (b, "%ws", name));
    CHECK_PRINT("eth0", (b, "%ls", name));
    CHECK_PRINT("eth0", (b, "%S", name));
    CHECK_PRINT("<" ACCENTS ">", (b, "<%ws>", accents));
    CHECK_PRINT("a" BAD "b" BAD, (b, "%ws", broken));
    CHECK_PRINT("      eth0|", (b, "%10ws|", name));
    CHECK_PRINT("eth0      |", (b, "%-10ws|", name));
    CHECK_PRINT("eth0  |", (b, "%*ws|", -6, name));
    CHECK_PRINT("et|", (b, "%.2ws|", name));
    CHECK_PRINT("   et|", (b, "%*.*ls|", 5, 2, name));
    CHECK_PRINT("|", (b, "%.0ws|", name));
    CHECK_PRINT("\xc3\xa9\xe2\x82\xac|", (b, "%.3ws|", accents)); /* no half characters */
    CHECK_PRINT("  " ACCENTS "|", (b, "%6ws|", accents));
    CHECK_PRINT("(null)", (b, "%ws", (WCHAR *)NULL));
    CHECK_PRINT("e\xc3\xa9" BAD, (b, "%lc%wc%C", 'e', 0xe9, 0xd834));
    CHECK_PRINT("  e|", (b, "%3lc|", 'e'));
    CHECK_PRINT("narrow x", (b, "%hs %hc", "narrow", 'x'));
    CHECK(sprintf(b, "a%lcb", 0) == 3 && b[0] == 'a' && b[1] == 0 && b[2] == 'b');
}

static void whole(void)
{
    DWORD dword = 4000000000u;
    LONG negative = -2, minimum = INT_MIN;

    CHECK_PRINT("4000000000", (b, "%lu", dword));
    CHECK_PRINT("-294967296", (b, "%ld", dword));
    CHECK_PRINT("-2 -2147483648", (b, "%ld %li", negative, minimum));
    CHECK_PRINT("ee6b2800 EE6B2800 35632624000", (b, "%lx %lX %lo", dword, dword, dword));
    CHECK_PRINT("0xee6b2800|+7|    00042|", (b, "%#lx|%+ld|%9.5ld|", dword, 7, 42));
    CHECK_PRINT("00042|42   |", (b, "%05ld|%-5ld|", 42, 42));
    CHECK_PRINT("1 2 3 4 5 6 7 8 9", (b, "%ld %ld %ld %ld %ld %ld %ld %ld %ld", 1, 2, 3, 4, 5, 6, 7, 8, 9));
    CHECK_PRINT("9223372036854775807 1 18446744073709551615", (b, "%lld %ld %llu", INT64_MAX, 1, UINT64_MAX));
    CHECK_PRINT("-9223372036854775808 4294967295 8", (b, "%I64d %I32u %Iu", INT64_MIN, 0xffffffffu, (size_t)8));
    CHECK_PRINT("-1 200 7 9 5", (b, "%ld %hhu %zu %td %jd", -1, 200, (size_t)7, (ptrdiff_t)9, (intmax_t)5));
    CHECK_PRINT("65535 -1", (b, "%hu %ld", 0xffff, -1));
    CHECK_PRINT("-5 3 70000 9 1", (b, "%w8d %w16d %w32d %w64d %ld", -5, 3, 70000, (int64_t)9, 1));
}

static void counts(void)
{
    LONG l = -1;
    long long ll = -1;
    int i = -1;
    short h = -1;
    signed char hh = -1;

    /* The neighbours of l must not be touched: it has 32 bits. */
    LONG three[3] = {-1, -1, -1};
    CHECK(sprintf(b, "%ws%ln", name, &three[1]) == 4);
    CHECK(three[0] == -1 && three[1] == 4 && three[2] == -1);
    CHECK(sprintf(b, "%ld%ln%n%hn%hhn%lln", 12, &l, &i, &h, &hh, &ll) == 2);
    CHECK(l == 2 && i == 2 && h == 2 && hh == 2 && ll == 2);
}

static void mixed(void)
{
    CHECK_PRINT("eth0 1.500000 1.5e+00 2.25 0x1p+0 x str % 7", (b, "%ws %f %.1e %Lg %a %c %s %% %d", name, 1.5, 1.5, 2.25L, 1.0, 'x', "str", 7));
    CHECK_PRINT("1.50 1", (b, "%.2lf %ld", 1.5, 1));
    CHECK_PRINT("eth0 (nil)", (b, "%ws %p", name, (void *)0));
    CHECK_PRINT("(null) 1", (b, "%s %ld", (char *)NULL, 1));
    CHECK_PRINT("b a eth0 3", (b, "%2$s %1$s %4$ws %3$ld", "a", "b", 3, name));
    CHECK_PRINT("   eth0|4", (b, "%2$*1$ls|%3$ld", 7, name, 4));
    CHECK_PRINT("1 %y", (b, "%ld %y", 1)); /* nobody knows it */
    errno = ENOENT;
    CHECK_PRINT("1 No such file or directory", (b, "%ld %m", 1));
    CHECK(errno == ENOENT);
    CHECK(sprintf(b, "%1$ld %3$ld", 1, 2, 3) == -1 && errno == EINVAL); /* what is the second? */
    CHECK(sprintf(b, "%ld %", 1) == -1 && errno == EINVAL);
    CHECK(sprintf(b, "%ld%*d", 1, INT_MAX, 1) == -1);
    CHECK(sprintf(b, "%ld %5000d", 1, 1) == 5002 && strlen(b) == 5002);
    CHECK(sprintf(b, "%5000ws", name) == 5000 && strcmp(b + 4996, "eth0") == 0);
}

static void as_ever(void)
{
    CHECK_PRINT("", (b, "%s", ""));
    CHECK_PRINT("plain", (b, "plain"));
    CHECK_PRINT("7 x s 1.25 18446744073709551615", (b, "%d %c %s %g %zu", 7, 'x', "s", 1.25, SIZE_MAX));
    CHECK_PRINT("b a", (b, "%2$s %1$s", "a", "b"));
    CHECK_PRINT("1.000000", (b, "%lf", 1.0));
}

static int by_list(const char *format, ...)
{
    va_list list, copy;
    char v[50];
    char *a = NULL;
    int n;

    va_start(list, format);
    va_copy(copy, list);
    CHECK(vsprintf(v, format, copy) == 6);
    CHECK_TEXT(v, "eth0 9");
    va_end(copy);
    va_copy(copy, list);
    CHECK(vfprintf(stdout, format, copy) == 6);
    va_end(copy);
    va_copy(copy, list);
    CHECK(vprintf(format, copy) == 6);
    va_end(copy);
    va_copy(copy, list);
    CHECK(vasprintf(&a, format, copy) == 6);
    CHECK_TEXT(a, "eth0 9");
    free(a);
    va_end(copy);
    va_copy(copy, list);
    fflush(stdout);
    CHECK(vdprintf(1, format, copy) == 6);
    va_end(copy);
    n = vsnprintf(v, 4, format, list);
    CHECK_TEXT(v, "eth");
    va_end(list);
    return n;
}

static void family(void)
{
    char s[10] = "#########";
    char *a = NULL;
    int (*pointer)(const char *, ...) = printf;

    CHECK(snprintf(s, 3, "%ws", name) == 4);
    CHECK_TEXT(s, "et");
    CHECK(s[3] == '#');
    CHECK(snprintf(NULL, 0, "%ws %ld", name, 1) == 6);
    CHECK(snprintf(s, 1, "%ws", name) == 4 && s[0] == 0);
    CHECK(asprintf(&a, "%ws %ld", name, 1) == 6);
    CHECK_TEXT(a, "eth0 1");
    free(a);
    CHECK(asprintf(&a, "%s", "as ever") == 7);
    CHECK_TEXT(a, "as ever");
    free(a);
    CHECK(by_list("%ws %ld", name, 9) == 6);
    fflush(stdout);
    CHECK(dprintf(1, "%ws\n", name) == 5);
    CHECK(fprintf(stdout, "%ws %ld\n", accents, 1) == 12);
    CHECK(pointer("%ws\n", name) == 5);
    CHECK(printf("%s", "") == 0);
}

static void broken_stream(void)
{
    FILE *f = fopen("/dev/full", "w");
    CHECK(f != NULL);
    if (f != NULL) {
        setvbuf(f, NULL, _IONBF, 0);
        CHECK(fprintf(f, "%ws", name) == -1);
        fclose(f);
    }
    CHECK(dprintf(-1, "%ws", name) == -1 && errno == EBADF);
}

int main(void)
{
    wide();
    whole();
    counts();
    mixed();
    as_ever();
    family();
    broken_stream();
    return check_end();
}
