// Package iphlpapi is the contract "list, release, renew" in Go, in the form it
// has in the Windows IP Helper API: [GetInterfaceInfo] lists the adapters
// enabled for IPv4, [GetAdaptersInfo] tells what they have, [IpReleaseAddress]
// gives back the address that one of them has by DHCP, [IpRenewAddress] renews
// it. All errors are of type [Errno] and have the same values on every system.
//
// On Linux the kernel tells of the adapters in the network namespace of the
// calling thread, and the lessee daemon of leases, which it releases and renews;
// the environment variable LESSEE_SOCKET names its socket. On Windows the calls
// are the system's own. On other systems they return ERROR_NOT_SUPPORTED.
//
// Programs written for Go rather than for this contract may prefer package
// lessee, whose calls take a context and whose errors explain themselves.
package iphlpapi
