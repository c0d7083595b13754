/* Text types, languages and flags of Windows programs.

   WCHAR is a UTF-16 unit. wchar_t is 32 bits wide here, so L"text" is no WCHAR
   string; TEXT("text") is one with UNICODE, in C11 and C++11 and later, and so is
   u"text". With gcc's and clang's -fshort-wchar L"text" is one, too. Strings of
   char are UTF-8. */
#ifndef LESSEE_WINNT_H
#define LESSEE_WINNT_H

#include "minwindef.h"

#if __SIZEOF_WCHAR_T__ == 2
typedef wchar_t WCHAR;
#elif defined(__cplusplus) && __cplusplus >= 201103L
typedef char16_t WCHAR;
#else
typedef unsigned short WCHAR;
#endif

LESSEE_ASSERT(wchar, sizeof(WCHAR) == 2);

typedef CHAR *PCHAR, *LPCH, *PCH, *NPSTR, *LPSTR, *PSTR;
typedef const CHAR *LPCCH, *PCCH, *LPCSTR, *PCSTR;
typedef WCHAR *PWCHAR, *LPWCH, *PWCH, *NWPSTR, *LPWSTR, *PWSTR;
typedef const WCHAR *LPCWCH, *PCWCH, *LPCWSTR, *PCWSTR;

#if __SIZEOF_WCHAR_T__ == 2 || (defined(__cplusplus) ? __cplusplus < 201103L : !defined(__STDC_VERSION__) || __STDC_VERSION__ < 201112L)
#define LESSEE_WIDE(text) L##text
#else
#define LESSEE_WIDE(text) u##text
#endif

#ifdef UNICODE
typedef WCHAR TCHAR, *PTCHAR, TBYTE;
typedef LPWSTR LPTSTR, PTSTR;
typedef LPCWSTR LPCTSTR, PCTSTR;
#define __TEXT(text) LESSEE_WIDE(text)
#else
typedef char TCHAR, *PTCHAR;
typedef unsigned char TBYTE;
typedef LPSTR LPTSTR, PTSTR;
typedef LPCSTR LPCTSTR, PCTSTR;
#define __TEXT(text) text
#endif
#define TEXT(text) __TEXT(text)

#define ANYSIZE_ARRAY 1

#define UNREFERENCED_PARAMETER(p) ((void)(p))

/* Languages: ten bits of primary language, six of sublanguage. */
typedef WORD LANGID;
typedef DWORD LCID;

#define MAKELANGID(primary, sub) ((WORD)(((WORD)(sub)) << 10 | (WORD)(primary)))
#define PRIMARYLANGID(langid) ((WORD)((WORD)(langid) & 0x3ff))
#define SUBLANGID(langid) ((WORD)((WORD)(langid) >> 10))
#define MAKELCID(langid, sort) ((DWORD)(((DWORD)((WORD)(sort))) << 16 | (DWORD)((WORD)(langid))))
#define LANGIDFROMLCID(lcid) ((WORD)(lcid))

#define LANG_NEUTRAL 0x00
#define LANG_INVARIANT 0x7f
#define LANG_CHINESE 0x04
#define LANG_GERMAN 0x07
#define LANG_ENGLISH 0x09
#define LANG_SPANISH 0x0a
#define LANG_FRENCH 0x0c
#define LANG_ITALIAN 0x10
#define LANG_JAPANESE 0x11
#define LANG_DUTCH 0x13
#define LANG_PORTUGUESE 0x16
#define LANG_RUSSIAN 0x19

#define SUBLANG_NEUTRAL 0x00
#define SUBLANG_DEFAULT 0x01
#define SUBLANG_SYS_DEFAULT 0x02
#define SUBLANG_ENGLISH_US 0x01
#define SUBLANG_ENGLISH_UK 0x02
#define SUBLANG_ENGLISH_CAN 0x04
#define SUBLANG_FRENCH 0x01
#define SUBLANG_FRENCH_BELGIAN 0x02
#define SUBLANG_FRENCH_CANADIAN 0x03
#define SUBLANG_FRENCH_SWISS 0x04

#define SORT_DEFAULT 0x0
#define LANG_USER_DEFAULT MAKELANGID(LANG_NEUTRAL, SUBLANG_DEFAULT)
#define LANG_SYSTEM_DEFAULT MAKELANGID(LANG_NEUTRAL, SUBLANG_SYS_DEFAULT)
#define LOCALE_USER_DEFAULT MAKELCID(LANG_USER_DEFAULT, SORT_DEFAULT)
#define LOCALE_SYSTEM_DEFAULT MAKELCID(LANG_SYSTEM_DEFAULT, SORT_DEFAULT)

/* Flags of the heap functions. */
#define HEAP_NO_SERIALIZE 0x00000001
#define HEAP_GENERATE_EXCEPTIONS 0x00000004
#define HEAP_ZERO_MEMORY 0x00000008
#define HEAP_REALLOC_IN_PLACE_ONLY 0x00000010

#endif
