/* The sockets of this system under the names that Windows adds to them. */
#ifndef LESSEE_WINSOCK2_H
#define LESSEE_WINSOCK2_H

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "windows.h"

typedef int SOCKET;
#define INVALID_SOCKET (-1)
#define SOCKET_ERROR (-1)
#define closesocket close

#define WSADESCRIPTION_LEN 256
#define WSASYS_STATUS_LEN 128

typedef struct WSAData {
    WORD wVersion;
    WORD wHighVersion;
    unsigned short iMaxSockets;
    unsigned short iMaxUdpDg;
    char *lpVendorInfo;
    char szDescription[WSADESCRIPTION_LEN + 1];
    char szSystemStatus[WSASYS_STATUS_LEN + 1];
} WSADATA, *LPWSADATA;

/* Sockets need no start here. */
static __inline__ int WINAPI WSAStartup(WORD version, LPWSADATA data)
{
    if (data != NULL) {
        memset(data, 0, sizeof *data);
        data->wVersion = version;
        data->wHighVersion = MAKEWORD(2, 2);
    }
    return 0;
}

static __inline__ int WINAPI WSACleanup(void)
{
    return 0;
}

/* The errno of the last call, not a code of Windows. */
static __inline__ int WINAPI WSAGetLastError(void)
{
    return errno;
}

#endif
