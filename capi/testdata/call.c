/* Releases and renews the adapter that the first argument names, as the letters
   of the second say: r releases, n renews. Prints each code and the time that
   the call took in microseconds. With a third argument that many threads make
   each call at once. */
#include "check.h"

#include <pthread.h>
#include <time.h>

static IP_ADAPTER_INDEX_MAP adapter;
static DWORD(WINAPI *call)(PIP_ADAPTER_INDEX_MAP);

static void *once(void *result)
{
    *(DWORD *)result = call(&adapter);
    return NULL;
}

static ULONGLONG now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (ULONGLONG)t.tv_sec * 1000000 + (ULONGLONG)t.tv_nsec / 1000;
}

int main(int argc, char **argv)
{
    int threads = argc > 3 ? atoi(argv[3]) : 1, i;
    pthread_t t[64];
    DWORD codes[64];
    const char *p;

    if (argc < 3 || threads < 1 || threads > 64)
        return 2;
    check_name(&adapter, argv[1]);
    adapter.Index = 4711; /* only the name counts */
    for (p = argv[2]; *p != 0; p++) {
        ULONGLONG began = now();
        call = *p == 'r' ? IpReleaseAddress : IpRenewAddress;
        for (i = 0; i < threads; i++)
            if (pthread_create(&t[i], NULL, once, &codes[i]) != 0)
                return 3;
        for (i = 0; i < threads; i++)
            pthread_join(t[i], NULL);
        for (i = 0; i < threads; i++)
            printf("%c %lu %I64u\n", *p, codes[i], now() - began);
    }
    return 0;
}
