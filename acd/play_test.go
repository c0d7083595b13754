package acd

import (
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/wire/arp"
)

// A watcher holds the detector to what its documentation promises, with a
// model of its own.
type watcher struct {
	*world
	timing  Timing
	defence Defence

	link    bool
	address netip.Addr // not valid while stopped
	inUse   bool       // from Clear or Start in mode Optimistic on
	checked bool       // Clear was said since the last link-up
	probes  int        // since then
	lastOwn boottime.Instant
	sent    bool // lastOwn is one
	claimed boottime.Instant
	defends bool // claimed is the time of a defence
}

func (w *watcher) tell(in Input) {
	w.t.Helper()
	before := w.d.State()
	switch in := in.(type) {
	case Start:
		a := in.Address.Unmap()
		if !canHold(a) {
			w.address = netip.Addr{}
			break
		}
		if a != w.d.addr() {
			w.defends = false
		}
		w.address, w.inUse, w.checked, w.probes = a, in.Mode == Optimistic, false, 0
	case Stop:
		w.address = netip.Addr{}
	case LinkUp:
		if !w.link {
			w.checked, w.probes = false, 0
			w.link = true
		}
	case LinkDown:
		w.link = false
	case Packet, Timeout:
	}
	for _, o := range w.world.tell(in) {
		w.check(in, before, o)
	}
	if len(w.out) > 3 {
		w.t.Fatalf("%T: %d outputs", in, len(w.out))
	}
	w.checkRest(in)
}

func (w *watcher) check(in Input, before State, o Output) {
	w.t.Helper()
	switch o := o.(type) {
	case Transmit:
		w.checkTransmit(in, o)
	case Clear:
		if o.Address != w.address || w.checked || w.probes != w.timing.ProbeNum || w.now.Sub(w.lastOwn) != 0 {
			w.t.Fatalf("%T: %+v after %d probes, clear before: %v", in, o, w.probes, w.checked)
		}
		w.inUse, w.checked = true, true
	case Conflict:
		p, ok := in.(Packet)
		if !ok || o.Address != w.address || !w.link || o.By == testMAC {
			w.t.Fatalf("%T: %+v, of %v", in, o, w.address)
		}
		a, err := arp.Parse(p.ARP)
		switch {
		case err != nil || p.Ours || a.SenderHardware != o.By:
			w.t.Fatalf("%+v for %+v", o, p)
		case a.Sender != w.address && (w.inUse || p.Unicast || !a.IsProbe() || a.Target != w.address):
			w.t.Fatalf("%+v for %+v, in use: %v", o, a, w.inUse)
		case w.checked && w.defence == DefendAlways:
			w.t.Fatalf("an address that is always defended is given up")
		case w.checked && w.defence == DefendOnce && (!w.defends || w.now.Sub(w.claimed) >= w.timing.DefendInterval):
			w.t.Fatalf("given up without a defence, %v", before)
		}
		w.address = netip.Addr{}
	case Defended:
		if !w.checked || w.defence == DefendNever || w.defends && w.now.Sub(w.claimed) < w.timing.DefendInterval {
			w.t.Fatalf("%T: %+v at %v after one at %v", in, o, w.now, w.claimed)
		}
		w.claimed, w.defends = w.now, true
	}
}

func (w *watcher) checkTransmit(in Input, o Transmit) {
	w.t.Helper()
	if !w.link || !w.address.IsValid() {
		w.t.Fatalf("%T: a %v, link %v, address %v", in, o.Kind, w.link, w.address)
	}
	want := arp.Announcement(testMAC, w.address)
	switch o.Kind {
	case KindProbe:
		want = arp.Probe(testMAC, w.address)
		w.probes++
		if w.sent && w.now.Sub(w.lastOwn) < w.timing.ProbeMin {
			w.t.Fatalf("%T: a probe %v after the packet before", in, w.now.Sub(w.lastOwn))
		}
	case KindAnnounce:
		if least := min(w.timing.AnnounceInterval, w.timing.AnnounceWait); w.now.Sub(w.lastOwn) < least {
			w.t.Fatalf("%T: an announcement %v after the packet before", in, w.now.Sub(w.lastOwn))
		}
	case KindDefend:
		if !w.defends || w.claimed != w.now {
			w.t.Fatalf("%T: a defence against nobody", in)
		}
	}
	if p, err := arp.Parse(o.Packet); err != nil || p != want || len(o.Packet) != arp.Length {
		w.t.Fatalf("%v: %+v, %v; want %+v", o.Kind, p, err, want)
	}
	if o.Kind != KindDefend {
		w.lastOwn, w.sent = w.now, true
	}
}

// checkRest holds after any input.
func (w *watcher) checkRest(in Input) {
	w.t.Helper()
	if w.d.Address() != w.address || w.d.Listening() != (w.link && w.address.IsValid()) {
		w.t.Fatalf("%T: address %v, listening %v; want %v, link %v", in, w.d.Address(), w.d.Listening(), w.address, w.link)
	}
	at, why, ok := w.d.Deadline()
	if ok && !w.d.Listening() {
		w.t.Fatalf("%T: a deadline for %v while %v", in, why, w.d.State())
	}
	if _, timeout := in.(Timeout); timeout && ok && !at.After(w.now) {
		w.t.Fatalf("after a Timeout at %v the deadline is at %v", w.now, at)
	}
	switch s := w.d.State(); s {
	case StateStopped:
		if w.address.IsValid() {
			w.t.Fatalf("%T: %v with %v", in, s, w.address)
		}
	case StateWaiting, StateProbing:
		if w.inUse {
			w.t.Fatalf("%T: %v, but in use", in, s)
		}
	case StateHeld, StateChecking:
		if !w.inUse {
			w.t.Fatalf("%T: %v, but not in use", in, s)
		}
	case StateAnnouncing, StateListening:
		if !w.inUse || !w.checked {
			w.t.Fatalf("%T: %v, in use: %v, clear: %v", in, s, w.inUse, w.checked)
		}
	}
}

// A tape is a series of choices.
type tape []byte

func (t *tape) byte() byte {
	if len(*t) == 0 {
		return 0
	}
	b := (*t)[0]
	*t = (*t)[1:]
	return b
}

func (t *tape) take(n int) []byte {
	n = min(n, len(*t))
	v := (*t)[:n]
	*t = (*t)[n:]
	return v
}

var addrs = []netip.Addr{
	testAddr, testAddr, testAddr, netip.MustParseAddr("192.0.2.6"),
	netip.IPv4Unspecified(), netip.MustParseAddr("224.0.0.1"), netip.MustParseAddr("2001:db8::1"),
	{},
}

func (t *tape) addr() netip.Addr { return addrs[int(t.byte())%len(addrs)] }

func (t *tape) packet() Packet {
	hw := arp.HardwareAddr{2, 0, 0, 0, 0, 2 + t.byte()%3}
	b := t.byte()
	p := arp.Packet{Op: arp.Op(1 + b%2), SenderHardware: hw, Sender: t.addr(), Target: t.addr()}
	return Packet{ARP: arp.Append(nil, p), Ours: hw[5] == 4, Unicast: b&4 != 0}
}

// play plays a series of inputs and checks what is promised of every one. It
// returns all outputs.
func play(t tb, in []byte) []Output {
	tp := tape(in)
	w := &watcher{}
	w.world = newWorld(t, func(cfg *Config) {
		b := tp.byte()
		cfg.Seed = uint64(b)
		if b&1 != 0 {
			cfg.Timing = DefaultTiming
		}
		cfg.Defence = Defence(b>>1) % 3
		w.timing, w.defence = cfg.Timing, cfg.Defence
	})
	var all []Output
	for n := 0; len(tp) > 0 && n < 300; n++ {
		switch tp.byte() % 10 {
		case 0:
			w.tell(Start{Address: tp.addr(), Mode: Mode(tp.byte() % 2)})
		case 1:
			w.tell(LinkUp{})
		case 2:
			w.tell(LinkDown{})
		case 3:
			w.tell(Stop{})
		case 4, 5:
			w.tell(tp.packet())
		case 6:
			w.tell(Packet{ARP: tp.take(int(tp.byte() % 40))})
		case 7:
			w.tell(Timeout{})
		case 8:
			if at, _, ok := w.d.Deadline(); ok {
				w.now = max(w.now, at)
			}
			w.tell(Timeout{})
		case 9: // time passes unnoticed
			w.now = w.now.Add(time.Duration(tp.byte()) << (16 + tp.byte()%20))
			w.tell(nil)
		}
		all = append(all, w.out...)
	}
	// Left alone, it comes to rest.
	for n := 0; ; n++ {
		at, _, ok := w.d.Deadline()
		if !ok {
			return all
		}
		if n > 2*maxTries {
			t.Fatal("the detector does not come to rest")
		}
		w.now = max(w.now, at)
		w.tell(Timeout{})
	}
}

// FuzzHandle plays any series of inputs.
func FuzzHandle(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 1, 8, 8, 8, 8, 8, 4, 1, 1, 0, 0, 9, 200, 19, 4, 1, 0, 0, 0})
	f.Add([]byte{1, 1, 0, 0, 1, 4, 0, 0, 0, 0, 8, 4, 1, 0, 4, 0, 8, 8, 8, 2, 1, 8, 4, 1, 1, 0, 0})
	f.Add([]byte{5, 1, 0, 3, 1, 8, 8, 8, 8, 4, 1, 1, 3, 3, 4, 1, 1, 3, 3, 9, 255, 29, 4, 1, 1, 3, 3})
	f.Fuzz(func(t *testing.T, in []byte) { play(t, in) })
}

// TestPropertyAnySeries is FuzzHandle with series made at random; each is
// played twice, with the same outcome.
func TestPropertyAnySeries(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		in := rapid.SliceOfN(rapid.Byte(), 1, 400).Draw(r, "series")
		first, second := play(r, in), play(r, in)
		if len(first) != len(second) {
			r.Fatalf("%d outputs, then %d", len(first), len(second))
		}
		for i := range first {
			a, isPacket := first[i].(Transmit)
			if b, _ := second[i].(Transmit); isPacket && (a.Kind != b.Kind || string(a.Packet) != string(b.Packet)) || !isPacket && first[i] != second[i] {
				r.Fatalf("%+v, then %+v", first[i], second[i])
			}
		}
	})
}
