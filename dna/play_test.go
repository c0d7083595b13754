package dna

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/wire/arp"
)

// A watcher holds the prober to what its documentation promises, with a model
// of its own.
type watcher struct {
	*world
	candidates []Candidate // of the test under way, nil if there is none
	asked      int         // how often its routers were asked
	began      boottime.Instant
	started    bool // began is one
	learn      *Learn
	questions  int
	last       boottime.Instant // of the last question
}

func (w *watcher) tell(in Input) {
	w.t.Helper()
	answers := 0
	switch in := in.(type) {
	case Start:
		w.candidates, w.asked = append([]Candidate{}, in.Candidates...), 0
		answers-- // an answer at once, if there is nobody to ask
	case Learn:
		w.learn, w.questions = &in, 0
	case Stop:
		w.candidates, w.learn = nil, nil
	case Packet, Timeout:
	}
	rounds := map[netip.Addr]int{}
	for _, o := range w.world.tell(in) {
		switch o := o.(type) {
		case Transmit:
			w.checkTransmit(in, o, rounds)
		case Confirmed:
			w.checkConfirmed(in, o)
			answers++
		case Silent:
			if w.candidates == nil || w.asked != 0 && w.asked != testTries {
				w.t.Fatalf("%T: silent after %d rounds", in, w.asked)
			}
			w.candidates = nil
			answers++
		case Learned:
			w.checkLearned(in, o)
		}
	}
	if answers > 1 {
		w.t.Fatalf("%T: %d answers", in, answers)
	}
	at, why, ok := w.p.Deadline()
	if _, timeout := in.(Timeout); timeout && ok && !at.After(w.now) {
		w.t.Fatalf("after a Timeout at %v the deadline for %v is at %v", w.now, why, at)
	}
	if testing := w.p.test != nil; testing != (w.candidates != nil) {
		w.t.Fatalf("%T: a test is under way: %v, told was %v", in, testing, w.candidates != nil)
	}
	if all := w.p.Addresses(); ok != (len(all) > 0) || len(all) > MaxCandidates+1 {
		w.t.Fatalf("%T: listening for %v, deadline %v", in, all, ok)
	}
}

func (w *watcher) checkTransmit(in Input, o Transmit, rounds map[netip.Addr]int) {
	w.t.Helper()
	p, err := arp.Parse(o.Packet)
	if err != nil || len(o.Packet) != arp.Length {
		w.t.Fatal(err)
	}
	if want := (arp.Packet{Op: arp.OpRequest, SenderHardware: testMAC, Sender: p.Sender, Target: p.Target}); p != want {
		w.t.Fatalf("%T: %+v", in, p)
	}
	if o.To == nil {
		if w.learn == nil || p.Sender != w.learn.Address.Unmap() || p.Target != w.learn.Router.Unmap() {
			w.t.Fatalf("%T: %+v for %+v", in, p, w.learn)
		}
		if w.questions++; w.questions > learnTries || w.last != 0 && w.now.Sub(w.last) < learnWait {
			w.t.Fatalf("%T: question %d at %v, the last was at %v", in, w.questions, w.now, w.last)
		}
		w.last = w.now
		return
	}
	if !slices.ContainsFunc(w.candidates, func(c Candidate) bool {
		return c.Address.Unmap() == p.Sender && c.Router.Unmap() == p.Target && string(c.RouterLink[:]) == string(o.To)
	}) || p.Sender.IsLinkLocalUnicast() {
		w.t.Fatalf("%T: %+v to %x for %+v", in, p, o.To, w.candidates)
	}
	if len(rounds) == 0 {
		w.asked++
		if w.asked == 1 {
			if w.started && w.now.Sub(w.began) < damping {
				w.t.Fatalf("%T: a test at %v after one at %v", in, w.now, w.began)
			}
			w.began, w.started = w.now, true
		}
	}
	if rounds[p.Sender]++; len(rounds) > MaxCandidates || w.asked > testTries {
		w.t.Fatalf("%T: %d candidates, %d rounds", in, len(rounds), w.asked)
	}
}

func (w *watcher) checkConfirmed(in Input, o Confirmed) {
	w.t.Helper()
	p, ok := in.(Packet)
	if !ok || w.asked == 0 || o.Candidate >= len(w.candidates) {
		w.t.Fatalf("%T: %+v of %d, asked %d times", in, o, len(w.candidates), w.asked)
	}
	c := w.candidates[o.Candidate]
	want := arp.Packet{
		Op: arp.OpReply, SenderHardware: c.RouterLink, Sender: c.Router.Unmap(),
		TargetHardware: testMAC, Target: c.Address.Unmap(),
	}
	if a, err := arp.Parse(p.ARP); err != nil || a != want {
		w.t.Fatalf("%+v is confirmed by %+v, %v", c, a, err)
	}
	w.candidates = nil
}

func (w *watcher) checkLearned(in Input, o Learned) {
	w.t.Helper()
	p, ok := in.(Packet)
	if !ok || w.learn == nil || w.learn.Router.Unmap() != o.Router {
		w.t.Fatalf("%T: %+v for %+v", in, o, w.learn)
	}
	want := arp.Packet{
		Op: arp.OpReply, SenderHardware: o.Link, Sender: o.Router, TargetHardware: testMAC, Target: w.learn.Address.Unmap(),
	}
	if a, err := arp.Parse(p.ARP); err != nil || a != want || o.Link == testMAC || !isHost(o.Link) {
		w.t.Fatalf("%+v from %+v, %v", o, a, err)
	}
	w.learn = nil
}

// play plays a series of inputs and checks what is promised of every one.
func play(t tb, in []byte) {
	next := func() (b byte) {
		if len(in) > 0 {
			b, in = in[0], in[1:]
		}
		return b
	}
	addrs := []netip.Addr{{}, netip.IPv4Unspecified(), netip.MustParseAddr("169.254.7.9"), netip.MustParseAddr("::ffff:10.1.0.5"), netip.MustParseAddr("10.1.0.1")}
	candidate := func() Candidate {
		b := next()
		c := home(b & 3)
		if b&0x30 == 0x30 {
			c.Address = addrs[int(b>>6)%len(addrs)]
		}
		if b&0x0c == 0x0c {
			c.Router = addrs[int(b>>4)%len(addrs)]
		}
		if b == 255 {
			c.RouterLink = testMAC
		}
		return c
	}
	w := &watcher{world: newWorld(t)}
	for n := 0; len(in) > 0 && n < 300; n++ {
		switch next() % 9 {
		case 0:
			var s Start
			for range next() % 8 {
				s.Candidates = append(s.Candidates, candidate())
			}
			w.tell(s)
		case 1:
			c := candidate()
			w.tell(Learn{c.Address, c.Router})
		case 2:
			w.tell(Stop{})
		case 3, 4:
			c := candidate()
			p := answer(c)
			switch next() % 16 {
			case 0:
				p.Op = arp.OpRequest
			case 1:
				p.SenderHardware[5]++
			case 2:
				p.SenderHardware = testMAC
			case 3:
				p.TargetHardware[5]++
			case 4:
				p.Sender = home(9).Router
			case 5:
				p.Target = home(9).Address
			case 6:
				p.SenderHardware[0] |= 1
			}
			w.tell(packet(p))
		case 5:
			n := min(int(next()%40), len(in))
			w.tell(Packet{ARP: in[:n]})
			in = in[n:]
		case 6:
			w.tell(Timeout{})
		case 7:
			if at, _, ok := w.p.Deadline(); ok {
				w.now = max(w.now, at)
			}
			w.tell(Timeout{})
		case 8: // time passes unnoticed
			w.now = w.now.Add(time.Duration(next()) << (16 + next()%20))
			w.tell(nil)
		}
	}
	// Left alone, it comes to rest within four seconds, and every test is answered.
	start := w.now
	for {
		at, _, ok := w.p.Deadline()
		if !ok {
			break
		}
		w.now = max(w.now, at)
		w.tell(Timeout{})
		if w.now.Sub(start) > 4*time.Second {
			t.Fatal("the prober does not come to rest")
		}
	}
	if w.candidates != nil {
		t.Fatal("a test is not answered")
	}
}

// FuzzHandle plays any series of inputs.
func FuzzHandle(f *testing.F) {
	f.Add([]byte{0, 3, 1, 2, 3, 3, 2, 9, 7, 7})
	f.Add([]byte{0, 2, 1, 2, 7, 2, 0, 1, 1, 1, 1, 7, 3, 1, 9, 7, 7, 7})
	f.Fuzz(func(t *testing.T, in []byte) { play(t, in) })
}

// TestPropertyAnySeries is FuzzHandle with series made at random.
func TestPropertyAnySeries(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) { play(r, rapid.SliceOfN(rapid.Byte(), 1, 400).Draw(r, "series")) })
}
