package netconf

import "errors"

// ErrNoLink says that there is no network interface of that name or index.
var ErrNoLink = errors.New("no such network interface")

// ErrLinkDown says that a frame did not leave because the interface has no link.
var ErrLinkDown = errors.New("the interface has no link")

// ErrClaimed says that another lessee daemon manages the interface.
var ErrClaimed = errors.New("another lessee daemon manages it")

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

// A LinkChange reports a new, changed or (with Gone) removed interface.
type LinkChange struct {
	Link Link
	Gone bool
}
