package netconf

import "net/netip"

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

// A LinkChange tells of a new, changed or (with Gone) removed interface.
type LinkChange struct {
	Link Link
	Gone bool
}

// An Address is an IPv4 address that an interface has.
type Address struct {
	Prefix netip.Prefix
	// Lifetime is what the kernel still gives it.
	Lifetime Lifetime
}
