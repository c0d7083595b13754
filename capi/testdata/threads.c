/* Calls from eight threads at once, each with a last error and an errno of its
   own. Run it where there is an adapter and no service. */
#include "check.h"

#include <errno.h>
#include <pthread.h>

enum { threads = 8, rounds = 25 };

static pthread_barrier_t start;

static void *work(void *number)
{
    DWORD mine = 1000 + (DWORD)(ULONG_PTR)number;
    char want[500], got[500];
    PIP_INTERFACE_INFO table = NULL;
    PIP_ADAPTER_INFO info = NULL;
    IP_ADAPTER_INDEX_MAP a;
    ULONG size;
    DWORD code, n = 0;
    int i;

    FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM, NULL, ERROR_NO_DATA, MAKELANGID(LANG_ENGLISH, 1), want, sizeof want, NULL);
    SetLastError(mine);
    pthread_barrier_wait(&start);
    for (i = 0; i < rounds; i++) {
        errno = (int)mine;
        size = 0;
        CHECK_CODE(GetInterfaceInfo(NULL, &size), ERROR_INSUFFICIENT_BUFFER);
        table = (PIP_INTERFACE_INFO)HeapAlloc(GetProcessHeap(), 0, size);
        CHECK_CODE(code = GetInterfaceInfo(table, &size), NO_ERROR);
        CHECK(code == NO_ERROR && table->NumAdapters == 1 && size == 264);
        size = 0;
        CHECK_CODE(GetAdaptersInfo(NULL, &size), ERROR_BUFFER_OVERFLOW);
        info = (PIP_ADAPTER_INFO)HeapAlloc(GetProcessHeap(), 0, size);
        CHECK_CODE(code = GetAdaptersInfo(info, &size), NO_ERROR);
        CHECK(code == NO_ERROR && info->Index == table->Adapter[0].Index && info->Next == NULL);
        check_name(&a, info->AdapterName);
        CHECK_CODE(i % 2 ? IpRenewAddress(&a) : IpReleaseAddress(&a), ERROR_PROC_NOT_FOUND);
        CHECK_CODE(GetNumberOfInterfaces(&n), NO_ERROR);
        CHECK(n == 2); /* loopback, and what is up */
        CHECK(FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM, NULL, ERROR_NO_DATA, MAKELANGID(LANG_ENGLISH, 1), got, sizeof got, NULL) > 0);
        CHECK_TEXT(got, want);
        CHECK(errno == (int)mine);
        CHECK_CODE(GetLastError(), mine);
        HeapFree(GetProcessHeap(), 0, table);
        HeapFree(GetProcessHeap(), 0, info);
    }
    return NULL;
}

int main(void)
{
    pthread_t t[threads];
    int i;

    CHECK(pthread_barrier_init(&start, NULL, threads) == 0);
    for (i = 0; i < threads; i++)
        CHECK(pthread_create(&t[i], NULL, work, (void *)(ULONG_PTR)i) == 0);
    for (i = 0; i < threads; i++)
        pthread_join(t[i], NULL);
    return check_end();
}
