/* Messages, the last error and memory, as Windows programs use them beside the
   IP Helper functions. */
#ifndef LESSEE_WINBASE_H
#define LESSEE_WINBASE_H

#include <malloc.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "winerror.h"
#include "winnt.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The calling thread's last error code. Of the functions here only
   FormatMessage sets it, when it fails. */
WINBASEAPI DWORD WINAPI GetLastError(void);
WINBASEAPI VOID WINAPI SetLastError(DWORD code);

#define FORMAT_MESSAGE_ALLOCATE_BUFFER 0x00000100
#define FORMAT_MESSAGE_IGNORE_INSERTS 0x00000200
#define FORMAT_MESSAGE_FROM_STRING 0x00000400
#define FORMAT_MESSAGE_FROM_HMODULE 0x00000800
#define FORMAT_MESSAGE_FROM_SYSTEM 0x00001000
#define FORMAT_MESSAGE_ARGUMENT_ARRAY 0x00002000
#define FORMAT_MESSAGE_MAX_WIDTH_MASK 0x000000ff

/* The text of a system error code (FROM_SYSTEM) or of a message of the
   program's own (FROM_STRING). Returns the number of units stored without the
   NUL, or 0: then GetLastError tells why. With ALLOCATE_BUFFER buffer is the
   address of a pointer, which LocalFree frees. Language 0 and the neutral ones
   are the user's. */
WINBASEAPI DWORD WINAPI FormatMessageA(DWORD flags, LPCVOID source, DWORD message, DWORD language, LPSTR buffer,
                                       DWORD size, va_list *arguments);
WINBASEAPI DWORD WINAPI FormatMessageW(DWORD flags, LPCVOID source, DWORD message, DWORD language, LPWSTR buffer,
                                       DWORD size, va_list *arguments);
#ifdef UNICODE
#define FormatMessage FormatMessageW
#else
#define FormatMessage FormatMessageA
#endif

#define LMEM_FIXED 0x0000
#define LMEM_ZEROINIT 0x0040
#define LPTR (LMEM_FIXED | LMEM_ZEROINIT)

/* Frees what FormatMessage or LocalAlloc allocated, and returns NULL. */
WINBASEAPI HLOCAL WINAPI LocalFree(HLOCAL memory);

static __inline__ HLOCAL WINAPI LocalAlloc(UINT flags, SIZE_T bytes)
{
    UNREFERENCED_PARAMETER(flags);
    return calloc(1, bytes != 0 ? bytes : 1);
}

/* There is one heap: the one of malloc and free. */
static __inline__ HANDLE WINAPI GetProcessHeap(void)
{
    return (HANDLE)(ULONG_PTR)1;
}

/* The memory is always zeroed, so that HeapReAlloc finds zeros behind its end. */
static __inline__ LPVOID WINAPI HeapAlloc(HANDLE heap, DWORD flags, SIZE_T bytes)
{
    UNREFERENCED_PARAMETER(heap);
    UNREFERENCED_PARAMETER(flags);
    return calloc(1, bytes != 0 ? bytes : 1);
}

/* Fails with HEAP_REALLOC_IN_PLACE_ONLY, as it may; then, and where memory is
   short, the old memory stays. */
static __inline__ LPVOID WINAPI HeapReAlloc(HANDLE heap, DWORD flags, LPVOID memory, SIZE_T bytes)
{
    LPVOID moved;
    SIZE_T old;
    if (memory == NULL || (flags & HEAP_REALLOC_IN_PLACE_ONLY) != 0)
        return NULL;
    moved = HeapAlloc(heap, flags, bytes);
    if (moved != NULL) {
        old = malloc_usable_size(memory);
        memcpy(moved, memory, old < bytes ? old : bytes);
        free(memory);
    }
    return moved;
}

static __inline__ BOOL WINAPI HeapFree(HANDLE heap, DWORD flags, LPVOID memory)
{
    UNREFERENCED_PARAMETER(heap);
    UNREFERENCED_PARAMETER(flags);
    free(memory);
    return TRUE;
}

#define FillMemory(memory, bytes, value) memset((memory), (value), (bytes))
#define ZeroMemory(memory, bytes) memset((memory), 0, (bytes))
#define CopyMemory(to, from, bytes) memcpy((to), (from), (bytes))
#define MoveMemory(to, from, bytes) memmove((to), (from), (bytes))

/* Strings of WCHAR, for which the C library has no functions. */
static __inline__ int WINAPI lstrlenA(LPCSTR text)
{
    return text != NULL ? (int)strlen(text) : 0;
}

static __inline__ int WINAPI lstrlenW(LPCWSTR text)
{
    int n = 0;
    while (text != NULL && text[n] != 0)
        n++;
    return n;
}

static __inline__ int WINAPI lstrcmpA(LPCSTR a, LPCSTR b)
{
    return strcmp(a, b);
}

static __inline__ int WINAPI lstrcmpW(LPCWSTR a, LPCWSTR b)
{
    while (*a != 0 && *a == *b) {
        a++;
        b++;
    }
    return (int)*a - (int)*b;
}

static __inline__ LPSTR WINAPI lstrcpyA(LPSTR to, LPCSTR from)
{
    return strcpy(to, from);
}

static __inline__ LPWSTR WINAPI lstrcpyW(LPWSTR to, LPCWSTR from)
{
    LPWSTR p = to;
    while ((*p++ = *from++) != 0) {
    }
    return to;
}

#ifdef UNICODE
#define lstrlen lstrlenW
#define lstrcmp lstrcmpW
#define lstrcpy lstrcpyW
#else
#define lstrlen lstrlenA
#define lstrcmp lstrcmpA
#define lstrcpy lstrcpyA
#endif

#ifdef __cplusplus
}
#endif

#endif
