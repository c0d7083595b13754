package ipv4ll

import (
	"net/netip"
	"time"

	"github.com/lessee/lessee/acd"
	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/wire/arp"
)

var (
	testMAC = arp.HardwareAddr{2, 0, 0, 0, 0, 2}
	peerMAC = arp.HardwareAddr{2, 0, 0, 0, 0, 7}
)

// tb is what a test, a fuzz test and a property test have in common.
type tb interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// A world is a client, its virtual clock and what it did last.
type world struct {
	t   tb
	c   *Client
	now boottime.Instant
	out []Output
}

func newWorld(t tb, change func(*Config)) *world {
	t.Helper()
	cfg := Config{HardwareAddr: testMAC, Seed: 1}
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
		w.t.Fatalf("while %v there is no deadline", w.c.State())
	}
	w.now = max(w.now, at)
	return w.tell(Timeout{})
}

// bind goes from a new client to an address.
func (w *world) bind(last netip.Addr) netip.Addr {
	w.t.Helper()
	w.tell(LinkUp{})
	w.tell(Start{Last: last})
	for range 10 {
		if p, ok := w.c.Address(); ok {
			return p.Addr()
		}
		w.wait()
	}
	w.t.Fatalf("no address while %v", w.c.State())
	return netip.Addr{}
}

// claim is an ARP packet of another host that uses an address.
func claim(addr netip.Addr, by arp.HardwareAddr) Packet {
	return Packet{ARP: arp.Append(nil, arp.Announcement(by, addr))}
}

// candidate is the address that is ours or is to be.
func (w *world) candidate() netip.Addr {
	w.t.Helper()
	a, ok := w.c.Listening()
	if !ok {
		w.t.Fatalf("while %v no packets are wanted", w.c.State())
	}
	return a
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

// sent returns the kinds of the packets of the last outputs.
func (w *world) sent() []acd.Kind {
	var all []acd.Kind
	for _, o := range w.out {
		if t, ok := o.(Transmit); ok {
			all = append(all, t.Kind)
		}
	}
	return all
}
