// The IP Helper functions: C outside, Go inside.
#define _GNU_SOURCE
#include "internal.h"

#include "include/iphlpapi.h"
#include "include/winbase.h"

#include "_cgo_export.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// A child of fork has one thread, and the Go runtime needs those of its parent:
// a call would wait for them for ever. It says so instead.
static volatile int forked;

static void in_child(void) { forked = 1; }

__attribute__((constructor)) static void watch_forks(void) { pthread_atfork(NULL, NULL, in_child); }

int is_forked(void) { return forked; }

const char *environment(const char *name)
{
    return strncmp(name, "LESSEE_", 7) == 0 ? secure_getenv(name) : getenv(name);
}

static __thread DWORD last_error;

DWORD WINAPI GetLastError(void) { return last_error; }

VOID WINAPI SetLastError(DWORD code) { last_error = code; }

HLOCAL WINAPI LocalFree(HLOCAL memory)
{
    free(memory);
    return NULL;
}

// call runs a function of Go, and leaves errno as it was.
#define CALL(code_in_child, call)      \
    do {                               \
        int saved = errno;             \
        DWORD code;                    \
        if (forked)                    \
            return (code_in_child);    \
        code = (call);                 \
        errno = saved;                 \
        return code;                   \
    } while (0)

DWORD WINAPI GetInterfaceInfo(PIP_INTERFACE_INFO table, PULONG size)
{
    CALL(ERROR_NOT_SUPPORTED, goGetInterfaceInfo(table, size));
}

DWORD WINAPI IpReleaseAddress(PIP_ADAPTER_INDEX_MAP adapter)
{
    CALL(ERROR_PROC_NOT_FOUND, goIpReleaseAddress(adapter));
}

DWORD WINAPI IpRenewAddress(PIP_ADAPTER_INDEX_MAP adapter)
{
    CALL(ERROR_PROC_NOT_FOUND, goIpRenewAddress(adapter));
}

ULONG WINAPI GetAdaptersInfo(PIP_ADAPTER_INFO info, PULONG size)
{
    CALL(ERROR_NOT_SUPPORTED, goGetAdaptersInfo(info, size));
}

DWORD WINAPI GetPerAdapterInfo(ULONG index, PIP_PER_ADAPTER_INFO info, PULONG size)
{
    CALL(ERROR_NOT_SUPPORTED, goGetPerAdapterInfo(index, info, size));
}

DWORD WINAPI GetNumberOfInterfaces(PDWORD number)
{
    CALL(ERROR_NOT_SUPPORTED, goGetNumberOfInterfaces(number));
}

DWORD WINAPI GetAdapterIndex(LPWSTR name, PULONG index)
{
    CALL(ERROR_NOT_SUPPORTED, goGetAdapterIndex(name, index));
}
