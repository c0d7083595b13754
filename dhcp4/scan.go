package dhcp4

import (
	"bytes"
	"errors"
	"net/netip"
	"time"

	"github.com/lessee/lessee/boottime"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// A Scan asks all servers on a link for an offer and takes none: no server
// reserves more for it than RFC 2131 section 3.1 step 2 has it, and no lease
// comes of it. It is used as a [Client] is: after NewScan and every Handle the
// outputs are to be taken with Poll, and Timeout told when the Deadline comes.
// Where there is none, the scan is over. It is for one goroutine at a time.
type Scan struct {
	// c builds and checks messages; it is not started.
	c      *Client
	x      exchange
	sent   int
	end    boottime.Instant
	over   bool
	offers []*Offer
}

// An Offer is what one server offered. It is immutable once handed out.
type Offer struct {
	// Lease is what the server would grant. Server is option 54, and not valid
	// where that is absent; ServerLink is the link address the OFFER came from;
	// Start is when it arrived. Where Refusal is set, Address, Duration, T1 and
	// T2 may be zero.
	Lease Lease
	// From is the IP source address.
	From netip.Addr
	// After is how long after the last DISCOVER the OFFER came.
	After time.Duration
	// RapidCommit says that the OFFER carries option 80.
	RapidCommit bool
	// Refusal says why a [Client] would not take it; 0 if it would.
	Refusal Rejection
}

// Found says that a server made an offer that was not known yet.
type Found struct{ Offer *Offer }

func (Found) output() {}

// scanWaits are the waits between the DISCOVERs of a scan, which leave at 0, 1
// and 3 s: one may be lost, or a port not yet forward.
var scanWaits = [...]time.Duration{time.Second, 2 * time.Second}

const maxScan = time.Hour

// maxOffers bounds what a scan keeps: on a link with more servers than that
// something is wrong, and its user knows.
const maxOffers = 64

// NewScan returns a scan that begins now, with a first DISCOVER, and listens
// for the given time, 1 s to 1 hour. Of the Config the identity and the wishes
// count: a server offers what it would offer a client that has the same. The
// error says what is not valid.
func NewScan(cfg Config, now boottime.Instant, during time.Duration) (*Scan, error) {
	if during < time.Second || during > maxScan {
		return nil, errors.New("dhcp4: a scan must last 1s to 1h")
	}
	c, err := New(cfg)
	if err != nil {
		return nil, err
	}
	s := &Scan{c: c, x: c.newExchange(now, c.clientID), end: now.Add(during)}
	s.send(now)
	return s, nil
}

func (s *Scan) send(now boottime.Instant) {
	s.c.sendDiscover(now, &s.x, false)
	s.x.last = now
	s.x.next = s.end
	if s.sent < len(scanWaits) {
		s.x.next = min(now.Add(scanWaits[s.sent]), s.end)
	}
	s.sent++
}

// Handle takes a [Datagram] or [Timeout]; other inputs mean nothing to a scan.
func (s *Scan) Handle(now boottime.Instant, in Input) {
	if s.over || !now.Before(s.end) {
		s.over = true
		return
	}
	switch in := in.(type) {
	case Datagram:
		m, r := s.c.addressed(in)
		if r == accepted {
			r = m.inExchange(&s.x)
		}
		if r == accepted {
			r = s.offered(now, m)
		}
		if r != accepted {
			s.c.reject(r)
		}
	case Timeout:
		if !now.Before(s.x.next) {
			s.send(now)
		}
	case Start, StartReleased, Stop, LinkUp, LinkDown, Renew, Release, Conflict:
	}
}

// Poll returns the next output, false if there is none: [Transmit], [Found] or
// [Dropped].
func (s *Scan) Poll() (Output, bool) { return s.c.Poll() }

// Deadline returns when Timeout is to be told; false if the scan is over.
func (s *Scan) Deadline() (boottime.Instant, bool) { return s.x.next, !s.over }

// Offers returns the offers so far, in their order, one for each server and
// link address. The slice belongs to the caller.
func (s *Scan) Offers() []*Offer { return append([]*Offer(nil), s.offers...) }

// Counters returns a copy of the counters.
func (s *Scan) Counters() Counters { return s.c.Counters() }

func (s *Scan) offered(now boottime.Instant, m message) Rejection {
	if id, ok := m.Option(wire.OptionClientID); ok && !bytes.Equal(id, s.x.clientID) {
		return RejectClientID
	}
	switch m.MessageType() {
	case wire.Offer:
	case 0:
		return RejectNoMessageType
	case wire.ACK, wire.NAK:
		return RejectUnexpected
	case wire.Discover, wire.Request, wire.Decline, wire.Release, wire.Inform, wire.ForceRenew:
		return RejectMessageType
	default:
		return RejectMessageType
	}
	s.c.counters.countReceived(wire.Offer)
	o := &Offer{From: m.from, After: now.Sub(s.x.last)}
	l := &o.Lease
	l.ServerLink, l.ClientID, l.Start = s.c.linkOf(m), s.x.clientID, now
	server, named := m.Addr(wire.OptionServerID)
	switch {
	case !named:
		o.Refusal = RejectNoServerID
	case !isHost(server):
		o.Refusal = RejectBadServerID
	default:
		l.Server, m.server = server, server
	}
	for _, known := range s.offers {
		if known.Lease.Server == l.Server && known.From == o.From && bytes.Equal(known.Lease.ServerLink, l.ServerLink) {
			return accepted // the answer to another DISCOVER
		}
	}
	if len(s.offers) >= maxOffers {
		return RejectUnexpected
	}
	if relay := m.Relay(); isHost(relay) {
		l.Relay = relay
	}
	t, r := termsOf(m)
	if r == accepted {
		l.Address = t.address
		setTimes(l, t.duration, m)
	} else if o.Refusal == accepted {
		o.Refusal = r
	}
	setParameters(l, m)
	_, o.RapidCommit = m.Option(wire.OptionRapidCommit)
	s.offers = append(s.offers, o)
	s.c.emit(Found{o})
	return accepted
}
