package dhcp4

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/lessee/lessee/boottime"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// A tape is the fuzzer's input, read as a series of choices.
type tape []byte

func (t *tape) byte() byte {
	if len(*t) == 0 {
		return 0
	}
	b := (*t)[0]
	*t = (*t)[1:]
	return b
}

func (t *tape) uint32() uint32 {
	return binary.BigEndian.Uint32([]byte{t.byte(), t.byte(), t.byte(), t.byte()})
}

func (t *tape) take(n int) []byte {
	n = min(n, len(*t))
	v := (*t)[:n]
	*t = (*t)[n:]
	return v
}

// A watcher holds the client to what its documentation promises.
type watcher struct {
	*world
	link, started bool
	asked         bool
	lease         *Lease
	state         State
	dropped       uint64
}

// tell handles an input and checks the outputs.
func (w *watcher) tell(in Input) {
	w.t.Helper()
	switch in := in.(type) {
	case LinkUp:
		w.link = true
	case LinkDown:
		w.link = false
	case Start, StartReleased, StartInform:
		w.started = true
	case Stop:
		w.started = false
	case Datagram, Renew, Release, Conflict, Remember, Confirmed, Timeout:
		_ = in
	}
	wasStopped := w.c.stopped()
	outs := w.world.tell(in)
	if in, ok := in.(Start); ok && wasStopped && in.InUse {
		// The only lease that comes without Acquired: the adapter has it.
		if l, held := w.c.Lease(); held && l == in.Lease {
			w.lease = l
		}
	}
	if len(outs) > 8 {
		w.t.Fatalf("%T: %d outputs", in, len(outs))
	}
	answers := 0
	for _, o := range outs {
		switch o := o.(type) {
		case Transmit:
			w.checkTransmit(in, o)
		case Acquired:
			w.checkAcquired(o)
		case Lost:
			if w.lease != nil && o.Lease != w.lease {
				w.t.Fatalf("%T: %+v is lost, but %+v is in use", in, o.Lease, w.lease)
			}
			w.lease = nil
		case Done:
			answers++
			w.checkDone(in, o)
		case Moved:
			if o.From != w.state || o.From == o.To {
				w.t.Fatalf("%T: moved from %v to %v, but was in %v", in, o.From, o.To, w.state)
			}
			w.state = o.To
		case Received:
		case AutoConfigure:
		case Informed:
			if w.state != StateInforming || w.lease != nil || !o.Lease.Infinite {
				w.t.Fatalf("%T: informed in %v: %+v", in, w.state, o.Lease)
			}
		case Offered:
			if w.state != StateRequesting {
				w.t.Fatalf("%T: an offer is chosen in %v", in, w.state)
			}
		case Dropped:
			w.dropped++
		}
	}
	if _, ok := in.(Release); ok && answers != 1 || answers > 1 {
		w.t.Fatalf("%T: %d answers", in, answers)
	}
	if in == (Stop{}) {
		w.link = false
		if w.asked {
			w.t.Fatal("a Renew is not answered by Stop")
		}
	}
	w.check(in)
}

func (w *watcher) checkTransmit(in Input, o Transmit) {
	w.t.Helper()
	if !w.link || !w.started {
		w.t.Fatalf("%T: a %v, link %v, started %v", in, o.Type, w.link, w.started)
	}
	if w.state == StateReleased && o.Type != wire.Release {
		w.t.Fatalf("%T: a %v in RELEASED", in, o.Type)
	}
	p, err := wire.Parse(o.Message)
	if err != nil || p.MessageType() != o.Type || p.Op() != wire.OpRequest {
		w.t.Fatalf("%T: %v: %v", in, o, err)
	}
	if o.Source != unspecified && o.Source != p.ClientAddr() {
		w.t.Fatalf("%T: %v from %v, ciaddr %v", in, o.Type, o.Source, p.ClientAddr())
	}
	if o.Source == unspecified != (p.ClientAddr() == unspecified) {
		w.t.Fatalf("%T: %v from %v, ciaddr %v", in, o.Type, o.Source, p.ClientAddr())
	}
}

func (w *watcher) checkAcquired(o Acquired) {
	w.t.Helper()
	l := o.Lease
	if !l.sane() {
		w.t.Fatalf("acquired %+v", l)
	}
	if o.Renewed != (w.lease != nil) || w.lease != nil && w.lease.Address.Addr() != l.Address.Addr() {
		w.t.Fatalf("acquired %+v, renewed %v, in use was %+v", l, o.Renewed, w.lease)
	}
	if l.Start.After(w.now) {
		w.t.Fatalf("a lease from %v, now is %v", l.Start, w.now)
	}
	w.lease = l
}

func (w *watcher) checkDone(in Input, o Done) {
	w.t.Helper()
	switch o.Op {
	case OpRenew:
		if _, now := in.(Renew); !w.asked && !now {
			w.t.Fatalf("%T: an answer to no Renew", in)
		}
		w.asked = false
	case OpRelease:
		if _, now := in.(Release); !now {
			w.t.Fatalf("%T: an answer to no Release", in)
		}
		if o.Err == nil {
			w.asked = false
		}
	}
}

// check holds after any input.
func (w *watcher) check(in Input) {
	w.t.Helper()
	c := w.c
	if c.State() != w.state {
		w.t.Fatalf("%T: in %v, but moved to %v", in, c.State(), w.state)
	}
	if c.asked != w.asked {
		if _, ok := in.(Renew); !ok || w.asked {
			w.t.Fatalf("%T: a Renew is outstanding: %v, want %v", in, c.asked, w.asked)
		}
		w.asked = true
	}
	if l, ok := c.Lease(); ok != (w.lease != nil) || l != w.lease {
		w.t.Fatalf("%T: lease %+v, told was %+v", in, l, w.lease)
	}
	if w.lease != nil {
		if end, ends := w.lease.Expires(); ends && !w.now.Before(end) {
			w.t.Fatalf("%T: a lease in use after its end", in)
		}
	}
	at, why, timed := c.Deadline()
	if c.Awaiting() && (!timed || !w.link) {
		w.t.Fatalf("%T: an answer is awaited without a deadline, or a link", in)
	}
	switch w.state {
	case StateInforming:
	case StateIPv6Only:
		if w.lease != nil || c.Awaiting() {
			w.t.Fatalf("%T: a lease, or an answer awaited, in %v", in, w.state)
		}
	case StateInit, StateBound, StateInitReboot, StateReleased, StateInformed:
		if c.Awaiting() {
			w.t.Fatalf("%T: an answer is awaited in %v", in, w.state)
		}
	case StateSelecting, StateRequesting, StateRenewing, StateRebinding, StateRebooting:
		if !c.Awaiting() {
			w.t.Fatalf("%T: no answer is awaited in %v", in, w.state)
		}
	}
	if _, ok := in.(Timeout); ok && timed && !at.After(w.now) {
		w.t.Fatalf("after a Timeout at %v in %v the deadline %v is at %v", w.now, w.state, why, at)
	}
	var dropped uint64
	counters := c.Counters()
	for r := accepted + 1; r < rejections; r++ {
		dropped += counters.Rejected(r)
	}
	if dropped != w.dropped {
		w.t.Fatalf("%T: %d dropped, %d counted", in, w.dropped, dropped)
	}
}

// deadline goes to the deadline, if there is one.
func (w *watcher) deadline() {
	w.t.Helper()
	if at, _, ok := w.c.Deadline(); ok {
		w.now = max(w.now, at)
	}
	w.tell(Timeout{})
}

func (t *tape) addr() netip.Addr {
	// Mostly a few addresses that matter, sometimes any.
	switch t.byte() % 8 {
	case 0:
		v := t.uint32()
		return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
	case 1:
		return unspecified
	case 2:
		return netip.MustParseAddr("10.77.0.106")
	case 3:
		return testServer
	default:
		return testAddr
	}
}

func (t *tape) seconds() uint32 {
	switch t.byte() % 8 {
	case 0:
		return t.uint32()
	case 1:
		return 0xffffffff
	case 2:
		return 0
	case 3:
		return uint32(t.byte())
	default:
		return 60 * (1 + uint32(t.byte()))
	}
}

func (t *tape) lease(now boottime.Instant) *Lease {
	l := &Lease{
		Address: netip.PrefixFrom(t.addr(), int(t.byte()%34)), Server: t.addr(), ServerLink: t.take(int(t.byte() % 8)),
		ClientID: t.take(int(t.byte() % 8)), Start: now.Add(-time.Duration(t.seconds()) * time.Second),
		Duration: time.Duration(t.seconds()) * time.Second, Infinite: t.byte()%8 == 0,
	}
	l.T1, l.T2 = l.Duration/2, l.Duration/8*7
	if t.byte()%4 == 0 {
		l.T1, l.T2 = time.Duration(t.uint32()), time.Duration(t.uint32())<<8
	}
	return l
}

func (t *tape) leaseOrNone(now boottime.Instant) *Lease {
	if t.byte()%8 == 0 {
		return nil
	}
	return t.lease(now)
}

// reply is a server's message: mostly one that fits.
func (w *watcher) reply(t *tape) {
	b := t.byte()
	types := [...]wire.MessageType{wire.Offer, wire.ACK, wire.ACK, wire.NAK}
	if b == 255 {
		types[3] = wire.ForceRenew
	}
	r := w.newReply(types[b&3])
	r.without = map[wire.OptionCode]bool{}
	if b&4 != 0 {
		r.your, r.server = t.addr(), t.addr()
	}
	if b&8 != 0 {
		r.lease, r.t1, r.t2 = t.seconds(), t.seconds(), t.seconds()
	}
	if b&16 != 0 {
		r.mask = t.addr()
		r.without[wire.OptionCode(t.byte())] = true
	}
	if b&32 != 0 {
		r.change = func(b *wire.Builder) {
			for range t.byte() % 4 {
				b.AddOption(wire.OptionCode(t.byte()), t.take(int(t.byte()%32)))
			}
		}
	}
	if b&192 == 192 {
		r.xid ^= uint32(t.byte() & 1)
	}
	w.tell(Datagram{Message: r.bytes(), From: r.server, Link: t.take(int(t.byte() % 8))})
}

// FuzzHandle plays any series of inputs and checks what is promised of every one.
func FuzzHandle(f *testing.F) {
	// A life: start, up, offer, ack, deadlines, renew, ack, down, up, nak, release.
	f.Add([]byte{0, 3, 5, 1, 0, 1, 1, 11, 11, 7, 1, 1, 6, 5, 1, 3, 1, 0, 1, 1, 8, 7, 1, 0, 1, 1, 9, 11, 11, 4})
	f.Add([]byte{1, 2, 4, 0, 24, 4, 4, 0, 8, 4, 2, 9, 9, 5, 11, 11, 11, 12, 255, 255, 11})
	// An ACK that takes longer than the lease time.
	f.Add([]byte("\x00\x03\x05\x01\x00\x01\x01\v\v\a\xc2\xc2\xc2\x13\x13\x13\x13\xc2\x05\x1a\x03\x10\x00\x01\x01"))
	f.Fuzz(func(t *testing.T, in []byte) {
		tp := tape(in)
		w := &watcher{world: newWorld(t, func(cfg *Config) {
			b := tp.byte()
			cfg.Seed = uint64(b)
			if b&1 != 0 {
				cfg.Timing = StrictTiming
			}
			cfg.Broadcast, cfg.RapidCommit = b&2 != 0, b&4 != 0
			cfg.IPv6Only, cfg.AutoConfigure = b&8 != 0, b&16 != 0
			cfg.ForceRenew, cfg.Anonymous = b&32 != 0, b&64 != 0
		})}
		for n := 0; len(tp) > 0 && n < 400; n++ {
			switch tp.byte() % 16 {
			case 0:
				w.tell(Datagram{Message: tp.take(int(tp.byte())), From: testServer})
			case 1, 13:
				w.reply(&tp)
			case 2:
				w.tell(Start{Lease: tp.lease(w.now), InUse: tp.byte()&1 != 0})
			case 3:
				w.tell(Start{})
			case 4:
				switch tp.byte() % 4 {
				case 0:
					w.tell(Stop{})
				case 1:
					w.tell(StartInform{netip.PrefixFrom(tp.addr(), int(tp.byte()%34))})
				default:
					w.tell(StartReleased{Last: tp.addr()})
				}
			case 5:
				w.tell(LinkUp{})
			case 6:
				w.tell(LinkDown{})
			case 7:
				w.tell(Renew{})
			case 8:
				w.tell(Release{})
			case 9:
				w.tell(Conflict{Address: tp.addr(), By: tp.take(int(tp.byte() % 24))})
			case 10:
				w.tell(Timeout{})
			case 11:
				w.deadline()
			case 14:
				w.tell(Remember{Lease: tp.leaseOrNone(w.now)})
			case 15:
				w.tell(Confirmed{Lease: tp.leaseOrNone(w.now)})
			case 12: // time passes unnoticed
				w.now = w.now.Add(time.Duration(tp.uint32()) << (tp.byte() % 24))
				w.tell(nil)
			}
		}
		// Left alone, it comes to each deadline once, and does not run away.
		start, sent := w.now, 0
		for range 100 {
			if _, _, ok := w.c.Deadline(); !ok {
				break
			}
			w.deadline()
			sent += len(w.sent())
		}
		if passed := w.now.Sub(start); sent > 2+int(passed/time.Second) {
			t.Fatalf("%d messages in %v", sent, passed)
		}
	})
}
