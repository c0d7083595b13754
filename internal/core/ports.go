package core

import (
	"net/netip"

	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/internal/tenancy/v4"
)

// Ports are the core's ways to the world. Their methods are called from within
// [Core.Handle], and must not call it.
type Ports struct {
	Kernel    Kernel
	Transport Transport
	Resolver  Resolver
	Store     Store
	Hooks     Hooks
}

// A Kernel is the network configuration of the adapters. What it is asked for a link
// is done in that order, also for an adapter that comes after another one.
type Kernel interface {
	// Prepare finds out whether nobody else manages the adapter, claims it, and reads
	// the addresses that it has and the record of that name; see [Prepare]. It is
	// answered by [Prepared], later.
	Prepare(a Adapter, how Prepare)
	// Leave ends the claim, if there is one.
	Leave(a Adapter)
	// Apply makes the kernel hold what is wanted; false: [Applied] comes later.
	Apply(a Adapter, o tenancy.Apply) (tenancy.Applied, bool)
	// Inspect looks for what of the wanted the kernel lacks; false: [Inspected] comes
	// later.
	Inspect(a Adapter, o tenancy.Inspect) (tenancy.Inspected, bool)
	// Solicit has the kernel ask for a host's link address, which [Neighbour] tells.
	Solicit(a Adapter, host netip.Addr) error
	// Desist ends what one Solicit began.
	Desist(a Adapter)
}

// Prepare says how an adapter is prepared: with SetUp its link is set up if it is
// down, and Record is the name that its record has.
type Prepare struct {
	SetUp  SetUp
	Record string
}

// SetUp says whether a link is set up.
type SetUp uint8

// Whether a link is set up.
const (
	AsItIs SetUp = iota
	SetUpIfDown
)

// A Transport sends and receives. The errors of its methods say what failed and why.
type Transport interface {
	// Open has what arrives on the DHCP client port of a link told by [Datagram], until
	// Close. It is called ahead: where it fails, Send tries it again.
	Open(a Adapter) error
	Close(a Adapter)
	// Send sends a message to which an answer is awaited, and opens what receives it.
	// The error may be a [*netconf.UnresolvedError].
	Send(a Adapter, t dhcp4.Transmit) error
	// Post sends a message that awaits no answer. The error may be a
	// [*netconf.UnresolvedError].
	Post(a Adapter, t dhcp4.Transmit) error
	// SendARP sends an ARP packet to a link address, nil for all.
	SendARP(a Adapter, packet, to []byte) error
	// ListenARP says which addresses' ARP packets are told by [ARP] from now on.
	ListenARP(a Adapter, addresses []netip.Addr) error
	// ListenForceRenew says at which address a FORCERENEW (RFC 3203) is told by
	// [Datagram], whether the link is open or not. Not valid: at none.
	ListenForceRenew(a Adapter, address netip.Addr) error
}

// A Resolver is the system's name resolution.
type Resolver interface {
	// Resolve has the adapter's name servers used, with the zero DNS none. It is
	// answered by [Resolved], later.
	Resolve(a Adapter, seq uint64, d netconf.DNS)
}

// A Store keeps one record per adapter.
type Store interface {
	// Save replaces the adapter's record: it survives the process when Save returns.
	Save(a Adapter, r v4.Record) error
	// Forget removes the record of that name.
	Forget(a Adapter, name string)
}

// Hooks are told what happens.
type Hooks interface {
	// Say reports an event.
	Say(a Adapter, s Said)
	// Unmanageable says that an adapter that has come cannot be managed.
	Unmanageable(a Adapter, why Refusal)
	// Dropped says that nothing more is asked for the adapter.
	Dropped(a Adapter)
	// Gone says that a link does not exist any more.
	Gone(id ID)
	// Answer answers a call. The error is the system's, where there was one.
	Answer(call uint64, r tenancy.Result, err error)
	// Discovered answers a [Discover] that was carried out.
	Discovered(call uint64, d Discovery)
}
