// Package lessee is the Go client of the lessee daemon: it lists network
// adapters and their DHCP leases, renews and releases leases, and follows what
// happens to them.
//
//	c := lessee.New()
//	if err := c.Renew(ctx, "eth0"); err != nil {
//		log.Print(err) // eth0: renew: no DHCP server answered in 20s (ERROR_SEM_TIMEOUT 121); …
//	}
//
// A call waits until its work is done or its context ends, at most
// [DefaultTimeout] if the context has no deadline. Where the context ends
// first, the exchange with the DHCP server goes on without the caller.
//
// Errors are of type [*Error] and carry one of the codes of package errno, the
// same on every face of lessee: this package, iphlpapi, the C library, the
// command line and the control API itself.
//
// Anyone may list adapters and watch events. Root, the user the daemon runs as
// and the members of the group netdev may change something.
package lessee
