package tenancy

import (
	"net/netip"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/event"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/reason"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// An Input is something that happened to the adapter, told to [Tenancy.Handle].
type Input interface{ input() }

type (
	// Begin starts the tenancy with what is on record, the zero Record if
	// nothing is. Configured are the IPv4 addresses that the adapter has.
	Begin struct {
		Record     Record
		Configured []netip.Prefix
		Link       Link
	}

	// Link says whether frames can be sent, and the link's MTU in bytes.
	Link struct {
		Usable bool
		MTU    int
	}

	// Gone says that the adapter does not exist any more. It is the last input.
	Gone struct{}

	// Datagram is what arrived on the DHCP client port.
	Datagram dhcp4.Datagram

	// ARP is an ARP packet that the adapter listens for, and the link address
	// it came from. Unicast says that the frame was sent to this adapter alone,
	// Ours that the sender named in the packet is an adapter of this host.
	ARP struct {
		Packet, From  []byte
		Unicast, Ours bool
	}

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

	// Applied reports on the Apply with that Seq. Err is nil if the kernel now
	// is as desired. Partly says that the address is, and Err what is not. Refused
	// are the wanted objects that the kernel did not take.
	Applied struct {
		Seq     uint64
		Err     error
		Partly  bool
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

	// SendFailed reports that a Transmit did not leave the host.
	SendFailed struct {
		Type wire.MessageType
		Err  error
	}

	// Timeout says that the instant of [Tenancy.Deadline] has come.
	Timeout struct{}
)

func (Begin) input()         {}
func (Link) input()          {}
func (Gone) input()          {}
func (Datagram) input()      {}
func (ARP) input()           {}
func (Call) input()          {}
func (Cancel) input()        {}
func (Applied) input()       {}
func (SaveFailed) input()    {}
func (Disturbed) input()     {}
func (Inspected) input()     {}
func (PersistFailed) input() {}
func (SendFailed) input()    {}
func (Timeout) input()       {}

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

// An Output is something for the driver to carry out, in order.
type Output interface{ output() }

type (
	// Transmit sends a DHCP message.
	Transmit dhcp4.Transmit

	// TransmitARP sends an ARP packet to a link address, nil for all.
	TransmitARP struct{ Packet, To []byte }

	// Listen says which addresses' ARP packets are wanted from now on: those
	// sent from one of them and probes for one of them. None: no packet is.
	Listen struct{ Addresses []netip.Addr }

	// Save replaces the adapter's record, which then survives the process.
	// Outputs after it wait until it has been tried.
	Save struct{ Record Record }

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

	// Note reports an event.
	Note struct {
		Kind    event.Kind
		State   dhcp4.State
		Lease   *dhcp4.Lease
		Message wire.MessageType
		Server  netip.Addr
		// Address is the one that Message or a conflict is about, not valid if
		// none is or if it is Lease's.
		Address netip.Addr
		// Link is the link address of the other side, nil if unknown: of a server
		// that answered, of a host that uses Address.
		Link []byte
		// XID is the transaction of a Message that was sent.
		XID uint32
		// Why says why a datagram was not used.
		Why dhcp4.Rejection
		// Text is what a server said in a Message.
		Text string
		// Cause is what hinders, of a NoteProblem.
		Cause *reason.Cause
	}

	// Ended says that the tenancy is over. It is the last output.
	Ended struct{}
)

func (Transmit) output()    {}
func (TransmitARP) output() {}
func (Listen) output()      {}
func (Save) output()        {}
func (Forget) output()      {}
func (Apply) output()       {}
func (Inspect) output()     {}
func (Answer) output()      {}
func (Note) output()        {}
func (Ended) output()       {}

// A Cause says why the kernel is inspected.
type Cause uint8

// The causes.
const (
	HintGiven  Cause = iota // something may have been taken away
	PutBackDue              // it is about to be put back, unless another client has the adapter
)

// A Result is the outcome of a call: a code of the contract and why in this case.
// How long the caller waited and what becomes of the lease the driver adds.
type Result struct {
	Code  errno.Errno
	Cause reason.Cause
	// Lease is the lease in use when the call was answered, nil if there is none.
	Lease *dhcp4.Lease
}
