package acd

import (
	"net/netip"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/wire/arp"
)

var (
	testMAC  = arp.HardwareAddr{2, 0, 0, 0, 0, 2}
	peerMAC  = arp.HardwareAddr{2, 0, 0, 0, 0, 7}
	testAddr = netip.MustParseAddr("192.0.2.5")
)

// tb is what a test, a fuzz test and a property test have in common.
type tb interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// A world is a detector, its virtual clock and what it did last.
type world struct {
	t   tb
	d   *Detector
	now boottime.Instant
	out []Output
}

func newWorld(t tb, change func(*Config)) *world {
	t.Helper()
	cfg := Config{HardwareAddr: testMAC, Timing: RFC5227, Seed: 1}
	if change != nil {
		change(&cfg)
	}
	d, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &world{t: t, d: d, now: boottime.Instant(100 * time.Second)}
}

// tell handles an input and returns all outputs.
func (w *world) tell(in Input) []Output {
	w.d.Handle(w.now, in)
	w.out = nil
	for {
		o, ok := w.d.Poll()
		if !ok {
			return w.out
		}
		w.out = append(w.out, o)
	}
}

// wait goes to the next deadline and tells it.
func (w *world) wait() []Output {
	w.t.Helper()
	at, _, ok := w.d.Deadline()
	if !ok {
		w.t.Fatalf("while %v there is no deadline", w.d.State())
	}
	w.now = max(w.now, at)
	return w.tell(Timeout{})
}

// until goes from deadline to deadline up to a state.
func (w *world) until(s State) {
	w.t.Helper()
	for n := 0; w.d.State() != s; n++ {
		if n > 50 {
			w.t.Fatalf("%v instead of %v", w.d.State(), s)
		}
		w.wait()
	}
}

// sent returns the kinds of the packets of the last outputs.
func (w *world) sent() []Kind {
	var all []Kind
	for _, o := range w.out {
		if t, ok := o.(Transmit); ok {
			all = append(all, t.Kind)
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

// claim is an ARP packet of another host that uses the address.
func claim(op arp.Op, addr netip.Addr, by arp.HardwareAddr) Packet {
	p := arp.Announcement(by, addr)
	p.Op = op
	return Packet{ARP: arp.Append(nil, p)}
}

// probe is another host's question for the address.
func probe(addr netip.Addr, by arp.HardwareAddr) Packet {
	return Packet{ARP: arp.Append(nil, arp.Probe(by, addr))}
}
