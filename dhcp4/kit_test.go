package dhcp4

import (
	"net/netip"
	"testing"
	"time"

	"github.com/lessee/lessee/boottime"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

var (
	testMAC    = []byte{2, 0, 0, 0, 0, 2}
	testServer = netip.MustParseAddr("10.77.0.1")
	testLink   = []byte{2, 0, 0, 0, 0, 1}
	testAddr   = netip.MustParseAddr("10.77.0.105")
)

// A world is a client, its virtual clock and what it did last.
type world struct {
	t   testing.TB
	c   *Client
	now boottime.Instant
	out []Output
}

func newWorld(t testing.TB, change func(*Config)) *world {
	t.Helper()
	cfg := Config{HardwareType: 1, HardwareAddr: testMAC, Seed: 1}
	if change != nil {
		change(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &world{t: t, c: c, now: boottime.Instant(100 * time.Second)}
}

// tell handles an input and returns all outputs.
func (w *world) tell(in Input) []Output {
	w.c.Handle(w.now, in)
	w.out = nil
	for {
		o, ok := w.c.Poll()
		if !ok {
			return w.out
		}
		w.out = append(w.out, o)
	}
}

// wait goes to the next deadline and tells it.
func (w *world) wait() []Output {
	w.t.Helper()
	at, _, ok := w.c.Deadline()
	if !ok {
		w.t.Fatalf("in %v there is no deadline", w.c.State())
	}
	w.now = max(w.now, at)
	return w.tell(Timeout{})
}

// sent returns the messages of the last outputs.
func (w *world) sent() []Transmit {
	var all []Transmit
	for _, o := range w.out {
		if t, ok := o.(Transmit); ok {
			all = append(all, t)
		}
	}
	return all
}

// find returns the first output of a type.
func find[T Output](outs []Output) (T, bool) {
	for _, o := range outs {
		if v, ok := o.(T); ok {
			return v, true
		}
	}
	var none T
	return none, false
}

// A reply describes a server's message; zero fields have usual values.
type reply struct {
	t       wire.MessageType
	xid     uint32
	your    netip.Addr
	server  netip.Addr
	lease   uint32
	t1, t2  uint32
	mask    netip.Addr
	change  func(*wire.Builder)
	without map[wire.OptionCode]bool
}

func (r reply) bytes() []byte {
	b := wire.NewBuilder(wire.OpReply, 1, testMAC, r.xid)
	b.AddMessageType(r.t)
	has := func(o wire.OptionCode) bool { return !r.without[o] }
	if has(wire.OptionServerID) {
		b.AddAddr(wire.OptionServerID, r.server)
	}
	if r.t != wire.NAK {
		b.SetYourAddr(r.your)
		if has(wire.OptionLeaseTime) {
			b.AddUint32(wire.OptionLeaseTime, r.lease)
		}
		if has(wire.OptionSubnetMask) {
			b.AddAddr(wire.OptionSubnetMask, r.mask)
		}
		if r.t1 != 0 {
			b.AddUint32(wire.OptionT1, r.t1)
		}
		if r.t2 != 0 {
			b.AddUint32(wire.OptionT2, r.t2)
		}
	}
	if r.change != nil {
		r.change(b)
	}
	return b.Bytes()
}

// newReply answers the exchange that is under way.
func (w *world) newReply(t wire.MessageType) reply {
	r := reply{
		t: t, your: testAddr, server: testServer, lease: 3600,
		mask: netip.MustParseAddr("255.255.255.0"),
	}
	if x := w.c.state.awaited(); x != nil {
		r.xid = x.xid
	}
	return r
}

func (w *world) reply(r reply) []Output {
	return w.tell(Datagram{Message: r.bytes(), From: r.server, Link: testLink})
}

// bind goes from a new client to BOUND.
func (w *world) bind() *Lease {
	w.t.Helper()
	w.tell(LinkUp{})
	w.tell(Start{})
	w.reply(w.newReply(wire.Offer))
	w.reply(w.newReply(wire.ACK))
	l, ok := w.c.Lease()
	if !ok {
		w.t.Fatalf("no lease in %v", w.c.State())
	}
	return l
}

// digest is option 90 of a FORCERENEW with that replay detection value and a
// digest of zeros.
func digest(replay uint64) []byte { return wire.DigestAuth(replay, [16]byte{}).Append(nil) }
