// C++: the printf of <cstdio>, and the library above it that uses it.
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include <cstdio>
#include <iphlpapi.h>

int main()
{
    const WCHAR name[] = u"eth0";
    char b[50];
    int failures = 0;

    std::snprintf(b, sizeof b, "%ws %ld", name, static_cast<LONG>(-1));
    failures += std::string(b) != "eth0 -1";
    std::sprintf(b, "%ls", name);
    failures += std::string(b) != "eth0";
    failures += std::to_string(1.5) != "1.500000";

    ULONG size = 0;
    failures += GetInterfaceInfo(nullptr, &size) != ERROR_NO_DATA;
    failures += IpRenewAddress(nullptr) != ERROR_INVALID_PARAMETER;

    LPWSTR text = nullptr;
    DWORD n = FormatMessageW(FORMAT_MESSAGE_ALLOCATE_BUFFER | FORMAT_MESSAGE_FROM_SYSTEM, nullptr, ERROR_NO_DATA,
                             MAKELANGID(LANG_ENGLISH, SUBLANG_DEFAULT), reinterpret_cast<LPWSTR>(&text), 0, nullptr);
    failures += std::u16string(text).size() != n || n == 0;
    LocalFree(text);

    std::vector<char> buffer(sizeof(IP_INTERFACE_INFO));
    failures += GetInterfaceInfo(reinterpret_cast<PIP_INTERFACE_INFO>(buffer.data()), &size) != ERROR_NO_DATA;
    if (failures == 0)
        std::printf("all is so\n");
    std::cout << std::flush;
    return failures != 0;
}
