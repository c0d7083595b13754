package lessee

import (
	"net/netip"
	"time"

	"github.com/lessee/lessee/names"
	"github.com/lessee/lessee/reason"
)

// An Adapter is a network adapter and its leases, as the daemon sees them. Its
// JSON form is the API of `lessee list -o json`: fields are never renamed, and
// what is not known is absent.
type Adapter struct {
	// Index is the kernel's interface index.
	Index int `json:"index"`
	// Name identifies the adapter, such as "eth0".
	Name string `json:"name"`
	// AltNames are its alternative names (ip link property), which work wherever Name does.
	AltNames []string `json:"altnames,omitempty"`
	// MAC is the hardware address, in the usual notation.
	MAC string `json:"mac,omitempty"`
	// MTU is the link's MTU in bytes.
	MTU int `json:"mtu,omitempty"`
	// Up says that the adapter is administratively up, Carrier that it has a link.
	Up      bool `json:"up"`
	Carrier bool `json:"carrier"`
	// Manager is who manages it by DHCP: "lessee", "networkmanager",
	// "networkd", "dhcpcd", "dhclient", "udhcpc", "unknown" (some other program
	// has the DHCP client's port), "windows" (there, the system itself) or "none".
	Manager string `json:"manager"`

	IPv4 *IPv4 `json:"ipv4,omitempty"`
}

// IPv4 is an adapter's DHCPv4 lease and state.
type IPv4 struct {
	// State is one of "init", "selecting", "requesting", "bound", "renewing",
	// "rebinding", "init-reboot", "rebooting", "released", "informing",
	// "informed", "ipv6-only", "link-local" and
	// "disabled" (not managed by this daemon).
	State string `json:"state"`
	// Address is the address in use, with its prefix length.
	Address netip.Prefix `json:"address,omitzero"`
	// Server is the DHCP server that gave the lease.
	Server  netip.Addr   `json:"server,omitzero"`
	Routers []netip.Addr `json:"routers,omitempty"`
	Routes  []Route      `json:"routes,omitempty"`
	DNS     []netip.Addr `json:"dns,omitempty"`
	// Servers has time servers (NTP), NetBIOS name servers (WINS) and the like;
	// their JSON fields are this object's own.
	Servers
	// HostName is the name that the server has for this machine (option 12).
	HostName names.Host     `json:"host_name,omitzero"`
	Domain   names.Domain   `json:"domain,omitzero"`
	Search   []names.Domain `json:"search,omitempty"`
	MTU      int            `json:"mtu,omitempty"`
	// Parameters are rarer ones; their JSON fields are this object's own.
	Parameters
	// ClientID is the client identifier (option 61) in hexadecimal.
	ClientID string `json:"client_id,omitempty"`

	// Obtained is when the lease was last granted, Renews (T1) and Rebinds (T2)
	// when its server and then any server will be asked to extend it, Expires
	// when it ends. A lease without end has none of the last three and Infinite.
	Obtained time.Time `json:"obtained,omitzero"`
	Renews   time.Time `json:"renews,omitzero"`
	Rebinds  time.Time `json:"rebinds,omitzero"`
	Expires  time.Time `json:"expires,omitzero"`
	Infinite bool      `json:"infinite,omitempty"`

	// Problem says in plain English what hinders, such as that the lease could
	// not be saved, and ProblemCause what that is for programs; mostly absent.
	Problem      string        `json:"problem,omitempty"`
	ProblemCause *reason.Cause `json:"problem_cause,omitempty"`
	// Counters count this adapter's messages and events since it came under
	// management: "sent.discover", "received.ack", "rejected.foreign-xid",
	// "event.renewed", ...
	Counters map[string]uint64 `json:"counters,omitempty"`
}

// A Route is a classless static route of a lease.
type Route struct {
	Destination netip.Prefix `json:"destination"`
	// Router is absent for a destination on the link itself.
	Router netip.Addr `json:"router,omitzero"`
}

// An Event is one thing that happened to an adapter.
type Event struct {
	Time    time.Time `json:"time"`
	Kind    EventKind `json:"kind"`
	Index   int       `json:"index,omitempty"`
	Adapter string    `json:"adapter,omitempty"`
	// State is the client's state after the event.
	State   string       `json:"state,omitempty"`
	Address netip.Prefix `json:"address,omitzero"`
	Server  netip.Addr   `json:"server,omitzero"`
	Expires time.Time    `json:"expires,omitzero"`
	// Message is the type of the DHCP message sent or received, such as "DISCOVER".
	Message string `json:"message,omitempty"`
	// Reason says why a packet was not used: a counter "rejected." and this name
	// counts them.
	Reason string `json:"reason,omitempty"`
	// Detail is in plain English: what a server said, why a packet was not used,
	// what hinders, or a name. Cause is what hinders, for programs.
	Detail string        `json:"detail,omitempty"`
	Cause  *reason.Cause `json:"cause,omitempty"`
	Count  uint64        `json:"count,omitempty"`
}
