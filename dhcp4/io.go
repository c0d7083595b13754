package dhcp4

import (
	"net/netip"

	"github.com/lessee/lessee/names"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// An Input is something that happened, told to [Client.Handle].
type Input interface{ input() }

type (
	// Datagram is the payload of a UDP datagram that arrived on port 68.
	// The client keeps no reference to Message after Handle returns.
	Datagram struct {
		Message []byte
		// From is the IP source address.
		From netip.Addr
		// Link is the link address the frame came from; nil if unknown.
		// A RELEASE is sent there.
		Link []byte
	}

	// Start begins the client's life: with Lease nil in INIT, else in
	// INIT-REBOOT, or, where InUse says that the adapter has the address
	// configured already and has not lost its link, in BOUND without a packet.
	// A lease that is over, or not sane, is answered by Lost. Start has no
	// effect on a client that was started already.
	Start struct {
		Lease *Lease
		InUse bool
	}

	// StartReleased begins the client's life in RELEASED: silent until a Renew.
	// Last is the address to ask for then. Unsent is a lease whose RELEASE may not
	// have left: it is sent at the first LinkUp, unless the lease has ended or
	// somebody has asked for another one; nil if there is none.
	StartReleased struct {
		Last   netip.Addr
		Unsent *Lease
	}

	// StartInform begins the life of a client whose adapter has an address by
	// other means: it asks for parameters only (INFORM, RFC 2131 section 3.4),
	// again after each LinkUp and Renew, and has no lease. An address that is
	// not that of a host is ignored.
	StartInform struct {
		// Address is the adapter's address with the length of its subnet mask.
		Address netip.Prefix
	}

	// Stop ends all activity without a packet. The client is as new: it knows of
	// no link and waits for Start. Only its counters go on.
	Stop struct{}

	// LinkUp says that frames can be sent; until then nothing is. A client with
	// a lease verifies it (INIT-REBOOT, RFC 2131 section 3.7), but for the first
	// LinkUp after a Start with InUse; one without starts to look for one.
	// Repeated, it has no effect.
	LinkUp struct{}

	// LinkDown says that no frame can be sent. The lease stays and its time
	// runs; it is verified when the link is back. After a Start with InUse it
	// says that the link was lost after all.
	LinkDown struct{}

	// Renew asks for a lease now: the server that gave it is asked to extend it;
	// without a lease, or after a release, any server may give one. Answered by
	// exactly one Done, with the next lease that a server grants or when the
	// link goes. Where another Renew, or a Release that succeeds, comes first,
	// the later one's Done answers both.
	Renew struct{}

	// Release gives the lease back and falls silent. Answered by a Done at once.
	// Without a lease, or without a link, nothing changes: a client that looks
	// for a lease goes on to do so.
	Release struct{}

	// Conflict says that another host uses the leased address: it is declined
	// (RFC 2131 section 3.1, step 5) and looked for anew after a pause. An
	// address that is not in use by this client is ignored.
	Conflict struct {
		Address netip.Addr
		// By is the link address of the other host; nil if unknown.
		By []byte
	}

	// Remember names the lease to verify first, in place of the one from Start:
	// there may be one for each of several networks. It has an effect only
	// while no lease is in use and nothing was sent: without a link, or in INIT
	// or INIT-REBOOT. Lease nil forgets the one there is. A lease that is over,
	// not sane, or was refused on this link is ignored.
	Remember struct {
		_     notPointer
		Lease *Lease
	}

	// Confirmed says that the network was recognized as the one where the lease
	// was got (RFC 4436). With a link, in INIT, SELECTING, INIT-REBOOT and
	// REBOOTING, the lease comes into use at once; its server is asked, or goes
	// on being asked, whether it still holds. A NAK takes it away; silence leads
	// to BOUND. In other states it has no effect, and neither has a lease that
	// is over, not sane, or was refused on this link.
	Confirmed struct {
		_     notPointer
		Lease *Lease
	}

	// Timeout says that the instant of [Client.Deadline] has come. Telling it
	// early, late or twice does no harm.
	Timeout struct{}
)

// notPointer makes a struct of one pointer one of two fields. Else the compiler
// keeps it in the interface itself, and has every Input that a caller makes
// live on the heap, datagrams too.
type notPointer uint8

func (Datagram) input()      {}
func (Start) input()         {}
func (StartReleased) input() {}
func (StartInform) input()   {}
func (Stop) input()          {}
func (LinkUp) input()        {}
func (LinkDown) input()      {}
func (Renew) input()         {}
func (Release) input()       {}
func (Conflict) input()      {}
func (Remember) input()      {}
func (Confirmed) input()     {}
func (Timeout) input()       {}

// An Output is something that the caller is to do or to know, in order.
type Output interface{ output() }

type (
	// Transmit sends a message from UDP port 68 to port 67.
	Transmit struct {
		// Message is the UDP payload. It belongs to the receiver of the Output.
		Message []byte
		Type    wire.MessageType
		// Source is 0.0.0.0 while no lease is in use, else the leased address.
		Source netip.Addr
		// Destination is 255.255.255.255 or the server's address.
		Destination netip.Addr
		// Link, where set, is the link address the frame is to be sent to,
		// without asking the kernel's routing and ARP: a RELEASE must leave
		// before the address goes. Where nil, a broadcast is a link broadcast
		// and a unicast goes the kernel's way.
		Link []byte
	}

	// Acquired says that the lease is ours from now on: new, or renewed (then
	// Renewed is true and the address is the one before). It is to be saved and
	// then configured. The Lease is not changed afterwards.
	Acquired struct {
		Lease   *Lease
		Renewed bool
	}

	// Offered says that an offer was chosen and its server is being asked for
	// it: whoever wants to probe for the address, or to prepare for the lease,
	// may begin. The ACK that follows may say otherwise, or a NAK come.
	Offered struct{ Lease *Lease }

	// Lost says that the lease is not ours any more: the address is to be
	// removed from the adapter and the lease forgotten (or, for LossReleased,
	// remembered as released). For a lease from Start that never came into use
	// it is said too, unless another takes its place or the client is stopped.
	Lost struct {
		Lease *Lease
		Why   Loss
	}

	// Informed brings the parameters that a server answered to an INFORM, which
	// replace those of the Informed before. Of the Lease, Address is the one
	// from StartInform, Server may be not valid, Start is when the INFORM was
	// sent, and Infinite is true: nothing of it runs out. It is no lease, and
	// neither Client.Lease nor Lost ever tell of it.
	Informed struct{ Lease *Lease }

	// AutoConfigure says whether a server lets the host give itself a link-local
	// address (RFC 2563). It comes with [Config].AutoConfigure set: in SELECTING
	// from a server that has no address to offer, and after Acquired.
	AutoConfigure struct{ Allowed bool }

	// Done answers a Renew or a Release. Err is nil, [ErrNoLease], [ErrNoLink],
	// [ErrIPv6Only] or [ErrStopped]. Neither a NAK nor silence ends a Renew: the client goes
	// on looking for a lease, and the caller brings its own patience.
	Done struct {
		Op  Op
		Err error
	}

	// Moved says that the client went from one state to another.
	Moved struct{ From, To State }

	// Received says that a well-formed message for this client arrived. A
	// Dropped follows if it was of no use.
	Received struct {
		Type   wire.MessageType
		Server netip.Addr // server identifier; not valid where absent
		Your   netip.Addr // yiaddr
		Text   names.Text // option 56, cleaned; mostly none
	}

	// Dropped says that a datagram was not used, and why.
	Dropped struct{ Why Rejection }
)

func (Transmit) output()      {}
func (Acquired) output()      {}
func (Offered) output()       {}
func (Lost) output()          {}
func (Informed) output()      {}
func (AutoConfigure) output() {}
func (Done) output()          {}
func (Moved) output()         {}
func (Received) output()      {}
func (Dropped) output()       {}
