package iphlpapi

// GetInterfaceInfo lists the adapters enabled for IPv4, without loopback, in
// the order of their indices. On Linux these are the ones that are
// administratively up. *size is the size of the memory at table in bytes. The
// usual use is two calls: ask for the size with a nil table, allocate, ask
// again. [Interfaces] does both.
//
// It returns nil, the contract's NO_ERROR, or
//   - ERROR_INVALID_PARAMETER if size is nil;
//   - ERROR_NO_DATA if no adapter is enabled for IPv4;
//   - ERROR_INSUFFICIENT_BUFFER if table is nil or *size too small: *size is then
//     the size needed, which may be more than at an earlier call;
//   - ERROR_NOT_SUPPORTED on this system;
//   - ERROR_GEN_FAILURE if the kernel does not tell.
func GetInterfaceInfo(table *IpInterfaceInfo, size *uint32) error {
	if size == nil {
		return ERROR_INVALID_PARAMETER
	}
	return interfaceInfo(table, size)
}

// IpReleaseAddress gives back the IPv4 address that the adapter has by DHCP. It
// returns when the DHCPRELEASE has left the adapter and the address is gone, at
// the latest after 20 s. The adapter stays without an address until somebody
// renews it.
//
// It returns nil, the contract's NO_ERROR, or an [Errno]:
//   - ERROR_INVALID_PARAMETER if adapter is nil or its name empty, without NUL or
//     not valid UTF-16;
//   - ERROR_FILE_NOT_FOUND if there is no adapter of that name, or nobody manages
//     it by DHCP;
//   - ERROR_ADDRESS_NOT_ASSOCIATED if it has no lease;
//   - ERROR_ACCESS_DENIED if the caller may not do it;
//   - ERROR_NO_NETWORK if the adapter is down or has no carrier;
//   - ERROR_NOT_SUPPORTED if the adapter's manager has no way to do it, or on
//     this system;
//   - ERROR_PROC_NOT_FOUND if the DHCP service could not be asked.
func IpReleaseAddress(adapter *IpAdapterIndexMap) error {
	if _, err := adapter.check(); err != nil {
		return err
	}
	return release(adapter)
}

// IpRenewAddress renews the IPv4 address that the adapter has by DHCP. It
// returns when the address is usable, at the latest after 20 s. Without a
// release before, the server that gave the lease is asked; where it does not
// answer, the call fails and the lease stays. After a release any server may
// answer.
//
// It returns nil, the contract's NO_ERROR, or an [Errno] like [IpReleaseAddress]
// does, or
//   - ERROR_SEM_TIMEOUT if no server answered in time;
//   - ERROR_DHCP_ADDRESS_CONFLICT if the only address offered is in use by
//     another host.
func IpRenewAddress(adapter *IpAdapterIndexMap) error {
	if _, err := adapter.check(); err != nil {
		return err
	}
	return renew(adapter)
}
