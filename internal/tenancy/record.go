package tenancy

import (
	"net/netip"

	"github.com/lessee/lessee/dhcp4"
)

// A Record is what outlives the process: written before an address is used,
// read when the adapter is managed again.
type Record struct {
	// HardwareAddr is the link address the lease was obtained with: with
	// another one it is not ours.
	HardwareAddr []byte
	// Lease is the current lease, or with Released the one that was given back;
	// nil if there is none.
	Lease *dhcp4.Lease
	// Offered says that Lease was offered and its server asked for it: that it
	// was granted is not on record. If the address is configured, it was.
	Offered bool
	// Released says that the adapter was released and stays so until a renew
	// or a reboot.
	Released bool
	// Ours are addresses that we configured and that the adapter may still
	// have, though Lease is another one or was released.
	Ours []netip.Prefix
	// BaseMTU is the MTU from before ours was set, 0 if we set none.
	BaseMTU int
	// Up says that the adapter came under management by a call, not by the
	// configuration: it does so until it is taken back or the system reboots.
	Up bool
	// Networks are those where the adapter has a lease, the latest first.
	Networks []Network
	// LinkLocal is the link-local address that was used last, not valid if none was.
	LinkLocal netip.Addr
}

// A Network is one that can be recognised by its router's link address, and
// the lease that the adapter has there.
type Network struct {
	Router     netip.Addr
	RouterLink []byte
	Lease      *dhcp4.Lease
}
