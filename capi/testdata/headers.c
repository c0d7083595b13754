/* Uses all that the headers have; compiled with every standard, warning and
   compiler, as C and as C++. */
#include HEADER_FIRST
#include <iphlpapi.h>
#include <stdio.h>
#include <winsock2.h>
#include <windows.h>
#include <windef.h>
#include <basetsd.h>
#include <time.h>

int use(int argc, char **argv);

#if defined(UNICODE) && (__SIZEOF_WCHAR_T__ == 2 || (defined(__cplusplus) ? __cplusplus >= 201103L : defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L))
static const TCHAR greeting[] = TEXT("wide");
#elif !defined(UNICODE)
static const TCHAR greeting[] = TEXT("narrow");
#else
static const TCHAR greeting[] = {'o', 'l', 'd', 0};
#endif

LESSEE_ASSERT(greeting, sizeof(greeting) / sizeof(TCHAR) >= 4);

int WINAPI use(int argc, char **argv)
{
    WSADATA data;
    ULONG size = 0;
    DWORD number = 0;
    LPVOID text = NULL;
    time_t times[2];
    char line[64];
    SOCKET s = INVALID_SOCKET;
    PIP_INTERFACE_INFO table = (PIP_INTERFACE_INFO)HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof(IP_INTERFACE_INFO));
    PIP_ADAPTER_INFO info = (PIP_ADAPTER_INFO)LocalAlloc(LPTR, sizeof(IP_ADAPTER_INFO));
    IP_PER_ADAPTER_INFO more;
    LPTSTR mine = (LPTSTR)HeapAlloc(GetProcessHeap(), 0, sizeof greeting);

    UNREFERENCED_PARAMETER(argv);
    if (argc > 1000 || table == NULL || info == NULL || mine == NULL || WSAStartup(MAKEWORD(2, 2), &data) != 0)
        return 1;
    ZeroMemory(&more, sizeof more);
    CopyMemory(line, "x", 2);
    if (GetInterfaceInfo(table, &size) != NO_ERROR || IpReleaseAddress(&table->Adapter[0]) != NO_ERROR ||
        IpRenewAddress(table->Adapter) != NO_ERROR || GetAdaptersInfo(info, &size) != ERROR_SUCCESS ||
        GetPerAdapterInfo(info->Index, &more, &size) != NO_ERROR || GetNumberOfInterfaces(&number) != NO_ERROR ||
        GetAdapterIndex(table->Adapter[0].Name, &size) != NO_ERROR)
        SetLastError(GetLastError());
    if (FormatMessage(FORMAT_MESSAGE_ALLOCATE_BUFFER | FORMAT_MESSAGE_FROM_SYSTEM, NULL, ERROR_NO_DATA,
                      MAKELANGID(LANG_NEUTRAL, SUBLANG_DEFAULT), (LPTSTR)&text, 0, NULL) != 0)
        printf("%s %ws %ld %lu\n", (char *)text, table->Adapter[0].Name, table->NumAdapters, (DWORD)size);
    sprintf(line, "%ld", (LONG)argc);
    fprintf(stderr, "%s %d %d\n", line, s, lstrlen(greeting) + lstrcmp(greeting, lstrcpy(mine, greeting)));
    times[0] = info->LeaseObtained;
    times[1] = info->LeaseExpires;
    text = LocalFree(text);
    info = (PIP_ADAPTER_INFO)HeapReAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, info, 2 * sizeof(IP_ADAPTER_INFO));
    HeapFree(GetProcessHeap(), 0, table);
    HeapFree(GetProcessHeap(), 0, info);
    HeapFree(GetProcessHeap(), 0, mine);
    WSACleanup();
    return WSAGetLastError() != 0 || times[0] > times[1] || SUCCEEDED(HRESULT_FROM_WIN32(ERROR_NO_DATA)) ||
           LOWORD(MAKELONG(1, 2)) != 1 || HIWORD(MAKELONG(1, 2)) != 2 || PRIMARYLANGID(0x40c) != LANG_FRENCH ||
           SUBLANGID(0x40c) != SUBLANG_FRENCH || LANG_USER_DEFAULT != 0x400;
}
