/* Adapters appear between two calls. The program says what it has done and waits
   for a line before it goes on. Run it where there are a0, down, and a1, up. */
#include "check.h"

static void wait_for(const char *what)
{
    char line[10];
    printf("%s\n", what);
    fflush(stdout);
    if (fgets(line, sizeof line, stdin) == NULL)
        exit(3);
}

/* A buffer that is too small must stay as it is. */
static unsigned char untouched[264];

int main(void)
{
    PIP_INTERFACE_INFO table = (PIP_INTERFACE_INFO)malloc(264);
    PIP_ADAPTER_INFO info = (PIP_ADAPTER_INFO)malloc(sizeof(IP_ADAPTER_INFO)), i;
    PIP_PER_ADAPTER_INFO more = (PIP_PER_ADAPTER_INFO)malloc(sizeof(IP_PER_ADAPTER_INFO));
    ULONG size = 0, info_size = 0, index = 0;
    DWORD number = 0;
    IP_ADAPTER_INDEX_MAP a;
    LONG n;

    /* The size is told without a table, and with one that is too small. */
    CHECK_CODE(GetInterfaceInfo(NULL, &size), ERROR_INSUFFICIENT_BUFFER);
    CHECK(size == 264);
    size = 1 << 20;
    CHECK_CODE(GetInterfaceInfo(NULL, &size), ERROR_INSUFFICIENT_BUFFER);
    CHECK(size == 264);
    memset(untouched, '#', sizeof untouched);
    memset(table, '#', 264);
    size = 263;
    CHECK_CODE(GetInterfaceInfo(table, &size), ERROR_INSUFFICIENT_BUFFER);
    CHECK(size == 264 && memcmp(table, untouched, 264) == 0);
    size = 0;
    CHECK_CODE(GetInterfaceInfo(table, &size), ERROR_INSUFFICIENT_BUFFER);
    CHECK(size == 264);

    CHECK_CODE(GetAdaptersInfo(NULL, &info_size), ERROR_BUFFER_OVERFLOW);
    CHECK(info_size == 704);
    memset(info, '#', sizeof *info);
    info_size = 703;
    CHECK_CODE(GetAdaptersInfo(info, &info_size), ERROR_BUFFER_OVERFLOW);
    CHECK(info_size == 704 && memcmp(info, untouched, 264) == 0);

    /* They fit: any bytes may be in the buffer before. */
    CHECK_CODE(GetInterfaceInfo(table, &size), NO_ERROR);
    CHECK(table->NumAdapters == 1 && table->Adapter[0].Name[0] == 'a' && table->Adapter[0].Name[1] == '1' && table->Adapter[0].Name[2] == 0);
    CHECK(table->Adapter[0].Name[MAX_ADAPTER_NAME - 1] == 0);
    memset(info, 0xff, sizeof *info);
    CHECK_CODE(GetAdaptersInfo(info, &info_size), NO_ERROR);
    CHECK(info->Next == NULL && info->Index == table->Adapter[0].Index);
    CHECK_TEXT(info->AdapterName, "a1");
    CHECK_CODE(GetAdapterIndex(table->Adapter[0].Name, &index), NO_ERROR);
    CHECK(index == table->Adapter[0].Index);
    CHECK_CODE(GetNumberOfInterfaces(&number), NO_ERROR);
    CHECK(number == 2 /* with loopback */);
    size = 0;
    CHECK_CODE(GetPerAdapterInfo(index, NULL, &size), ERROR_BUFFER_OVERFLOW);
    CHECK(size == 64);
    size = 63;
    CHECK_CODE(GetPerAdapterInfo(index, more, &size), ERROR_BUFFER_OVERFLOW);
    CHECK(size == 64);
    CHECK_CODE(GetPerAdapterInfo(index, more, &size), NO_ERROR);
    CHECK(more->AutoconfigActive == 0 && more->DnsServerList.Next == NULL);
    size = 264;

    wait_for("sizes");
    /* b0 and b1 have come, both up. */
    CHECK_CODE(GetInterfaceInfo(table, &size), ERROR_INSUFFICIENT_BUFFER);
    CHECK(size == 4 + 3 * 260);
    CHECK_CODE(GetAdaptersInfo(info, &info_size), ERROR_BUFFER_OVERFLOW);
    CHECK(info_size == 3 * 704);
    table = (PIP_INTERFACE_INFO)realloc(table, size);
    info = (PIP_ADAPTER_INFO)realloc(info, info_size);
    CHECK_CODE(GetInterfaceInfo(table, &size), NO_ERROR);
    CHECK_CODE(GetAdaptersInfo(info, &info_size), NO_ERROR);
    CHECK(table->NumAdapters == 3);
    CHECK_CODE(GetNumberOfInterfaces(&number), NO_ERROR);
    CHECK(number == 4);

    /* Both list the same adapters in the same order, that of the indices. */
    for (i = info, n = 0; i != NULL && n < 3; i = i->Next, n++) {
        CHECK((char *)i >= (char *)info && (char *)(i + 1) <= (char *)info + info_size);
        CHECK(i->Index == table->Adapter[n].Index);
        CHECK(n == 0 || table->Adapter[n].Index > table->Adapter[n - 1].Index);
        check_name(&a, i->AdapterName);
        CHECK(lstrcmpW(a.Name, table->Adapter[n].Name) == 0);
        CHECK_CODE(GetAdapterIndex(a.Name, &index), NO_ERROR);
        CHECK(index == i->Index);
        /* What is told is well formed even where nothing is known. */
        CHECK(i->Type == MIB_IF_TYPE_ETHERNET && i->AddressLength == 6);
        CHECK(memchr(i->Description, 0, sizeof i->Description) != NULL);
        CHECK(i->DhcpEnabled == 0 && i->HaveWins == 0 && i->LeaseObtained == 0 && i->LeaseExpires == 0);
        CHECK_TEXT(i->IpAddressList.IpAddress.String, "0.0.0.0");
        CHECK_TEXT(i->IpAddressList.IpMask.String, "0.0.0.0");
        CHECK_TEXT(i->GatewayList.IpAddress.String, "0.0.0.0");
        CHECK_TEXT(i->DhcpServer.IpAddress.String, "0.0.0.0");
    }
    CHECK(i == NULL && n == 3);
    size = 1 << 20; /* more room than needed is told, not needed */
    CHECK_CODE(GetInterfaceInfo(table, &(ULONG){4 + 3 * 260}), NO_ERROR);

    wait_for("three");
    /* All are down. */
    CHECK_CODE(GetInterfaceInfo(table, &size), ERROR_NO_DATA);
    CHECK_CODE(GetAdaptersInfo(info, &info_size), ERROR_NO_DATA);
    CHECK_CODE(GetNumberOfInterfaces(&number), NO_ERROR);
    CHECK(number == 1);
    free(table);
    free(info);
    free(more);
    return check_end();
}
