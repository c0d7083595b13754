/* The structures that tell of adapters. */
#ifndef LESSEE_IPTYPES_H
#define LESSEE_IPTYPES_H

#include <time.h>

#include "ipexport.h"

#define MAX_ADAPTER_DESCRIPTION_LENGTH 128
#define MAX_ADAPTER_NAME_LENGTH 256
#define MAX_ADAPTER_ADDRESS_LENGTH 8
#define DEFAULT_MINIMUM_ENTITIES 32

/* Dotted decimal. */
typedef struct {
    char String[4 * 4];
} IP_ADDRESS_STRING, *PIP_ADDRESS_STRING, IP_MASK_STRING, *PIP_MASK_STRING;

typedef struct _IP_ADDR_STRING {
    struct _IP_ADDR_STRING *Next;
    IP_ADDRESS_STRING IpAddress;
    IP_MASK_STRING IpMask;
    DWORD Context;
} IP_ADDR_STRING, *PIP_ADDR_STRING;

typedef struct _IP_ADAPTER_INFO {
    struct _IP_ADAPTER_INFO *Next;
    DWORD ComboIndex;
    char AdapterName[MAX_ADAPTER_NAME_LENGTH + 4];
    char Description[MAX_ADAPTER_DESCRIPTION_LENGTH + 4];
    UINT AddressLength;
    BYTE Address[MAX_ADAPTER_ADDRESS_LENGTH];
    DWORD Index;
    UINT Type;
    UINT DhcpEnabled;
    PIP_ADDR_STRING CurrentIpAddress;
    IP_ADDR_STRING IpAddressList;
    IP_ADDR_STRING GatewayList;
    IP_ADDR_STRING DhcpServer;
    BOOL HaveWins;
    IP_ADDR_STRING PrimaryWinsServer;
    IP_ADDR_STRING SecondaryWinsServer;
    time_t LeaseObtained;
    time_t LeaseExpires;
} IP_ADAPTER_INFO, *PIP_ADAPTER_INFO;

typedef struct _IP_PER_ADAPTER_INFO {
    UINT AutoconfigEnabled;
    UINT AutoconfigActive;
    PIP_ADDR_STRING CurrentDnsServer;
    IP_ADDR_STRING DnsServerList;
} IP_PER_ADAPTER_INFO, *PIP_PER_ADAPTER_INFO;

#if __SIZEOF_POINTER__ == 8 && __SIZEOF_LONG__ == 8
LESSEE_ASSERT(addr_string, sizeof(IP_ADDR_STRING) == 48);
LESSEE_ASSERT(addr_string_address, offsetof(IP_ADDR_STRING, IpAddress) == 8);
LESSEE_ASSERT(addr_string_mask, offsetof(IP_ADDR_STRING, IpMask) == 24);
LESSEE_ASSERT(addr_string_context, offsetof(IP_ADDR_STRING, Context) == 40);

LESSEE_ASSERT(adapter_info, sizeof(IP_ADAPTER_INFO) == 704);
LESSEE_ASSERT(adapter_info_combo, offsetof(IP_ADAPTER_INFO, ComboIndex) == 8);
LESSEE_ASSERT(adapter_info_name, offsetof(IP_ADAPTER_INFO, AdapterName) == 12);
LESSEE_ASSERT(adapter_info_description, offsetof(IP_ADAPTER_INFO, Description) == 272);
LESSEE_ASSERT(adapter_info_address_length, offsetof(IP_ADAPTER_INFO, AddressLength) == 404);
LESSEE_ASSERT(adapter_info_address, offsetof(IP_ADAPTER_INFO, Address) == 408);
LESSEE_ASSERT(adapter_info_index, offsetof(IP_ADAPTER_INFO, Index) == 416);
LESSEE_ASSERT(adapter_info_type, offsetof(IP_ADAPTER_INFO, Type) == 420);
LESSEE_ASSERT(adapter_info_dhcp, offsetof(IP_ADAPTER_INFO, DhcpEnabled) == 424);
LESSEE_ASSERT(adapter_info_current, offsetof(IP_ADAPTER_INFO, CurrentIpAddress) == 432);
LESSEE_ASSERT(adapter_info_addresses, offsetof(IP_ADAPTER_INFO, IpAddressList) == 440);
LESSEE_ASSERT(adapter_info_gateways, offsetof(IP_ADAPTER_INFO, GatewayList) == 488);
LESSEE_ASSERT(adapter_info_server, offsetof(IP_ADAPTER_INFO, DhcpServer) == 536);
LESSEE_ASSERT(adapter_info_wins, offsetof(IP_ADAPTER_INFO, HaveWins) == 584);
LESSEE_ASSERT(adapter_info_wins1, offsetof(IP_ADAPTER_INFO, PrimaryWinsServer) == 592);
LESSEE_ASSERT(adapter_info_wins2, offsetof(IP_ADAPTER_INFO, SecondaryWinsServer) == 640);
LESSEE_ASSERT(adapter_info_obtained, offsetof(IP_ADAPTER_INFO, LeaseObtained) == 688);
LESSEE_ASSERT(adapter_info_expires, offsetof(IP_ADAPTER_INFO, LeaseExpires) == 696);

LESSEE_ASSERT(per_adapter_info, sizeof(IP_PER_ADAPTER_INFO) == 64);
LESSEE_ASSERT(per_adapter_info_active, offsetof(IP_PER_ADAPTER_INFO, AutoconfigActive) == 4);
LESSEE_ASSERT(per_adapter_info_current, offsetof(IP_PER_ADAPTER_INFO, CurrentDnsServer) == 8);
LESSEE_ASSERT(per_adapter_info_dns, offsetof(IP_PER_ADAPTER_INFO, DnsServerList) == 16);
#endif

#endif
