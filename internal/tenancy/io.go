package tenancy

import (
	"net/netip"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/reason"
)

// An Input is something that happened to the adapter: a type of this package, or
// one of the protocol's.
type Input interface{ Input() }

type (
	// Link says whether frames can be sent, and the link's MTU in bytes.
	Link struct {
		Usable bool
		MTU    int
	}

	// Gone says that the adapter does not exist any more. It is the last input.
	Gone struct{}

	// Call is a caller's request. It is answered by exactly one Answer with its
	// ID, at the latest when Deadline has passed.
	Call struct {
		ID       uint64
		Verb     Verb
		Deadline boottime.Instant
	}

	// Cancel says that the caller of a call gave up: it is answered now; what
	// it set going goes on.
	Cancel struct{ ID uint64 }

	// Applied reports on the Apply with that Seq. Err says what the kernel did not
	// do, nil if it did all; Refused are the wanted objects that it did not take.
	Applied struct {
		Seq     uint64
		Extent  Extent
		Err     error
		Refused []netconf.Object
	}

	// Disturbed is a hint that the kernel may lack Object, which it was told to
	// hold, or have it again: another program, or the kernel itself, removed, added
	// or replaced an address or a route. The zero Object is anything:
	// notifications were lost. It may be wrong.
	Disturbed struct{ Object netconf.Object }

	// Inspected answers the Inspect with that Seq and Cause. Missing are the
	// wanted objects that the kernel does not have, Err why that is not known.
	// Manager is who else manages the adapter by DHCP, "" if nobody does; it is
	// looked for with PutBackDue only.
	Inspected struct {
		Seq     uint64
		Cause   Cause
		Missing []netconf.Object
		Manager string
		Err     error
	}

	// SaveFailed reports that a Save was not carried out; Err nil says that a
	// later one was.
	SaveFailed struct{ Err error }

	// PersistFailed reports that the record would not survive a power failure;
	// Err nil says that it would again.
	PersistFailed struct{ Err error }

	// Timeout says that the tenancy's deadline has come.
	Timeout struct{}
)

// Input marks the type.
func (Link) Input() {}

// Input marks the type.
func (Gone) Input() {}

// Input marks the type.
func (Call) Input() {}

// Input marks the type.
func (Cancel) Input() {}

// Input marks the type.
func (Applied) Input() {}

// Input marks the type.
func (Disturbed) Input() {}

// Input marks the type.
func (Inspected) Input() {}

// Input marks the type.
func (SaveFailed) Input() {}

// Input marks the type.
func (PersistFailed) Input() {}

// Input marks the type.
func (Timeout) Input() {}

// An Extent says how much of an Apply the kernel did.
type Extent uint8

// The extents.
const (
	// AppliedNothing: the address is not usable.
	AppliedNothing Extent = iota
	// AppliedAddress: the address is as desired, and something else is not.
	AppliedAddress
	// AppliedAll: the kernel now is as desired.
	AppliedAll
)

// Report returns what came of an Apply.
func Report(seq uint64, o netconf.Outcome) Applied {
	in := Applied{Seq: seq, Extent: AppliedAll, Err: o.Err(), Refused: o.Refused()}
	switch {
	case in.Err == nil:
	case o.AddressesSet():
		in.Extent = AppliedAddress
	default:
		in.Extent = AppliedNothing
	}
	return in
}

// A Verb is what a caller wants.
type Verb uint8

// The verbs.
const (
	// Renew wants the lease extended or a new one; done when it is usable.
	Renew Verb = iota
	// Release wants the lease given back; done when the address is gone.
	Release
	// Await wants the address usable, and sends nothing for it.
	Await
	// End is Release, or nothing where there is no lease; then the tenancy is over.
	End
	// EndKeep ends the tenancy and leaves the address and the record.
	EndKeep
)

// WantsLease reports whether it is done when there is a lease to use.
func (v Verb) WantsLease() bool { return v == Renew || v == Await }

// Ends reports whether the tenancy is over when it is done.
func (v Verb) Ends() bool { return v == End || v == EndKeep }

// String returns the verb as callers know it.
func (v Verb) String() string {
	switch v {
	case Renew:
		return "renew"
	case Release:
		return "release"
	case Await:
		return "up"
	case End, EndKeep:
		return "down"
	}
	return "unknown"
}

// An Output is something to carry out, in order: a type of this package, or one
// of the protocol's.
type Output interface{ Output() }

type (
	// Forget removes the adapter's record.
	Forget struct{}

	// Apply makes the kernel hold Want, to be reported with Applied. Ours are
	// the addresses that may be left there by what we wanted before.
	Apply struct {
		Seq  uint64
		Ours []netip.Prefix
		Want netconf.Desired
	}

	// Inspect asks which of Want the kernel does not have, to be answered with
	// Inspected.
	Inspect struct {
		Seq   uint64
		Want  netconf.Desired
		Cause Cause
	}

	// Answer answers a call.
	Answer struct {
		ID     uint64
		Result Result
	}

	// Ended says that the tenancy is over. It is the last output.
	Ended struct{}
)

// Output marks the type.
func (Forget) Output() {}

// Output marks the type.
func (Apply) Output() {}

// Output marks the type.
func (Inspect) Output() {}

// Output marks the type.
func (Answer) Output() {}

// Output marks the type.
func (Ended) Output() {}

// A Cause says why the kernel is inspected.
type Cause uint8

// The causes.
const (
	HintGiven  Cause = iota // something may have been taken away
	PutBackDue              // it is about to be put back, unless another client has the adapter
)

// A Result is the outcome of a call: a code of the contract and why in this case.
// How long the caller waited and what becomes of the lease others add.
type Result struct {
	Code  errno.Errno
	Cause reason.Cause
	// Held is the lease in use when the call was answered.
	Held Holding
}

// A Holding is an address that the adapter is configured by. The zero Holding is none.
type Holding struct {
	Address netip.Prefix
	// Ends is when the lease ends, 0 if it never does.
	Ends boottime.Instant
}

// Valid reports whether there is one.
func (h Holding) Valid() bool { return h.Address.IsValid() }
