package core

import (
	"net/netip"

	"github.com/lessee/lessee/boottime"
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

// An Input is something that happened.
type Input interface{ input() }

type (
	// LinkChanged says how a link is now, or that it is gone.
	LinkChanged struct {
		NS   NS
		Link netconf.Link
		Gone bool
	}

	// Disturbed is a hint that other programs, or the kernel, changed what it was
	// told to hold: see [tenancy.Disturbed]. Index 0 is every link.
	Disturbed struct {
		NS     NS
		Notice netconf.Disturbed
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

	// Cancel says that a caller gave up.
	Cancel struct{ Call uint64 }

	// Prepared answers a Prepare: what there was on record and in the kernel, or
	// why the adapter cannot be managed. Link is how the link is now that it was set
	// up, which the kernel's notification may not have said yet.
	Prepared struct {
		Of         Number
		Turn       Turn
		Link       netconf.Link
		Record     v4.Record
		Unreadable error // why nothing is known of a record that there is
		Configured []netip.Prefix
		Refusal    Refusal
	}

	// Happened is an input of an adapter's tenancy.
	Happened struct {
		Of   Number
		Turn Turn
		What tenancy.Input
	}

	// Persisted says whether the record of the adapter of that name would survive
	// a power failure.
	Persisted struct {
		Name string
		Err  error
	}

	// Noticed is something that is no tenancy's to say, for an adapter's journal.
	Noticed struct {
		Of   Number
		Note v4.Note
	}

	// ResolverChanged says that another program has changed the resolver's file,
	// or with "" that it is ours again.
	ResolverChanged struct{ File string }

	// Timeout says that the instant of [Core.Deadline] has come.
	Timeout struct{}
)

func (LinkChanged) input()     {}
func (Disturbed) input()       {}
func (Manage) input()          {}
func (Up) input()              {}
func (Call) input()            {}
func (Cancel) input()          {}
func (Prepared) input()        {}
func (Happened) input()        {}
func (Persisted) input()       {}
func (Noticed) input()         {}
func (ResolverChanged) input() {}
func (Timeout) input()         {}

// A Refusal says why an adapter cannot be managed. The zero Refusal says nothing.
type Refusal struct {
	Code  errno.Errno
	Cause reason.Cause
}

// An Output is something to do.
type Output interface{ output() }

// An Adapter is whom an output is about.
type Adapter struct {
	Of   Number
	Turn Turn
	// Name is its name, Link its link, the zero Link if there is none.
	Name string
	Link netconf.Link
}

type (
	// Prepare finds out whether nobody else manages the adapter, claims it, reads
	// its record and its addresses, and with SetUp sets the link up. It is answered
	// by Prepared.
	Prepare struct {
		Adapter
		SetUp bool
	}

	// Do carries out an output of the adapter's tenancy.
	Do struct {
		Adapter
		What tenancy.Output
	}

	// Close says that no answer to a Transmit is awaited any more.
	Close struct{ Adapter }

	// Receive says at which address a FORCERENEW is listened for; not valid: none is.
	Receive struct {
		Adapter
		Address netip.Addr
	}

	// Leave ends all that was begun for the adapter since it was prepared, which is
	// over before an Answer that follows.
	Leave struct{ Adapter }

	// Dropped says that nothing more is asked for the adapter.
	Dropped struct{ Adapter }

	// Rename has an adapter's record follow its name.
	Rename struct {
		Adapter
		From string
	}

	// Say reports to subscribers and the log what no tenancy said. From is the name
	// before of a Renamed, Verb what ended the management of an Unmanaged.
	Say struct {
		Adapter
		Note v4.Note
		From string
		Verb tenancy.Verb
	}

	// Unmanageable says that an adapter that has come cannot be managed.
	Unmanageable struct {
		Adapter
		Why Refusal
	}

	// Answer answers a call.
	Answer struct {
		Call   uint64
		Result tenancy.Result
	}
)

func (Prepare) output()      {}
func (Do) output()           {}
func (Close) output()        {}
func (Receive) output()      {}
func (Leave) output()        {}
func (Dropped) output()      {}
func (Rename) output()       {}
func (Say) output()          {}
func (Unmanageable) output() {}
func (Answer) output()       {}
