/* The structures that say which adapter is meant. */
#ifndef LESSEE_IPEXPORT_H
#define LESSEE_IPEXPORT_H

#include "winnt.h"

#define MAX_ADAPTER_NAME 128

typedef ULONG IPAddr, IPMask, IP_STATUS;

/* Name says which adapter is meant; Index may change when an adapter is
   disabled and enabled again, and is not looked at. */
typedef struct _IP_ADAPTER_INDEX_MAP {
    ULONG Index;
    WCHAR Name[MAX_ADAPTER_NAME];
} IP_ADAPTER_INDEX_MAP, *PIP_ADAPTER_INDEX_MAP;

/* NumAdapters entries, with room for one if there is none. */
typedef struct _IP_INTERFACE_INFO {
    LONG NumAdapters;
    IP_ADAPTER_INDEX_MAP Adapter[1];
} IP_INTERFACE_INFO, *PIP_INTERFACE_INFO;

LESSEE_ASSERT(index_map, sizeof(IP_ADAPTER_INDEX_MAP) == 260);
LESSEE_ASSERT(index_map_name, offsetof(IP_ADAPTER_INDEX_MAP, Name) == 4);
LESSEE_ASSERT(interface_info, sizeof(IP_INTERFACE_INFO) == 264);
LESSEE_ASSERT(interface_info_adapter, offsetof(IP_INTERFACE_INFO, Adapter) == 4);

#endif
