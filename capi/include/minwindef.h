/* Basic types and macros of Windows programs, with the sizes they have there:
   LONG, ULONG and DWORD are 32 bits wide, whatever long is here. */
#ifndef LESSEE_MINWINDEF_H
#define LESSEE_MINWINDEF_H

#include <stddef.h>

#ifndef NULL
#define NULL 0
#endif

#ifndef FALSE
#define FALSE 0
#endif
#ifndef TRUE
#define TRUE 1
#endif

/* There is one calling convention. */
#ifndef __cdecl
#define __cdecl
#endif
#ifndef _cdecl
#define _cdecl
#endif
#ifndef __stdcall
#define __stdcall
#endif
#ifndef __fastcall
#define __fastcall
#endif
#define WINAPI
#define WINAPIV
#define APIENTRY
#define CALLBACK
#define NTAPI
#ifndef CDECL
#define CDECL
#endif
#ifndef FAR
#define FAR
#endif
#ifndef NEAR
#define NEAR
#endif
#ifndef CONST
#define CONST const
#endif
#ifndef IN
#define IN
#endif
#ifndef OUT
#define OUT
#endif
#ifndef OPTIONAL
#define OPTIONAL
#endif
#ifndef DECLSPEC_IMPORT
#define DECLSPEC_IMPORT
#endif
#define WINBASEAPI
#define IPHLPAPI_DLL_LINKAGE

#ifndef VOID
#define VOID void
#endif

typedef char CHAR;
typedef signed char INT8;
typedef unsigned char UCHAR, BYTE, UINT8;
typedef short SHORT, INT16;
typedef unsigned short USHORT, WORD, UINT16;
typedef int INT, BOOL, LONG, INT32, LONG32;
typedef unsigned int UINT, ULONG, DWORD, UINT32, ULONG32, DWORD32;
typedef unsigned char BOOLEAN;
typedef float FLOAT;
typedef double DOUBLE;

#if defined(__INT64_TYPE__)
typedef __INT64_TYPE__ LONGLONG, LONG64, INT64;
typedef __UINT64_TYPE__ ULONGLONG, ULONG64, DWORD64, UINT64, DWORDLONG;
#else
#error "a compiler that knows __INT64_TYPE__ is needed (gcc, clang)"
#endif

/* As wide as a pointer. */
typedef __INTPTR_TYPE__ INT_PTR, LONG_PTR, SSIZE_T;
typedef __UINTPTR_TYPE__ UINT_PTR, ULONG_PTR, DWORD_PTR, SIZE_T;

typedef void *PVOID, *LPVOID, *HANDLE, *HGLOBAL, *HLOCAL, *HINSTANCE, *HMODULE;
typedef const void *PCVOID, *LPCVOID;
typedef HANDLE *PHANDLE, *LPHANDLE;
typedef BYTE *PBYTE, *LPBYTE;
typedef UCHAR *PUCHAR;
typedef SHORT *PSHORT;
typedef USHORT *PUSHORT;
typedef WORD *PWORD, *LPWORD;
typedef INT *PINT, *LPINT;
typedef UINT *PUINT;
typedef BOOL *PBOOL, *LPBOOL;
typedef LONG *PLONG, *LPLONG;
typedef ULONG *PULONG;
typedef DWORD *PDWORD, *LPDWORD;
typedef SIZE_T *PSIZE_T;
typedef ULONGLONG *PULONGLONG;
typedef LONG HRESULT;

#define MAX_PATH 260

#define MAKEWORD(low, high) ((WORD)(((BYTE)(low)) | ((WORD)((BYTE)(high))) << 8))
#define MAKELONG(low, high) ((LONG)(((WORD)(low)) | ((DWORD)((WORD)(high))) << 16))
#define LOWORD(l) ((WORD)((DWORD_PTR)(l) & 0xffff))
#define HIWORD(l) ((WORD)((DWORD_PTR)(l) >> 16))
#define LOBYTE(w) ((BYTE)((DWORD_PTR)(w) & 0xff))
#define HIBYTE(w) ((BYTE)((DWORD_PTR)(w) >> 8 & 0xff))

/* What the contract says of sizes and offsets is checked by the compiler. */
#define LESSEE_ASSERT(name, condition) extern char lessee_assert_##name[(condition) ? 1 : -1]

LESSEE_ASSERT(dword, sizeof(DWORD) == 4 && sizeof(ULONG) == 4 && sizeof(LONG) == 4);
LESSEE_ASSERT(word, sizeof(WORD) == 2 && sizeof(BYTE) == 1 && sizeof(BOOL) == 4);
LESSEE_ASSERT(pointer, sizeof(ULONG_PTR) == sizeof(void *) && sizeof(SIZE_T) == sizeof(size_t));

#endif
