package ipv4ll

import (
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lessee/lessee/acd"
	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/wire/arp"
)

// A watcher holds the client to what its documentation promises, with a model
// of its own.
type watcher struct {
	*world
	link, started bool
	ours          netip.Prefix // not valid if none is
	since         boottime.Instant
	conflicts     int
	tried         boottime.Instant
}

func (w *watcher) tell(in Input) {
	w.t.Helper()
	state, before := w.c.State(), w.c.address
	switch in.(type) {
	case Start:
		w.started = true
	case Stop:
		w.started = false
	case LinkUp:
		w.link = true
	case LinkDown:
		w.link = false
	}
	for _, o := range w.world.tell(in) {
		switch o := o.(type) {
		case Transmit:
			w.checkTransmit(in, o)
		case Acquired:
			if w.ours.IsValid() || !w.link || !w.started || o.Address.Bits() != 16 || !Usable(o.Address.Addr()) {
				w.t.Fatalf("%T: %+v, but %v is ours; link %v, started %v", in, o, w.ours, w.link, w.started)
			}
			w.ours, w.since = o.Address, w.now
		case Lost:
			w.checkLost(in, o)
		case Taken:
			w.conflicts++
			if _, ok := in.(Packet); !ok || w.ours.IsValid() || o.Address != before || o.By == testMAC {
				w.t.Fatalf("%T: %+v, the candidate is %v, ours is %v", in, o, before, w.ours)
			}
		case Defended:
			if w.ours.Addr() != o.Address {
				w.t.Fatalf("%T: %+v, ours is %v", in, o, w.ours)
			}
		}
	}
	if w.c.State() == StateClaiming && (state != StateClaiming || w.c.address != before) {
		if w.conflicts >= MaxConflicts && w.now.Sub(w.tried) < RateLimitInterval {
			w.t.Fatalf("%T: after %d conflicts an address is tried at %v, the one before was at %v", in, w.conflicts, w.now, w.tried)
		}
		w.tried = w.now
	}
	w.checkRest(in)
}

func (w *watcher) checkLost(in Input, o Lost) {
	w.t.Helper()
	if o.Address != w.ours {
		w.t.Fatalf("%T: %+v, ours is %v", in, o, w.ours)
	}
	if w.now.Sub(w.since) >= RateLimitInterval {
		w.conflicts = 0
	}
	right := false
	switch in.(type) {
	case Stop:
		right = o.Why == LossStopped
	case LinkDown:
		right = o.Why == LossLink
	case Packet:
		right = o.Why == LossConflict
		w.conflicts++
	}
	if !right || (o.Why == LossConflict) != (o.By != arp.HardwareAddr{}) {
		w.t.Fatalf("%T: %+v", in, o)
	}
	w.ours = netip.Prefix{}
}

func (w *watcher) checkTransmit(in Input, o Transmit) {
	w.t.Helper()
	p, err := arp.Parse(o.Packet)
	if err != nil || !w.link || !w.started || p.SenderHardware != testMAC || !Usable(p.Target) {
		w.t.Fatalf("%T: %+v, %v; link %v, started %v", in, p, err, w.link, w.started)
	}
	if (o.Kind == acd.KindProbe) != p.IsProbe() || (o.Kind != acd.KindProbe) != p.IsAnnouncement() {
		w.t.Fatalf("%T: %+v as %v", in, p, o.Kind)
	}
}

// checkRest holds after any input.
func (w *watcher) checkRest(in Input) {
	w.t.Helper()
	if p, ok := w.c.Address(); ok != w.ours.IsValid() || p != w.ours {
		w.t.Fatalf("%T: %v is ours, told was %v", in, p, w.ours)
	}
	if w.ours.IsValid() && (!w.link || !w.started) {
		w.t.Fatalf("%T: %v is ours, link %v, started %v", in, w.ours, w.link, w.started)
	}
	state := w.c.State()
	if (state == StateStopped) == w.started || (state == StateWaiting) != (w.started && !w.link) {
		w.t.Fatalf("%T: %v, link %v, started %v", in, state, w.link, w.started)
	}
	a, listening := w.c.Listening()
	if listening != (state == StateClaiming || state == StateBound) || listening && a != w.c.address {
		w.t.Fatalf("%T: %v, listening for %v, %v", in, state, a, listening)
	}
	at, _, ok := w.c.Deadline()
	if ok && (!w.link || !w.started) || !ok && (state == StateClaiming || state == StateResting) {
		w.t.Fatalf("%T: %v, deadline %v", in, state, ok)
	}
	if _, timeout := in.(Timeout); timeout && ok && !at.After(w.now) {
		w.t.Fatalf("after a Timeout at %v the deadline is at %v", w.now, at)
	}
}

// play plays a series of inputs and checks what is promised of every one.
func play(t tb, in []byte) {
	next := func() (b byte) {
		if len(in) > 0 {
			b, in = in[0], in[1:]
		}
		return b
	}
	w := &watcher{}
	w.world = newWorld(t, func(cfg *Config) {
		b := next()
		cfg.Seed = uint64(b)
		cfg.Defence = acd.Defence(b % 2)
		if b&2 != 0 {
			cfg.Timing = acd.DefaultTiming
		}
	})
	for n := 0; len(in) > 0 && n < 400; n++ {
		switch next() % 11 {
		case 0:
			lasts := []netip.Addr{{}, First, Final, First.Prev(), Final.Next(), netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("::ffff:169.254.7.9")}
			w.tell(Start{Last: lasts[int(next())%len(lasts)]})
		case 1:
			w.tell(LinkUp{})
		case 2:
			w.tell(LinkDown{})
		case 3:
			w.tell(Stop{})
		case 4, 5, 6: // mostly somebody who is in the way
			b := next()
			p := claim(w.c.address, arp.HardwareAddr{2, 0, 0, 0, 0, 2 + b%4})
			if b&16 != 0 {
				p.ARP = arp.Append(nil, arp.Probe(peerMAC, w.c.address))
			}
			p.Ours = b&32 != 0
			w.tell(p)
		case 7:
			n := min(int(next()%40), len(in))
			w.tell(Packet{ARP: in[:n]})
			in = in[n:]
		case 8:
			w.tell(Timeout{})
		case 9:
			if at, _, ok := w.c.Deadline(); ok {
				w.now = max(w.now, at)
			}
			w.tell(Timeout{})
		case 10: // time passes unnoticed
			w.now = w.now.Add(time.Duration(next()) << (16 + next()%20))
			w.tell(nil)
		}
	}
	// Left alone on a link it has an address within bounded time.
	w.tell(LinkUp{})
	w.tell(Start{})
	start := w.now
	for n := 0; ; n++ {
		at, _, ok := w.c.Deadline()
		if !ok {
			break
		}
		if n > 20 {
			t.Fatalf("the client does not come to rest while %v", w.c.State())
		}
		w.now = max(w.now, at)
		w.tell(Timeout{})
	}
	if !w.ours.IsValid() || w.now.Sub(start) > RateLimitInterval+15*time.Second {
		t.Fatalf("left alone for %v, %v is ours", w.now.Sub(start), w.ours)
	}
}

// FuzzHandle plays any series of inputs.
func FuzzHandle(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 9, 9, 9, 9, 9, 4, 1, 4, 1, 9, 2, 1, 9, 3})
	f.Add([]byte{3, 1, 0, 6, 4, 1, 4, 1, 4, 1, 4, 1, 4, 1, 4, 1, 4, 1, 4, 1, 4, 1, 4, 1, 4, 17, 9, 2, 1, 3, 0, 0, 9})
	f.Fuzz(func(t *testing.T, in []byte) { play(t, in) })
}

// TestPropertyAnySeries is FuzzHandle with series made at random.
func TestPropertyAnySeries(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) { play(r, rapid.SliceOfN(rapid.Byte(), 1, 400).Draw(r, "series")) })
}
