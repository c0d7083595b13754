package core

import (
	"net/netip"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"github.com/lessee/lessee/reason"
)

// An ID is a network interface that exists: its index within a network namespace.
type ID struct {
	NS    NS
	Index int
}

// NS is a network namespace: a number that is given out once in the life of the
// process.
type NS uint32

// Home is the namespace of the process.
const Home NS = 0

// A Number is an adapter that is managed, or is to be once it exists. It is given
// out once in the life of the process, and 0 is none.
type Number uint64

// A Turn numbers the attempts to manage an adapter: what was asked for in an earlier
// one is not for this one.
type Turn uint64

// An Adapter is whom a port is asked to do something for.
type Adapter struct {
	// ID is its link's; an Index of 0: it has none.
	ID

	Of   Number // 0: it is not managed
	Turn Turn
	// Name is its name, Link its link, the zero Link if there is none.
	Name string
	Link netconf.Link
}

// An Input is something that happened.
type Input interface{ input() }

type (
	// LinkChanged says how a link is now, or that it is gone.
	LinkChanged struct {
		NS   NS
		Link netconf.Link
		Gone bool
	}

	// Left says that a namespace has gone, and all that was in it.
	Left struct{ NS NS }

	// Disturbed is a hint that other programs, or the kernel, changed what it was
	// told to hold: see [tenancy.Disturbed]. Index 0 is every link.
	Disturbed struct {
		NS     NS
		Notice netconf.Disturbed
	}

	// Datagram is what arrived on the DHCP client port of a link.
	Datagram struct {
		ID

		What dhcp4.Datagram
	}

	// ARP is an ARP packet that an adapter listens for, and the link address it
	// came from. Unicast says that the frame was sent to this adapter alone.
	ARP struct {
		ID

		Packet, From []byte
		Unicast      bool
	}

	// Neighbour says what a host's link address is, or with a zero Host that every
	// one that is waited for may be known.
	Neighbour struct {
		ID

		Host netip.Addr
		Link []byte
	}

	// Manage has an adapter managed: now, or if there is no such link when it
	// comes. Call is answered when it is or cannot be.
	Manage struct {
		Call uint64
		NS   NS
		Name string
	}

	// Up has the adapter of a link managed, and then awaits its lease until
	// Deadline. It is the caller who found the link.
	Up struct {
		Call     uint64
		NS       NS
		Link     netconf.Link
		Deadline boottime.Instant
	}

	// Call is a caller's request to the adapter of that name or alternative name.
	Call struct {
		Call     uint64
		NS       NS
		Name     string
		Verb     tenancy.Verb
		Deadline boottime.Instant
	}

	// Discover has the offers of a link's servers collected for a while.
	Discover struct {
		Call   uint64
		NS     NS
		Name   string
		During time.Duration
	}

	// Cancel says that a caller gave up. What the call set going goes on.
	Cancel struct{ Call uint64 }

	// Prepared answers [Kernel.Prepare]: what there was on record and in the kernel,
	// or why the adapter cannot be managed. Link is how the link is now that it was
	// set up, which the kernel's notification may not have said yet; the zero Link
	// if it is not known.
	Prepared struct {
		Of         Number
		Turn       Turn
		ID         ID
		Link       netconf.Link
		Record     v4.Record
		Unreadable error // why nothing is known of a record that there is
		Configured []netip.Prefix
		Refusal    Refusal
	}

	// Applied is the answer of [Kernel.Apply] that came later.
	Applied struct {
		Of   Number
		Turn Turn
		What tenancy.Applied
	}

	// Inspected is the answer of [Kernel.Inspect] that came later.
	Inspected struct {
		Of   Number
		Turn Turn
		What tenancy.Inspected
	}

	// Persisted says whether the record of the adapter of that name would survive
	// a power failure.
	Persisted struct {
		NS   NS
		Name string
		Err  error
	}

	// Resolved answers the [Resolver.Resolve] with that Seq: the resolver has taken an
	// adapter's name servers, or why not.
	Resolved struct {
		Of   Number
		Turn Turn
		Seq  uint64
		Err  error
	}

	// ResolverChanged says that another program has changed the resolver's file,
	// or with "" that it is ours again.
	ResolverChanged struct{ File string }

	// Timeout says that the instant of [Core.Deadline] has come.
	Timeout struct{}
)

func (LinkChanged) input()     {}
func (Left) input()            {}
func (Disturbed) input()       {}
func (Datagram) input()        {}
func (ARP) input()             {}
func (Neighbour) input()       {}
func (Manage) input()          {}
func (Up) input()              {}
func (Call) input()            {}
func (Discover) input()        {}
func (Cancel) input()          {}
func (Prepared) input()        {}
func (Applied) input()         {}
func (Inspected) input()       {}
func (Persisted) input()       {}
func (Resolved) input()        {}
func (ResolverChanged) input() {}
func (Timeout) input()         {}

// A Refusal says why an adapter cannot be managed, or why a call was not carried out.
// The zero Refusal says nothing. Err is the system's error, where there was one.
type Refusal struct {
	Code  errno.Errno
	Cause reason.Cause
	Err   error
}

func refuse(code errno.Errno, why reason.Reason) Refusal {
	return Refusal{Code: code, Cause: reason.Cause{Reason: why}}
}

// A Discovery is what came of a Discover.
type Discovery struct {
	Link netconf.Link
	Scan *dhcp4.Scan
	// Lease is the one that the adapter has, nil if it has none.
	Lease *dhcp4.Lease
}

// A Said is an event. From is the name before of a Renamed, Verb what ended the
// management of an Unmanaged.
type Said struct {
	v4.Note

	From string
	Verb tenancy.Verb
}
