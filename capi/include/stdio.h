/* The C library's stdio.h, with printf and its family as Windows programs expect
   them: l means 32 bits, as in %ld, and %ws, %ls and %S are UTF-16. All else is
   left to the C library. With LESSEE_LIBC_PRINTF defined nothing changes. */
#pragma GCC system_header
#include_next <stdio.h>

#ifndef LESSEE_STDIO_H
#define LESSEE_STDIO_H

#ifndef LESSEE_LIBC_PRINTF
#include <stdarg.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

int lessee_printf(const char *format, ...);
int lessee_fprintf(FILE *stream, const char *format, ...);
int lessee_sprintf(char *buffer, const char *format, ...);
int lessee_snprintf(char *buffer, size_t size, const char *format, ...);
int lessee_dprintf(int fd, const char *format, ...);
int lessee_asprintf(char **result, const char *format, ...);
int lessee_vprintf(const char *format, va_list arguments);
int lessee_vfprintf(FILE *stream, const char *format, va_list arguments);
int lessee_vsprintf(char *buffer, const char *format, va_list arguments);
int lessee_vsnprintf(char *buffer, size_t size, const char *format, va_list arguments);
int lessee_vdprintf(int fd, const char *format, va_list arguments);
int lessee_vasprintf(char **result, const char *format, va_list arguments);

#ifdef __cplusplus
}
#endif

#endif
#endif

#ifndef LESSEE_LIBC_PRINTF

/* Each time: <cstdio> takes these names away. */
#undef printf
#undef fprintf
#undef sprintf
#undef vprintf
#undef vfprintf
#undef vsprintf
#define printf lessee_printf
#define fprintf lessee_fprintf
#define sprintf lessee_sprintf
#define vprintf lessee_vprintf
#define vfprintf lessee_vfprintf
#define vsprintf lessee_vsprintf

/* These are the program's own names where the C library does not have them. */
#if defined(__USE_ISOC99) || defined(__USE_UNIX98) || (defined(__STDC_VERSION__) && __STDC_VERSION__ >= 199901L) || defined(__cplusplus)
#undef snprintf
#undef vsnprintf
#define snprintf lessee_snprintf
#define vsnprintf lessee_vsnprintf
#endif
#ifdef __USE_XOPEN2K8
#undef dprintf
#undef vdprintf
#define dprintf lessee_dprintf
#define vdprintf lessee_vdprintf
#endif
#ifdef __USE_GNU
#undef asprintf
#undef vasprintf
#define asprintf lessee_asprintf
#define vasprintf lessee_vasprintf
#endif

#endif
