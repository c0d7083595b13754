/* Releases the DHCP lease of the first network adapter and renews it.

   The program is written for Windows: nothing in it knows of Linux. There it is
   built with

       cl release_renew.c

   and here, in the project's directory, with

       make capi
       gcc -Icapi/include capi/example/release_renew.c -Lbuild -liphlpapi
       LD_LIBRARY_PATH=build ./a.out */

#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif

#include <winsock2.h>
#include <iphlpapi.h>
#include <stdio.h>

#pragma comment(lib, "iphlpapi.lib")

/* Says in the user's language what a code means. */
static void __cdecl report(const char *what, DWORD code)
{
    LPVOID text = NULL;

    if (FormatMessage(FORMAT_MESSAGE_ALLOCATE_BUFFER | FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS,
                      NULL, code, MAKELANGID(LANG_NEUTRAL, SUBLANG_DEFAULT), (LPTSTR)&text, 0, NULL) == 0) {
        printf("%s failed: %ld\n", what, code);
        return;
    }
    printf("%s failed: %ld: %s", what, code, text);
    LocalFree(text);
}

/* Lists the adapters, in memory that the caller frees. */
static DWORD __cdecl list_adapters(PIP_INTERFACE_INFO *table)
{
    ULONG size = 0;
    DWORD code;

    *table = NULL;
    /* The first call tells the size. Adapters may appear before the next one:
       then it tells a new size. */
    while ((code = GetInterfaceInfo(*table, &size)) == ERROR_INSUFFICIENT_BUFFER) {
        HeapFree(GetProcessHeap(), 0, *table);
        *table = (PIP_INTERFACE_INFO)HeapAlloc(GetProcessHeap(), 0, size);
        if (*table == NULL)
            return ERROR_NOT_ENOUGH_MEMORY;
    }
    return code;
}

void __cdecl main()
{
    PIP_INTERFACE_INFO table;
    PIP_ADAPTER_INDEX_MAP first;
    DWORD code = list_adapters(&table);

    if (code == ERROR_NO_DATA) {
        printf("There is no network adapter with IPv4 enabled.\n");
    } else if (code != NO_ERROR) {
        report("GetInterfaceInfo", code);
    } else {
        first = &table->Adapter[0];
        printf("Number of adapters: %ld\n", table->NumAdapters);
        printf("Adapter name: %ws\n", first->Name);
        printf("Adapter index: %ld\n", first->Index);

        if ((code = IpReleaseAddress(first)) == NO_ERROR)
            printf("IP release succeeded.\n");
        else
            report("IP release", code);

        if ((code = IpRenewAddress(first)) == NO_ERROR)
            printf("IP renew succeeded.\n");
        else
            report("IP renew", code);
    }
    HeapFree(GetProcessHeap(), 0, table);
}
