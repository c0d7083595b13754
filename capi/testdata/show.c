/* Prints what is told of the adapter that the argument names, a fact a line. */
#include "check.h"

static void list(const char *what, PIP_ADDR_STRING s)
{
    for (; s != NULL; s = s->Next)
        printf("%s %s %s\n", what, s->IpAddress.String, s->IpMask.String);
}

int main(int argc, char **argv)
{
    PIP_ADAPTER_INFO info = NULL, i;
    PIP_PER_ADAPTER_INFO more = NULL;
    ULONG size = 0;
    DWORD code;
    UINT n;

    while ((code = GetAdaptersInfo(info, &size)) == ERROR_BUFFER_OVERFLOW)
        info = (PIP_ADAPTER_INFO)realloc(info, size);
    CHECK_CODE(code, NO_ERROR);
    if (argc != 2 || code != NO_ERROR)
        return 2;
    for (i = info; i != NULL; i = i->Next) {
        if (strcmp(i->AdapterName, argv[1]) != 0)
            continue;
        printf("index %lu type %u\nhardware ", i->Index, i->Type);
        for (n = 0; n < i->AddressLength; n++)
            printf(n > 0 ? "-%.2X" : "%.2X", i->Address[n]);
        printf("\ndhcp %u\n", i->DhcpEnabled);
        list("address", &i->IpAddressList);
        list("gateway", &i->GatewayList);
        list("server", &i->DhcpServer);
        printf("wins %d\n", i->HaveWins);
        list("primary", &i->PrimaryWinsServer);
        list("secondary", &i->SecondaryWinsServer);
        printf("obtained %I64d\nexpires %I64d\n", (LONGLONG)i->LeaseObtained, (LONGLONG)i->LeaseExpires);
        size = 0;
        while ((code = GetPerAdapterInfo(i->Index, more, &size)) == ERROR_BUFFER_OVERFLOW)
            more = (PIP_PER_ADAPTER_INFO)realloc(more, size);
        CHECK_CODE(code, NO_ERROR);
        if (code == NO_ERROR)
            list("dns", &more->DnsServerList);
    }
    free(info);
    free(more);
    return check_failures != 0;
}
