/* FormatMessage. The arguments are the texts of ERROR_NO_DATA in English and in
   French, in UTF-8. */
#include "check.h"

#include <errno.h>
#include <stdarg.h>

#define SYSTEM (FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS)
#define USER MAKELANGID(LANG_NEUTRAL, SUBLANG_DEFAULT)
#define FRENCH MAKELANGID(LANG_FRENCH, SUBLANG_FRENCH)
#define ENGLISH MAKELANGID(LANG_ENGLISH, SUBLANG_ENGLISH_US)

static char english[500], french[500];

/* The text of a code, or "error N". */
static const char *text_of(DWORD code, DWORD language)
{
    static char b[500];
    SetLastError(0);
    memset(b, '#', sizeof b);
    if (FormatMessageA(SYSTEM, NULL, code, language, b, sizeof b, NULL) == 0)
        sprintf(b, "error %lu", GetLastError());
    return b;
}

static void system_texts(void)
{
    char *allocated = NULL, exact[500];
    WCHAR *wide = NULL, units[500], roomy[2];
    DWORD n = (DWORD)strlen(english), m;

    setenv("LC_ALL", "C", 1);
    CHECK_TEXT(text_of(ERROR_NO_DATA, USER), english);
    CHECK_TEXT(text_of(ERROR_NO_DATA, 0), english);
    CHECK_TEXT(text_of(ERROR_NO_DATA, FRENCH), french);
    CHECK_TEXT(text_of(ERROR_NO_DATA, MAKELANGID(LANG_FRENCH, SUBLANG_FRENCH_CANADIAN)), french);
    CHECK_TEXT(text_of(ERROR_NO_DATA, ENGLISH), english);
    CHECK_TEXT(text_of(0x80070000 | ERROR_NO_DATA, ENGLISH), english);

    /* The program may change its environment at any time. */
    setenv("LC_ALL", "fr_FR.UTF-8", 1);
    CHECK_TEXT(text_of(ERROR_NO_DATA, USER), french);
    CHECK_TEXT(text_of(ERROR_NO_DATA, MAKELANGID(LANG_NEUTRAL, SUBLANG_NEUTRAL)), french);
    CHECK_TEXT(text_of(ERROR_NO_DATA, MAKELANGID(LANG_NEUTRAL, SUBLANG_SYS_DEFAULT)), french);
    CHECK_TEXT(text_of(ERROR_NO_DATA, ENGLISH), english);
    unsetenv("LC_ALL");
    setenv("LC_MESSAGES", "fr_CA", 1);
    setenv("LANG", "en_US.UTF-8", 1);
    CHECK_TEXT(text_of(ERROR_NO_DATA, USER), french);
    unsetenv("LC_MESSAGES");
    CHECK_TEXT(text_of(ERROR_NO_DATA, USER), english);
    setenv("LC_ALL", "C", 1);

    CHECK_TEXT(text_of(999999, USER), "error 317");                                        /* ERROR_MR_MID_NOT_FOUND */
    CHECK_TEXT(text_of(ERROR_NO_DATA, MAKELANGID(LANG_JAPANESE, SUBLANG_DEFAULT)), "error 1815"); /* ERROR_RESOURCE_LANG_NOT_FOUND */

    /* The length is told without the NUL, for which there must be room. */
    CHECK(FormatMessageA(SYSTEM, NULL, ERROR_NO_DATA, ENGLISH, exact, n + 1, NULL) == n);
    CHECK_TEXT(exact, english);
    SetLastError(0);
    CHECK(FormatMessageA(SYSTEM, NULL, ERROR_NO_DATA, ENGLISH, exact, n, NULL) == 0);
    CHECK_CODE(GetLastError(), ERROR_INSUFFICIENT_BUFFER);
    SetLastError(0);
    CHECK(FormatMessageA(SYSTEM, NULL, ERROR_NO_DATA, ENGLISH, exact, 0, NULL) == 0);
    CHECK_CODE(GetLastError(), ERROR_INSUFFICIENT_BUFFER);
    SetLastError(0);
    CHECK(FormatMessageA(SYSTEM, NULL, ERROR_NO_DATA, ENGLISH, NULL, 0, NULL) == 0);
    CHECK_CODE(GetLastError(), ERROR_INSUFFICIENT_BUFFER);
    SetLastError(0);
    CHECK(FormatMessageA(SYSTEM, NULL, ERROR_NO_DATA, ENGLISH, NULL, 10, NULL) == 0);
    CHECK_CODE(GetLastError(), ERROR_INVALID_PARAMETER);
    CHECK(FormatMessageW(SYSTEM, NULL, ERROR_NO_DATA, ENGLISH, roomy, 2, NULL) == 0);
    CHECK_CODE(GetLastError(), ERROR_INSUFFICIENT_BUFFER);

    /* Success leaves the last error and errno alone. */
    SetLastError(4711);
    errno = EXDEV;
    CHECK(FormatMessageA(SYSTEM | FORMAT_MESSAGE_ALLOCATE_BUFFER, NULL, ERROR_NO_DATA, ENGLISH, (LPSTR)&allocated, 0, NULL) == n);
    CHECK(errno == EXDEV);
    CHECK_CODE(GetLastError(), 4711);
    CHECK(allocated != NULL);
    CHECK_TEXT(allocated, english);
    CHECK(LocalFree(allocated) == NULL);

    /* The size is the least that is allocated. */
    CHECK(FormatMessageA(SYSTEM | FORMAT_MESSAGE_ALLOCATE_BUFFER, NULL, ERROR_NO_DATA, ENGLISH, (LPSTR)&allocated, 5000, NULL) == n);
    memset(allocated, 'x', 5000);
    HeapFree(GetProcessHeap(), 0, allocated);

    /* What was not allocated can be freed. */
    allocated = exact;
    CHECK(FormatMessageA(SYSTEM | FORMAT_MESSAGE_ALLOCATE_BUFFER, NULL, 999999, ENGLISH, (LPSTR)&allocated, 0, NULL) == 0);
    CHECK_CODE(GetLastError(), ERROR_MR_MID_NOT_FOUND);
    CHECK(allocated == NULL && LocalFree(allocated) == NULL);
    CHECK(FormatMessageA(SYSTEM | FORMAT_MESSAGE_ALLOCATE_BUFFER, NULL, ERROR_NO_DATA, ENGLISH, NULL, 0, NULL) == 0);
    CHECK_CODE(GetLastError(), ERROR_NOT_ENOUGH_MEMORY);

    /* The same in UTF-16: units are counted. */
    m = FormatMessageW(SYSTEM | FORMAT_MESSAGE_ALLOCATE_BUFFER, NULL, ERROR_NO_DATA, FRENCH, (LPWSTR)&wide, 0, NULL);
    CHECK(m > 0 && m < strlen(french) && (int)m == lstrlenW(wide)); /* an accent is one unit, and two bytes */
    sprintf(exact, "%ws", wide);
    CHECK_TEXT(exact, french);
    CHECK(FormatMessageW(SYSTEM, NULL, ERROR_NO_DATA, FRENCH, units, m + 1, NULL) == m);
    CHECK(lstrcmpW(units, wide) == 0);
    CHECK(FormatMessageW(SYSTEM, NULL, ERROR_NO_DATA, FRENCH, units, m, NULL) == 0);
    CHECK_CODE(GetLastError(), ERROR_INSUFFICIENT_BUFFER);
    CHECK(LocalFree(wide) == NULL);

    /* With the mask the line end is a space. */
    CHECK(FormatMessageA(SYSTEM | FORMAT_MESSAGE_MAX_WIDTH_MASK, NULL, ERROR_NO_DATA, ENGLISH, exact, 500, NULL) == n - 1);
    CHECK(strncmp(exact, english, n - 2) == 0 && exact[n - 2] == ' ');
}

static void where_from(void)
{
    char b[100];

    SetLastError(0);
    CHECK(FormatMessageA(0, NULL, ERROR_NO_DATA, ENGLISH, b, sizeof b, NULL) == 0);
    CHECK_CODE(GetLastError(), ERROR_INVALID_PARAMETER);
    SetLastError(0);
    CHECK(FormatMessageA(FORMAT_MESSAGE_FROM_STRING, NULL, 0, 0, b, sizeof b, NULL) == 0);
    CHECK_CODE(GetLastError(), ERROR_INVALID_PARAMETER);
    SetLastError(0);
    CHECK(FormatMessageA(FORMAT_MESSAGE_FROM_STRING | FORMAT_MESSAGE_FROM_SYSTEM, "x", 2, 0, b, sizeof b, NULL) == 0);
    CHECK_CODE(GetLastError(), ERROR_INVALID_PARAMETER);
    SetLastError(0);
    CHECK(FormatMessageA(FORMAT_MESSAGE_FROM_HMODULE, NULL, 2, 0, b, sizeof b, NULL) == 0);
    CHECK_CODE(GetLastError(), ERROR_RESOURCE_TYPE_NOT_FOUND);
    CHECK(FormatMessageA(FORMAT_MESSAGE_FROM_HMODULE | SYSTEM, NULL, ERROR_NO_DATA, ENGLISH, b, sizeof b, NULL) != 0);
    CHECK_TEXT(b, english);
}

/* A message of the program's own, with inserts as in a va_list. */
static const char *own(DWORD flags, const char *definition, ...)
{
    static char b[300];
    va_list list;
    DWORD n;

    SetLastError(0);
    va_start(list, definition);
    n = FormatMessageA(FORMAT_MESSAGE_FROM_STRING | flags, definition, 0, 0, b, sizeof b, &list);
    va_end(list);
    if (n == 0)
        sprintf(b, "error %lu", GetLastError());
    return b;
}

static void own_messages(void)
{
    DWORD_PTR words[3];
    char b[100];
    WCHAR w[20], format[] = {'%', '1', ' ', '%', '2', '!', 'h', 's', '!', 0}, name[] = {'e', 't', 'h', '0', 0};

    CHECK_TEXT(own(0, "plain"), "plain");
    CHECK_TEXT(own(0, "%2 before %1", "a", "b"), "b before a");
    CHECK_TEXT(own(0, "%1!d! and %2!08x! and %3!5s!|", 7, 0xbeef, "ab"), "7 and 0000beef and    ab|");
    CHECK_TEXT(own(0, "%1!*.*s!|%4!*s!|", 6, 2, "abcd", 5, "xyz"), "    ab|  xyz|");
    CHECK_TEXT(own(0, "%1!ld!", (LONG)-5), "-5");
    CHECK_TEXT(own(0, "%1!I64u!", (ULONGLONG)1 << 40), "1099511627776");
    CHECK_TEXT(own(0, "%1!c!%2!u!", 'x', 12), "x12");
    CHECK_TEXT(own(0, "%1!ws!", name), "eth0");
    CHECK_TEXT(own(0, "100%% %. %! %t|%n%r"), "100% . ! \t|\r\n\r");
    CHECK_TEXT(own(0, "cut%0 off"), "cut");
    CHECK_TEXT(own(0, "a\nb\r\nc\rd"), "a\r\nb\r\nc\r\nd");
    CHECK_TEXT(own(FORMAT_MESSAGE_MAX_WIDTH_MASK, "a\nb%nc"), "a b\r\nc");
    CHECK_TEXT(own(FORMAT_MESSAGE_IGNORE_INSERTS, "%1!s! %99 100%% %n"), "%1!s! %99 100%% \r\n");
    CHECK_TEXT(own(10, "a line of words that is too long"), "a line of\r\nwords that\r\nis too\r\nlong");
    CHECK_TEXT(own(0, ""), "error 235"); /* ERROR_NO_WORK_DONE */
    CHECK_TEXT(own(0, "%1!n!", b), "error 87");
    CHECK_TEXT(own(0, "%1!n !", b), "error 87"); /* nor with something behind it */
    CHECK_TEXT(own(0, "%1!%s!", b), "error 87");
    CHECK_TEXT(own(0, "%1!s", b), "error 87");
    CHECK_TEXT(own(0, "%1!***d!", 1, 2, 3, 4), "error 87");
    CHECK_TEXT(own(0, "%1!f!", 1.0), "error 87"); /* Windows has no floating point here either */

    words[0] = (DWORD_PTR) "first";
    words[1] = 42;
    words[2] = (DWORD_PTR)name;
    CHECK(FormatMessageA(FORMAT_MESSAGE_FROM_STRING | FORMAT_MESSAGE_ARGUMENT_ARRAY, "%1 %2!u! %3!ls!", 0, 0, b, sizeof b,
                         (va_list *)words) == 13);
    CHECK_TEXT(b, "first 42 eth0");
    CHECK(FormatMessageA(FORMAT_MESSAGE_FROM_STRING, "%1", 0, 0, b, sizeof b, NULL) == 0);
    CHECK_CODE(GetLastError(), ERROR_INVALID_PARAMETER);

    /* In the wide one %1 is UTF-16, and what is not valid stays as it is. */
    words[0] = (DWORD_PTR)name;
    words[1] = (DWORD_PTR) "x";
    CHECK(FormatMessageW(FORMAT_MESSAGE_FROM_STRING | FORMAT_MESSAGE_ARGUMENT_ARRAY, format, 0, 0, w, 20, (va_list *)words) == 6);
    sprintf(b, "%ls", w);
    CHECK_TEXT(b, "eth0 x");
    format[0] = 0xd834;
    format[1] = 0;
    CHECK(FormatMessageW(FORMAT_MESSAGE_FROM_STRING, format, 0, 0, w, 20, NULL) == 1);
    CHECK(w[0] == 0xd834 && w[1] == 0);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    sprintf(english, "%s\r\n", argv[1]);
    sprintf(french, "%s\r\n", argv[2]);
    system_texts();
    where_from();
    own_messages();
    return check_end();
}
