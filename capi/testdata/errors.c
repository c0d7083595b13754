/* Every documented way to get an error that needs no network: run it where
   there is no adapter and no service. */
#include "check.h"

#include <errno.h>

static void interface_info(void)
{
    IP_INTERFACE_INFO table;
    ULONG size = 4711;

    CHECK_CODE(GetInterfaceInfo(NULL, NULL), ERROR_INVALID_PARAMETER);
    CHECK_CODE(GetInterfaceInfo(&table, NULL), ERROR_INVALID_PARAMETER);
    CHECK_CODE(GetInterfaceInfo(NULL, &size), ERROR_NO_DATA);
    CHECK_CODE(GetInterfaceInfo(&table, &size), ERROR_NO_DATA);
    size = 0;
    CHECK_CODE(GetInterfaceInfo(&table, &size), ERROR_NO_DATA);
}

static void adapters_info(void)
{
    IP_ADAPTER_INFO info;
    IP_PER_ADAPTER_INFO more;
    ULONG size = sizeof info, index = 0;
    DWORD number = 0;
    WCHAR name[200];
    int i;

    CHECK_CODE(GetAdaptersInfo(NULL, NULL), ERROR_INVALID_PARAMETER);
    CHECK_CODE(GetAdaptersInfo(&info, NULL), ERROR_INVALID_PARAMETER);
    CHECK_CODE(GetAdaptersInfo(NULL, &size), ERROR_NO_DATA);
    CHECK_CODE(GetAdaptersInfo(&info, &size), ERROR_NO_DATA);

    CHECK_CODE(GetPerAdapterInfo(1, NULL, NULL), ERROR_INVALID_PARAMETER);
    CHECK_CODE(GetPerAdapterInfo(1, &more, NULL), ERROR_INVALID_PARAMETER);
    size = sizeof more;
    CHECK_CODE(GetPerAdapterInfo(4711, &more, &size), ERROR_NO_DATA);

    CHECK_CODE(GetNumberOfInterfaces(NULL), ERROR_INVALID_PARAMETER);
    CHECK_CODE(GetNumberOfInterfaces(&number), NO_ERROR);
    CHECK(number == 1); /* loopback */

    memset(name, 0, sizeof name);
    CHECK_CODE(GetAdapterIndex(NULL, NULL), ERROR_INVALID_PARAMETER);
    CHECK_CODE(GetAdapterIndex(NULL, &index), ERROR_INVALID_PARAMETER);
    CHECK_CODE(GetAdapterIndex(name, &index), ERROR_INVALID_PARAMETER);
    name[0] = 'x';
    CHECK_CODE(GetAdapterIndex(name, NULL), ERROR_INVALID_PARAMETER);
    CHECK_CODE(GetAdapterIndex(name, &index), ERROR_FILE_NOT_FOUND);
    name[0] = 0xd834;
    CHECK_CODE(GetAdapterIndex(name, &index), ERROR_INVALID_PARAMETER);
    for (i = 0; i < 199; i++)
        name[i] = 'x';
    CHECK_CODE(GetAdapterIndex(name, &index), ERROR_INVALID_PARAMETER);
    CHECK(index == 0);
}

typedef DWORD(WINAPI *operation)(PIP_ADAPTER_INDEX_MAP);

static void release_or_renew(operation call)
{
    /* Behind it there is no NUL either; the sanitizer says if one is looked for. */
    PIP_ADAPTER_INDEX_MAP a = (PIP_ADAPTER_INDEX_MAP)HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof *a);
    int i;

    CHECK(a != NULL);
    CHECK_CODE(call(NULL), ERROR_INVALID_PARAMETER);
    a->Index = 1;
    CHECK_CODE(call(a), ERROR_INVALID_PARAMETER); /* the right index, no name */
    for (i = 0; i < MAX_ADAPTER_NAME; i++)
        a->Name[i] = 'x';
    CHECK_CODE(call(a), ERROR_INVALID_PARAMETER); /* no terminator */
    a->Name[MAX_ADAPTER_NAME - 1] = 0;
    CHECK_CODE(call(a), ERROR_PROC_NOT_FOUND); /* long, but valid; nobody there to ask */

    check_name(a, "ab");
    a->Name[1] = 0xd834;
    CHECK_CODE(call(a), ERROR_INVALID_PARAMETER); /* a high surrogate alone */
    a->Name[1] = 0xdd1e;
    CHECK_CODE(call(a), ERROR_INVALID_PARAMETER); /* a low surrogate alone */
    a->Name[0] = 0xdd1e;
    a->Name[1] = 0xd834;
    CHECK_CODE(call(a), ERROR_INVALID_PARAMETER); /* the wrong way round */
    a->Name[0] = 0xd834;
    a->Name[1] = 0xdd1e;
    CHECK_CODE(call(a), ERROR_PROC_NOT_FOUND); /* a pair */

    check_name(a, "eth0");
    CHECK_CODE(call(a), ERROR_PROC_NOT_FOUND);
    HeapFree(GetProcessHeap(), 0, a);
}

static void nothing_else_changes(void)
{
    IP_ADAPTER_INDEX_MAP a;
    ULONG size = 0;

    check_name(&a, "eth0");
    SetLastError(4711);
    errno = EXDEV;
    GetInterfaceInfo(NULL, &size);
    IpReleaseAddress(&a);
    IpRenewAddress(&a);
    GetAdaptersInfo(NULL, &size);
    CHECK(errno == EXDEV);
    CHECK(GetLastError() == 4711);
}

int main(void)
{
    interface_info();
    adapters_info();
    release_or_renew(IpReleaseAddress);
    release_or_renew(IpRenewAddress);
    nothing_else_changes();
    return check_end();
}
