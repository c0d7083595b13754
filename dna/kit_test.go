package dna

import (
	"net/netip"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/wire/arp"
)

var testMAC = arp.HardwareAddr{2, 0, 0, 0, 0, 2}

// home is a network that the host knows: its n-th.
func home(n byte) Candidate {
	return Candidate{
		Address:    netip.AddrFrom4([4]byte{10, n, 0, 5}),
		Router:     netip.AddrFrom4([4]byte{10, n, 0, 1}),
		RouterLink: arp.HardwareAddr{2, 0, 0, 0, 1, n},
	}
}

// answer is what the candidate's router answers.
func answer(c Candidate) arp.Packet {
	return arp.Packet{Op: arp.OpReply, SenderHardware: c.RouterLink, Sender: c.Router, TargetHardware: testMAC, Target: c.Address}
}

func packet(p arp.Packet) Packet { return Packet{ARP: arp.Append(nil, p)} }

// tb is what a test, a fuzz test and a property test have in common.
type tb interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// A world is a prober, its virtual clock and what it did last.
type world struct {
	t   tb
	p   *Prober
	now boottime.Instant
	out []Output
}

func newWorld(t tb) *world {
	t.Helper()
	p, err := New(Config{HardwareAddr: testMAC})
	if err != nil {
		t.Fatal(err)
	}
	return &world{t: t, p: p, now: boottime.Instant(100 * time.Second)}
}

// tell handles an input and returns all outputs.
func (w *world) tell(in Input) []Output {
	w.p.Handle(w.now, in)
	w.out = nil
	for {
		o, ok := w.p.Poll()
		if !ok {
			return w.out
		}
		w.out = append(w.out, o)
	}
}

// wait goes to the next deadline and tells it.
func (w *world) wait() []Output {
	w.t.Helper()
	at, _, ok := w.p.Deadline()
	if !ok {
		w.t.Fatal("there is no deadline")
	}
	w.now = max(w.now, at)
	return w.tell(Timeout{})
}

// count returns the number of outputs of a type.
func count[T Output](outs []Output) (n int) {
	for _, o := range outs {
		if _, ok := o.(T); ok {
			n++
		}
	}
	return n
}
