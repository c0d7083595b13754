package netconf

import (
	"errors"
	"net/netip"
)

// ErrNoLink says that there is no network interface of that name or index.
var ErrNoLink = errors.New("no such network interface")

// ErrLinkDown says that a frame did not leave because the interface has no link.
var ErrLinkDown = errors.New("the interface has no link")

// ErrClaimed says that another lessee daemon manages the interface.
var ErrClaimed = errors.New("another lessee daemon manages it")

// ErrNoSpace says that a network namespace does not exist any more.
var ErrNoSpace = errors.New("no such network namespace")

// A Link is a network interface as the kernel described it last.
type Link struct {
	Index    int
	Name     string
	AltNames []string
	// HardwareType is the ARP hardware type: 1 for Ethernet.
	HardwareType uint16
	HardwareAddr []byte
	MTU          int
	// VRF is the routing table of the VRF that the interface is enslaved to; 0
	// if it is to none.
	VRF uint32
	// Up is the administrative state, Carrier whether frames can pass.
	Up, Carrier, Loopback bool
}

// Usable reports whether frames can be sent.
func (l Link) Usable() bool { return l.Up && l.Carrier }

// A Notice is what the kernel reports of itself: a [LinkChange] or [Disturbed].
type Notice interface{ notice() }

type (
	// LinkChange reports a new, changed or (with Gone) removed interface.
	LinkChange struct {
		Link Link
		Gone bool
	}

	// Disturbed is a hint that another program, or the kernel itself, has
	// added, removed or replaced an address or a route. It may be wrong: the truth is
	// what the kernel has.
	Disturbed struct {
		// Index is the adapter; 0 where it may be any: a route that was replaced
		// may have left by another one before.
		Index int
		// Object is what is gone, or new; the zero Object where it may be anything,
		// because notifications were lost.
		Object Object
	}
)

func (LinkChange) notice() {}
func (Disturbed) notice()  {}

// An UnresolvedError says that a frame waits for the link address of the next hop,
// which the kernel does not know.
type UnresolvedError struct{ Hop netip.Addr }

func (e *UnresolvedError) Error() string {
	return "the link address of " + e.Hop.String() + " is not known"
}
