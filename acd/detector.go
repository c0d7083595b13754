package acd

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/internal/queue"
	"github.com/lessee/lessee/wire/arp"
)

// A Detector looks after one address of one adapter. It does no I/O; see the
// package comment. It is not safe for concurrent use.
type Detector struct {
	timing *Timing
	random rand.PCG
	state  state
	out    queue.Queue[Output]
	// guarded is when the last claim of another host is forgotten: one that
	// comes earlier is not the first. rest is when the next packet may be sent
	// that nobody but us calls for.
	guarded, rest boottime.Instant

	hardware arp.HardwareAddr
	address  [4]byte
	defence  Defence
	link     bool // frames can be sent
}

// Handle tells the detector what happened at the instant now, which must not
// be earlier than that of the call before. A nil input is ignored. After each
// Handle the outputs are to be taken with [Detector.Poll].
func (d *Detector) Handle(now boottime.Instant, in Input) {
	switch in := in.(type) {
	case Start:
		d.start(now, in)
	case Stop:
		d.state = stopped{}
	case LinkUp:
		if !d.link {
			d.link = true
			d.state.linkUp(d, now)
		}
	case LinkDown:
		d.link = false
		d.state.linkDown(d)
	case Packet:
		d.receive(now, in)
	case Timeout:
		d.due(now)
	}
}

// due does what is to be done by now.
func (d *Detector) due(now boottime.Instant) {
	if at, _, ok := d.state.timer(); ok && !now.Before(at) {
		d.state.timeout(d, now)
	}
}

// Poll returns the next output, false if there is none.
func (d *Detector) Poll() (Output, bool) {
	return d.out.Pop()
}

// Deadline returns when the detector wants to be told Timeout next, and why;
// false if it waits for other inputs only.
func (d *Detector) Deadline() (at boottime.Instant, why Timer, ok bool) { return d.state.timer() }

// State returns what the detector does.
func (d *Detector) State() State { return d.state.name() }

// Address returns the address that the detector looks after; not valid if it
// is stopped.
func (d *Detector) Address() netip.Addr {
	if d.State() == StateStopped {
		return netip.Addr{}
	}
	return d.addr()
}

// Listening reports whether packets are wanted: there are an address and a link.
func (d *Detector) Listening() bool { return d.link && d.State() != StateStopped }

func (d *Detector) addr() netip.Addr { return netip.AddrFrom4(d.address) }

func (d *Detector) emit(o Output) { d.out.Push(o) }

func (d *Detector) start(now boottime.Instant, in Start) {
	a := in.Address.Unmap()
	if !canHold(a) {
		d.state = stopped{}
		return
	}
	if d.addr() != a {
		d.address, d.guarded = a.As4(), now
	}
	switch in.Mode {
	case Probe:
		d.state = waiting{}
	default:
		d.state = held{}
	}
	if d.link {
		d.state.linkUp(d, now)
	}
}

// receive looks at an ARP packet.
//
// RFC 5227 section 2.1.1: "NOTE: The check that the packet's 'sender hardware
// address' is not the hardware address of any of the host's interfaces is
// important." Some hubs and access points echo packets back.
//
// Section 1.1: "the term 'ARP Probe' is used to refer to an ARP Request packet,
// broadcast on the local link, with an all-zero 'sender IP address'." Switches
// that keep track of hosts send the like by unicast: those are no claims.
func (d *Detector) receive(now boottime.Instant, in Packet) {
	if !d.Listening() || in.Ours {
		return
	}
	p, err := arp.Parse(in.ARP)
	if err != nil || p.SenderHardware == d.hardware {
		return
	}
	switch {
	case p.Sender == d.addr():
		d.state.claimed(d, now, p.SenderHardware)
	case p.IsProbe() && p.Target == d.addr() && !in.Unicast:
		d.state.probed(d, p.SenderHardware)
	}
}

// conflict gives the address up.
//
// Deviation: "Connections at a conflict" in docs/deviations.md.
func (d *Detector) conflict(by arp.HardwareAddr) {
	d.emit(Conflict{d.addr(), by})
	d.state = stopped{}
}

// defend answers the claim of another host to the address in use.
//
// RFC 5227 section 2.4: "At any time, if a host receives an ARP packet
// (Request *or* Reply) where the 'sender IP address' is (one of) the host's own
// IP address(es) configured on that interface, but the 'sender hardware
// address' does not match any of the host's own interface addresses, then this
// is a conflicting ARP packet".
func (d *Detector) defend(now boottime.Instant, by arp.HardwareAddr) {
	first := !now.Before(d.guarded)
	switch {
	case d.defence == DefendNever:
		// (a): "a host MAY elect to immediately cease using the address".
		d.conflict(by)
		return
	case first:
		// (b) and (c): "recording the time that the conflicting ARP packet was
		// received, and then broadcasting one single ARP Announcement".
		d.guarded = now.Add(d.timing.DefendInterval)
		d.emit(Defended{d.addr(), by})
		d.transmit(now, KindDefend)
	case d.defence == DefendOnce:
		// (b): "the host MUST immediately cease using this address".
		d.conflict(by)
	}
	// (c): "the host MUST NOT send another defensive ARP Announcement."
}

// transmit broadcasts a probe or an announcement.
//
// RFC 5227 section 2.1.1: "The 'sender IP address' field MUST be set to all
// zeroes"; "The 'target hardware address' field is ignored and SHOULD be set to
// all zeroes." Section 2.3: an announcement is the same, but "the sender and
// target IP addresses are both set to the host's newly selected IPv4 address."
func (d *Detector) transmit(now boottime.Instant, kind Kind) {
	var p arp.Packet
	switch kind {
	case KindProbe:
		p = arp.Probe(d.hardware, d.addr())
	case KindAnnounce, KindDefend:
		p = arp.Announcement(d.hardware, d.addr())
	}
	d.rest = now.Add(d.timing.ProbeMin)
	d.emit(Transmit{arp.Append(make([]byte, 0, arp.Length), p), kind})
}

// within returns a random duration from lo to hi.
func (d *Detector) within(lo, hi time.Duration) time.Duration {
	return lo + time.Duration(d.random.Uint64()%uint64(hi-lo+1))
}
