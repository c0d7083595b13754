package acd

import (
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/internal/queue"
	"github.com/lessee/lessee/wire/arp"
)

// gaps plays an undisturbed life of an address and returns the times between its events, the
// first from LinkUp on: probes, announcement, announcement.
func gaps(t *testing.T, timing Timing, mode Mode, seed uint64) []time.Duration {
	t.Helper()
	w := newWorld(t, func(cfg *Config) { cfg.Timing, cfg.Seed = timing, seed })
	w.tell(Start{testAddr, mode})
	last := w.now
	var all []time.Duration
	note := func() {
		for range w.sent() {
			all = append(all, w.now.Sub(last))
			last = w.now
		}
	}
	w.tell(LinkUp{})
	for note(); w.d.State() != StateListening; note() {
		w.wait()
	}
	return all
}

// TestScheduleProbe: RFC 5227 section 2.1.1: a wait of 0 to PROBE_WAIT, PROBE_NUM probes PROBE_MIN
// to PROBE_MAX apart, ANNOUNCE_WAIT; section 2.3: ANNOUNCE_NUM announcements, ANNOUNCE_INTERVAL
// apart. The waits are spread over their ranges.
func TestScheduleProbe(t *testing.T) {
	t.Parallel()
	checkSchedule(t, RFC5227, Probe, time.Second)
}

// TestScheduleOptimistic: there is no wait before the first probe about an address in use.
func TestScheduleOptimistic(t *testing.T) {
	t.Parallel()
	checkSchedule(t, RFC5227, Optimistic, 0)
}

// TestScheduleQuick: the same series in half a second.
func TestScheduleQuick(t *testing.T) {
	t.Parallel()
	checkSchedule(t, DefaultTiming, Probe, 0)
	checkSchedule(t, DefaultTiming, Optimistic, 0)
	w := newWorld(t, func(cfg *Config) { cfg.Timing = Timing{} })
	start := w.now
	w.tell(LinkUp{})
	w.tell(Start{testAddr, Probe})
	w.until(StateAnnouncing)
	if d := w.now.Sub(start); d > 600*time.Millisecond {
		t.Errorf("clear after %v", d)
	}
}

func checkSchedule(t *testing.T, timing Timing, mode Mode, wait time.Duration) {
	t.Helper()
	const seeds = 200
	var least, most [3]time.Duration
	for seed := range uint64(seeds) {
		got := gaps(t, timing, mode, seed)
		if len(got) != 5 {
			t.Fatalf("%d packets", len(got))
		}
		for i, d := range got[:3] {
			if seed == 0 || d < least[i] {
				least[i] = d
			}
			most[i] = max(most[i], d)
		}
		if got[3] != timing.AnnounceWait || got[4] != timing.AnnounceInterval {
			t.Fatalf("announcements after %v", got[3:])
		}
	}
	for i := range least {
		lo, hi := timing.ProbeMin, timing.ProbeMax
		if i == 0 {
			lo, hi = 0, wait
		}
		if least[i] < lo || most[i] > hi || hi > lo && (least[i] > lo+(hi-lo)/20 || most[i] < hi-(hi-lo)/20) {
			t.Errorf("wait %d is %v to %v, want %v to %v", i, least[i], most[i], lo, hi)
		}
	}
}

// TestIdleDetectorIsSmall: there is one for every address in use.
func TestIdleDetectorIsSmall(t *testing.T) { // AllocsPerRun must not run beside other tests
	w := newWorld(t, nil)
	if n := unsafe.Sizeof(*w.d); n > 96 {
		t.Errorf("a detector has %d bytes", n)
	}
	w.tell(LinkUp{})
	w.tell(Start{testAddr, Probe})
	w.until(StateListening)
	if w.d.out != (queue.Queue[Output]{}) {
		t.Error("an idle detector keeps a buffer")
	}
	if n := unsafe.Sizeof(listening{}); n != 0 {
		t.Errorf("the state of an idle detector has %d bytes", n)
	}
	packets := []Packet{probe(testAddr, peerMAC), claim(arp.OpReply, testAddr, testMAC), {ARP: arp.Append(nil, arp.Probe(peerMAC, addrs[3]))}}
	if n := testing.AllocsPerRun(100, func() {
		for i := range packets {
			w.d.receive(w.now, packets[i])
		}
		w.d.due(w.now)
		if _, ok := w.d.Poll(); ok {
			t.Fatal("an output")
		}
		if _, _, ok := w.d.Deadline(); ok {
			t.Fatal("a deadline")
		}
	}); n != 0 {
		t.Errorf("%v allocations while idle", n)
	}
}

// TestEveryPacketStandsAlone: a packet handed out is not written to again.
func TestEveryPacketStandsAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.tell(LinkUp{})
	w.tell(Start{testAddr, Probe})
	w.wait()
	first, _ := find[Transmit](w.out)
	clear(first.Packet)
	w.wait()
	second, _ := find[Transmit](w.out)
	if p, err := arp.Parse(second.Packet); err != nil || !p.IsProbe() {
		t.Errorf("%+v, %v", p, err)
	}
}

// TestSuspend: time that passes while nobody looks brings no burst of packets.
func TestSuspend(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.tell(LinkUp{})
	w.tell(Start{testAddr, Probe})
	w.now = w.now.Add(24 * time.Hour)
	for want := range 3 {
		w.tell(Timeout{})
		if want == 0 && len(w.sent()) != 1 || want > 0 && len(w.sent()) != 0 {
			t.Fatalf("timeout %d: %v", want, w.sent())
		}
	}
}

// TestSeed: another seed is another schedule, and so is another hardware address.
func TestSeed(t *testing.T) {
	t.Parallel()
	first := func(change func(*Config)) boottime.Instant {
		w := newWorld(t, change)
		w.tell(LinkUp{})
		w.tell(Start{testAddr, Probe})
		at, _, _ := w.d.Deadline()
		return at
	}
	a := first(nil)
	if a != first(nil) {
		t.Error("the same seed gives another schedule")
	}
	if a == first(func(cfg *Config) { cfg.Seed = 2 }) || a == first(func(cfg *Config) { cfg.HardwareAddr[5] = 3 }) {
		t.Error("another seed gives the same schedule")
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*Config)
		text   string
	}{
		"no hardware address":     {func(c *Config) { c.HardwareAddr = arp.HardwareAddr{} }, "hardware address"},
		"group address":           {func(c *Config) { c.HardwareAddr[0] = 3 }, "hardware address"},
		"defence":                 {func(c *Config) { c.Defence = 3 }, "defence 3"},
		"probe wait":              {func(c *Config) { c.Timing.ProbeWait = -1 }, "probe wait"},
		"long probe wait":         {func(c *Config) { c.Timing.ProbeWait = time.Hour }, "probe wait"},
		"no probes":               {func(c *Config) { c.Timing.ProbeNum = 0 }, "1 to 16"},
		"many probes":             {func(c *Config) { c.Timing.ProbeNum = 17 }, "1 to 16"},
		"no announcements":        {func(c *Config) { c.Timing.AnnounceNum = 0 }, "1 to 16"},
		"many announcements":      {func(c *Config) { c.Timing.AnnounceNum = 17 }, "1 to 16"},
		"short probe interval":    {func(c *Config) { c.Timing.ProbeMin = time.Millisecond }, "probe interval"},
		"probe interval":          {func(c *Config) { c.Timing.ProbeMax = c.Timing.ProbeMin - 1 }, "probe interval"},
		"long probe interval":     {func(c *Config) { c.Timing.ProbeMax = time.Hour }, "probe interval"},
		"short announce wait":     {func(c *Config) { c.Timing.AnnounceWait = 0 }, "announce wait"},
		"long announce wait":      {func(c *Config) { c.Timing.AnnounceWait = time.Hour }, "announce wait"},
		"short announce interval": {func(c *Config) { c.Timing.AnnounceInterval = 0 }, "announce wait"},
		"long announce interval":  {func(c *Config) { c.Timing.AnnounceInterval = time.Hour }, "announce wait"},
		"short defend interval":   {func(c *Config) { c.Timing.DefendInterval = 0 }, "defend interval"},
		"long defend interval":    {func(c *Config) { c.Timing.DefendInterval = 2 * time.Hour }, "defend interval"},
	} {
		cfg := Config{HardwareAddr: testMAC, Timing: RFC5227}
		tt.change(&cfg)
		if d, err := New(cfg); err == nil || d != nil || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, timing := range map[string]Timing{"quick": DefaultTiming, "strict": RFC5227} {
		if err := timing.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	own := RFC5227
	own.ProbeNum, own.AnnounceNum = 1, 1
	w := newWorld(t, func(cfg *Config) { cfg.Timing = own })
	w.tell(LinkUp{})
	w.tell(Start{testAddr, Optimistic})
	if w.wait(); w.d.State() != StateListening {
		t.Errorf("after one probe and one announcement it is %v", w.d.State())
	}
}

func TestStrings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ got, want string }{
		{DefendAlways.String(), "always"},
		{Defence(9).String(), "defence 9"},
		{Optimistic.String(), "optimistic"},
		{Mode(9).String(), "mode 9"},
		{KindDefend.String(), "defend"},
		{Kind(9).String(), "kind 9"},
		{StateListening.String(), "listening"},
		{State(99).String(), "state 99"},
		{TimerAnnounce.String(), "announce"},
		{Timer(9).String(), "timer 9"},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}
