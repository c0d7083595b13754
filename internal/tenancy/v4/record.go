package v4

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
	// Lease is the current lease, or the one that Release is about; nil if there
	// is none.
	Lease *dhcp4.Lease
	// Release says whether the adapter was released.
	Release ReleaseState
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

// A ReleaseState says how far a release has come. A released adapter stays so
// until a renew or a reboot.
type ReleaseState uint8

// The states of a release.
const (
	// NotReleased: the lease, if there is one, is in use.
	NotReleased ReleaseState = iota
	// Releasing: the lease was given up, and its RELEASE may not have left. Who
	// reads this from a record sends it (again).
	Releasing
	// releaseSent is Releasing, and the RELEASE was handed to the adapter. It is
	// not on record.
	releaseSent
	// Released: the RELEASE has left.
	Released
)

// A Network is one that can be recognised by its router's link address, and
// the lease that the adapter has there.
type Network struct {
	Router     netip.Addr
	RouterLink []byte
	Lease      *dhcp4.Lease
}
