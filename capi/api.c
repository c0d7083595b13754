// The IP Helper functions: C outside, Go inside.
#define _GNU_SOURCE
#include "internal.h"

#include "include/iphlpapi.h"
#include "include/winbase.h"

#include "_cgo_export.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

// A child of fork has one thread, and the Go runtime needs those of its parent:
// a call would wait for them for ever. It says so instead.
static volatile int forked;

static void in_child(void) { forked = 1; }

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

// Go code runs on stacks that are too small for a signal handler of the program,
// and a signal that it has to wait for must not wait for it. So no signal of the
// program reaches a thread of Go's: those that the runtime starts when the
// library is loaded inherit what is blocked then, and a call is carried out on a
// thread of its own, made here, which sees the network that the caller sees,
// while the caller waits in C with its signals as they were.
static void block_signals(sigset_t *before)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT};
    sigset_t all;

    sigfillset(&all);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        sigdelset(&all, faults[i]);
    sigdelset(&all, SIGURG); // by which the runtime interrupts its threads
    pthread_sigmask(SIG_BLOCK, &all, before);
}

static sigset_t before_load;

// The one runs before the runtime's own start, the other behind it.
__attribute__((constructor(101))) static void begin_load(void) { block_signals(&before_load); }

__attribute__((constructor)) static void end_load(void)
{
    pthread_sigmask(SIG_SETMASK, &before_load, NULL);
    pthread_atfork(NULL, NULL, in_child);
}

enum function { get_interface_info, ip_release_address, ip_renew_address, get_adapters_info, get_per_adapter_info, get_number_of_interfaces, get_adapter_index };

struct call {
    enum function function;
    ULONG index;
    void *first;
    ULONG *second;
    DWORD code;
};

static void *carry_out(void *argument)
{
    struct call *c = argument;

    switch (c->function) {
    case get_interface_info: c->code = goGetInterfaceInfo(c->first, c->second); break;
    case ip_release_address: c->code = goIpReleaseAddress(c->first); break;
    case ip_renew_address: c->code = goIpRenewAddress(c->first); break;
    case get_adapters_info: c->code = goGetAdaptersInfo(c->first, c->second); break;
    case get_per_adapter_info: c->code = goGetPerAdapterInfo(c->index, c->first, c->second); break;
    case get_number_of_interfaces: c->code = goGetNumberOfInterfaces(c->second); break;
    case get_adapter_index: c->code = goGetAdapterIndex(c->first, c->second); break;
    }
    return NULL;
}

static DWORD carry_out_elsewhere(struct call c, DWORD code_in_child)
{
    int saved = errno, cancel;
    sigset_t before;
    pthread_t thread;

    if (forked)
        return code_in_child;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    block_signals(&before);
    if (pthread_create(&thread, NULL, carry_out, &c) == 0) {
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        pthread_join(thread, NULL);
    } else { // no more threads: then the signals have to wait
        carry_out(&c);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    pthread_setcancelstate(cancel, NULL);
    errno = saved;
    return c.code;
}

uint32_t message(uint32_t code, uint16_t langid, char **text)
{
    sigset_t before;
    uint32_t failure;

    block_signals(&before);
    failure = goMessage(code, langid, text);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failure;
}

DWORD WINAPI GetInterfaceInfo(PIP_INTERFACE_INFO table, PULONG size)
{
    return carry_out_elsewhere((struct call){get_interface_info, 0, table, size, 0}, ERROR_NOT_SUPPORTED);
}

DWORD WINAPI IpReleaseAddress(PIP_ADAPTER_INDEX_MAP adapter)
{
    return carry_out_elsewhere((struct call){ip_release_address, 0, adapter, NULL, 0}, ERROR_PROC_NOT_FOUND);
}

DWORD WINAPI IpRenewAddress(PIP_ADAPTER_INDEX_MAP adapter)
{
    return carry_out_elsewhere((struct call){ip_renew_address, 0, adapter, NULL, 0}, ERROR_PROC_NOT_FOUND);
}

ULONG WINAPI GetAdaptersInfo(PIP_ADAPTER_INFO info, PULONG size)
{
    return carry_out_elsewhere((struct call){get_adapters_info, 0, info, size, 0}, ERROR_NOT_SUPPORTED);
}

DWORD WINAPI GetPerAdapterInfo(ULONG index, PIP_PER_ADAPTER_INFO info, PULONG size)
{
    return carry_out_elsewhere((struct call){get_per_adapter_info, index, info, size, 0}, ERROR_NOT_SUPPORTED);
}

DWORD WINAPI GetNumberOfInterfaces(PDWORD number)
{
    return carry_out_elsewhere((struct call){get_number_of_interfaces, 0, NULL, number, 0}, ERROR_NOT_SUPPORTED);
}

DWORD WINAPI GetAdapterIndex(LPWSTR name, PULONG index)
{
    return carry_out_elsewhere((struct call){get_adapter_index, 0, name, index, 0}, ERROR_NOT_SUPPORTED);
}
