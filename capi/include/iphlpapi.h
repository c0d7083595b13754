/* The IP Helper functions that list adapters and release and renew their
   addresses. They return NO_ERROR or a system error code, whose text
   FormatMessage has; they change neither the last error nor errno, and may be
   called from any thread. Link with -liphlpapi. */
#ifndef LESSEE_IPHLPAPI_H
#define LESSEE_IPHLPAPI_H

#include "windows.h"
#include "ipexport.h"
#include "ipifcons.h"
#include "iptypes.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The adapters enabled for IPv4, without loopback. size is the size of table in
   bytes; where that is too small, or table NULL, the result is
   ERROR_INSUFFICIENT_BUFFER, and *size the size needed. */
IPHLPAPI_DLL_LINKAGE DWORD WINAPI GetInterfaceInfo(PIP_INTERFACE_INFO table, PULONG size);

/* Gives back the address that the adapter has by DHCP. Only adapter->Name counts. */
IPHLPAPI_DLL_LINKAGE DWORD WINAPI IpReleaseAddress(PIP_ADAPTER_INDEX_MAP adapter);

/* Renews that address, or obtains one after a release; returns when it is usable. */
IPHLPAPI_DLL_LINKAGE DWORD WINAPI IpRenewAddress(PIP_ADAPTER_INDEX_MAP adapter);

/* Tells of the adapters, in a list within the *size bytes at info. Where they
   are too few, or info is NULL, the result is ERROR_BUFFER_OVERFLOW, and *size
   the size needed. */
IPHLPAPI_DLL_LINKAGE ULONG WINAPI GetAdaptersInfo(PIP_ADAPTER_INFO info, PULONG size);

/* Tells more of the adapter with that index, in the same way. */
IPHLPAPI_DLL_LINKAGE DWORD WINAPI GetPerAdapterInfo(ULONG index, PIP_PER_ADAPTER_INFO info, PULONG size);

/* The number of interfaces, with loopback. */
IPHLPAPI_DLL_LINKAGE DWORD WINAPI GetNumberOfInterfaces(PDWORD number);

/* The index of the adapter with that name. */
IPHLPAPI_DLL_LINKAGE DWORD WINAPI GetAdapterIndex(LPWSTR name, PULONG index);

#ifdef __cplusplus
}
#endif

#endif
