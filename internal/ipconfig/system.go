package ipconfig

import (
	"net"
	"net/netip"
	"time"
)

// A System is the machine that ipconfig tells of.
type System interface {
	// Host tells of the machine as a whole.
	Host() Host
	// Adapters lists the adapters that are enabled for IPv4; none is no error.
	Adapters() ([]Adapter, error)
	// Resolve returns the name by which Adapters lists the adapter that has this
	// alternative name.
	Resolve(name string) (string, bool)
	// Release and Renew do that to an adapter that Adapters has listed. They
	// return when it is done.
	Release(a Adapter) error
	Renew(a Adapter) error
	// SixVerb does "release6" or "renew6" with the adapters that match the
	// pattern, all if it is empty. It is nil where no IPv6 lease is managed.
	SixVerb() func(verb, pattern string) error
}

// A Host is what the report says before the adapters.
type Host struct {
	// System is the operating system's name, such as "Linux".
	System string
	// Name is the host's name, without the domain that it may have: Suffix.
	Name, Suffix string
	// Routing says that the machine forwards IPv4 packets; RoutingKnown, that
	// this could be found out.
	Routing, RoutingKnown bool
	// Search are the domains in which names are looked for.
	Search []string
}

// A Medium is what an adapter is connected to.
type Medium uint8

// The media that the report tells apart.
const (
	Other Medium = iota
	Ethernet
	Wireless
	PPP
	Tunnel
)

// An Adapter is one of the machine's.
type Adapter struct {
	Index       int
	Name        string
	Description string
	Medium      Medium
	Hardware    net.HardwareAddr
	// Connected says that it has a carrier.
	Connected bool
	// DHCP says that somebody manages it by DHCP.
	DHCP bool
	// Suffix is the domain of the network that it is connected to.
	Suffix   string
	IPv4     []netip.Prefix
	IPv6     []netip.Addr
	Gateways []netip.Addr
	Server   netip.Addr
	DNS      []netip.Addr
	WINS     []netip.Addr
	// Obtained and Expires are zero where they are not known. Infinite is a
	// lease without end.
	Obtained, Expires time.Time
	Infinite          bool
}
