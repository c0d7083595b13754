package dna

import (
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee/internal/queue"
	"github.com/lessee/lessee/wire/arp"
)

// TestScheduleTest: a router is asked twice, and silent after twice the wait: 0.4 s where the
// Config does not say.
func TestScheduleTest(t *testing.T) {
	t.Parallel()
	for _, wait := range []time.Duration{0, 10 * time.Millisecond, 10 * time.Second} {
		p, err := New(Config{HardwareAddr: testMAC, Wait: wait})
		if err != nil {
			t.Fatal(err)
		}
		if wait == 0 {
			wait = 200 * time.Millisecond
		}
		w := &world{t: t, p: p}
		if w.tell(Start{[]Candidate{home(1), home(2)}}); count[Transmit](w.out) != 2 {
			t.Errorf("wait %v: %+v", wait, w.out)
		}
		if w.wait(); count[Transmit](w.out) != 2 || time.Duration(w.now) != wait {
			t.Errorf("wait %v: at %v %+v", wait, w.now, w.out)
		}
		if w.wait(); count[Silent](w.out) != 1 || len(w.out) != 1 || time.Duration(w.now) != 2*wait {
			t.Errorf("wait %v: at %v %+v", wait, w.now, w.out)
		}
	}
}

// TestBounce: RFC 4436 section 2.1: a link that goes up and down a hundred times a second for a
// minute makes one test a second, and one question.
func TestBounce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	unicasts, broadcasts := 0, 0
	note := func() {
		for _, o := range w.out {
			if s, ok := o.(Transmit); ok && s.To != nil {
				unicasts++
			} else if ok {
				broadcasts++
			}
		}
	}
	for range 6000 {
		w.tell(Start{[]Candidate{home(1)}})
		note()
		w.tell(Learn{home(1).Address, home(1).Router})
		note()
		w.now = w.now.Add(9 * time.Millisecond)
		w.tell(Timeout{})
		note()
		w.tell(Stop{})
		w.now = w.now.Add(time.Millisecond)
	}
	if unicasts < 55 || unicasts > 60 || broadcasts < 55 || broadcasts > 60 {
		t.Errorf("%d tests, %d questions", unicasts, broadcasts)
	}
}

// TestEveryPacketStandsAlone: what is handed out is not written to again.
func TestEveryPacketStandsAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.tell(Start{[]Candidate{home(1)}})
	first, ok := w.out[0].(Transmit)
	if !ok {
		t.Fatalf("%+v", w.out)
	}
	clear(first.Packet)
	clear(first.To)
	w.wait()
	second, ok := w.out[0].(Transmit)
	want := home(1)
	if p, err := arp.Parse(second.Packet); !ok || err != nil || p.Target != want.Router || string(second.To) != string(want.RouterLink[:]) {
		t.Errorf("%+v, %v", p, err)
	}
}

// TestIdle: a prober at rest keeps nothing, and foreign packets cost nothing.
func TestIdle(t *testing.T) { // AllocsPerRun must not run beside other tests
	w := newWorld(t)
	w.tell(Start{[]Candidate{home(1)}})
	reply := packet(answer(home(1)))
	w.tell(reply)
	if w.p.test != nil || w.p.learn != nil || w.p.out != (queue.Queue[Output]{}) || w.p.Addresses() != nil {
		t.Errorf("%+v", w.p)
	}
	if n := testing.AllocsPerRun(100, func() { w.p.receive(reply) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		cfg  Config
		text string
	}{
		"no hardware address": {Config{}, "hardware address"},
		"group address":       {Config{HardwareAddr: arp.HardwareAddr{1, 0, 0x5e, 0, 0, 1}}, "hardware address"},
		"short wait":          {Config{HardwareAddr: testMAC, Wait: time.Millisecond}, "wait"},
		"long wait":           {Config{HardwareAddr: testMAC, Wait: time.Minute}, "wait"},
		"negative wait":       {Config{HardwareAddr: testMAC, Wait: -1}, "wait"},
	} {
		if p, err := New(tt.cfg); err == nil || p != nil || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStrings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ got, want string }{
		{TimerTest.String(), "test"},
		{TimerLearn.String(), "learn"},
		{Timer(9).String(), "timer 9"},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}
