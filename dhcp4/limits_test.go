package dhcp4

import (
	"net/netip"
	"runtime"
	"testing"
	"time"
	"unsafe"

	wire "github.com/lessee/lessee/wire/dhcp4"
)

// TestIdleAllocations: what happens to an idle client again and again costs no memory.
func TestIdleAllocations(t *testing.T) {
	w := newWorld(t, nil)
	w.bind()
	drain := func() {
		for {
			if _, ok := w.c.Poll(); !ok {
				return
			}
		}
	}
	foreign := w.newReply(wire.ACK)
	foreign.xid = 7
	message := foreign.bytes()
	other := append([]byte(nil), message...)
	other[28] ^= 4
	check := func(name string, f func()) {
		t.Helper()
		f() // the queue of outputs gets its size
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	idle := func() {
		check("timeout early", func() { w.c.Handle(w.now, Timeout{}); drain() })
		check("deadline", func() { w.c.Deadline(); w.c.Awaiting(); w.c.State(); w.c.Lease() })
		check("foreign datagram", func() {
			w.c.Handle(w.now, Datagram{Message: message, From: testServer, Link: testLink})
			drain()
		})
		check("datagram for another host", func() {
			w.c.Handle(w.now, Datagram{Message: other, From: testServer, Link: testLink})
			drain()
		})
		check("link up again", func() { w.c.Handle(w.now, LinkUp{}); drain() })
	}
	idle()
	w.tell(Renew{})
	idle()
}

// TestSize: an idle lease is to cost at most 2 KiB with all that is around it.
func TestSize(t *testing.T) {
	t.Parallel()
	if n := unsafe.Sizeof(Client{}) + unsafe.Sizeof(Lease{}); n > 900 {
		t.Errorf("a client and its lease take %d bytes, want 900 at most", n)
	}
}

// BenchmarkIdleClient reports what a bound client takes on the heap, all in.
func BenchmarkIdleClient(b *testing.B) {
	var before, after runtime.MemStats
	clients := make([]*Client, 0, b.N)
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range b.N {
		w := newWorld(b, nil)
		w.bind()
		clients = append(clients, w.c)
		w.out = nil
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(b.N), "heap-B/client")
	runtime.KeepAlive(clients)
}

// BenchmarkObtain measures DISCOVER to BOUND without the network.
func BenchmarkObtain(b *testing.B) {
	b.ReportAllocs()
	for range b.N {
		newWorld(b, nil).bind()
	}
}

// TestPain_dhcpcd638_FlatMemoryWithoutServer: a year without a server takes no
// memory, and at most a message a minute.
func TestPain_dhcpcd638_FlatMemoryWithoutServer(t *testing.T) {
	w := newWorld(t, nil)
	begin(w)
	const year = 365 * 24 * time.Hour
	start := w.now
	sent := 0
	var before, after runtime.MemStats
	for w.now.Sub(start) < year {
		w.wait()
		sent += len(w.sent())
		if before.HeapAlloc == 0 && w.now.Sub(start) > 24*time.Hour {
			runtime.GC()
			runtime.ReadMemStats(&before)
		}
	}
	w.out = nil
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 64<<10 {
		t.Errorf("memory grew by %d bytes in a year", grown)
	}
	if most := int(year / (63 * time.Second)); sent > most+10 {
		t.Errorf("%d messages in a year, want %d at most", sent, most)
	}
	runtime.KeepAlive(w)
}

// TestHostileServers: whatever servers answer, the client sends no storm.
func TestHostileServers(t *testing.T) {
	t.Parallel()
	answers := map[string]func(*world){
		"NAK to all": func(w *world) {
			if w.c.State() == StateSelecting {
				w.reply(w.newReply(wire.Offer))
			}
			w.reply(w.newReply(wire.NAK))
		},
		"offers without ACK": func(w *world) { w.reply(w.newReply(wire.Offer)) },
		"leases of 2 s, then silence": func(w *world) {
			if w.c.State() == StateSelecting || w.c.State() == StateRequesting {
				for _, typ := range []wire.MessageType{wire.Offer, wire.ACK} {
					r := w.newReply(typ)
					r.lease = 2
					w.reply(r)
				}
			}
		},
		"leases of 2 s": func(w *world) {
			for _, typ := range []wire.MessageType{wire.Offer, wire.ACK} {
				r := w.newReply(typ)
				r.lease = 2
				w.reply(r)
			}
		},
		"T1 of a second": func(w *world) {
			for _, typ := range []wire.MessageType{wire.Offer, wire.ACK} {
				r := w.newReply(typ)
				r.t1, r.t2 = 1, 2
				w.reply(r)
			}
		},
		"a new address each time, each in use": func(w *world) {
			for _, typ := range []wire.MessageType{wire.Offer, wire.ACK} {
				w.reply(w.newReply(typ))
			}
			w.tell(Conflict{Address: testAddr})
		},
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			begin(w)
			start := w.now
			for w.now.Sub(start) < time.Hour {
				if w.c.Awaiting() {
					answer(w)
				}
				w.wait()
			}
			c := w.c.Counters()
			sent := c.Sent(wire.Discover) + c.Sent(wire.Request) + c.Sent(wire.Decline)
			// 3 for a DISCOVER, its REQUEST and its DECLINE; 1 a second is the pace.
			if sent > 3600*6/5 {
				t.Errorf("%d messages in an hour", sent)
			}
			t.Logf("%d messages in an hour", sent)
		})
	}
}

// TestReplay: the same seed and inputs give the same outputs, another seed others.
func TestReplay(t *testing.T) {
	t.Parallel()
	run := func(seed uint64, mac byte) string {
		w := newWorld(t, func(cfg *Config) {
			cfg.Seed = seed
			cfg.HardwareAddr = []byte{2, 0, 0, 0, 0, mac}
		})
		begin(w)
		var text string
		for range 20 {
			w.wait()
			text += w.now.String() + string(w.sent()[0].Message)
		}
		return text
	}
	first, again := run(1, 1), run(1, 1)
	if first != again {
		t.Error("a run cannot be replayed")
	}
	if first == run(2, 1) {
		t.Error("the seed has no effect")
	}
	if first[:20] == run(1, 2)[:20] {
		t.Error("two adapters with one seed go in step")
	}
}

func TestConfigErrors(t *testing.T) {
	t.Parallel()
	good := Config{HardwareType: 1, HardwareAddr: testMAC}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Config){
		"no hardware address":   func(c *Config) { c.HardwareAddr = nil },
		"long hardware address": func(c *Config) { c.HardwareAddr = make([]byte, 255) },
		"short client id":       func(c *Config) { c.ClientID = []byte{1} },
		"long client id":        func(c *Config) { c.ClientID = make([]byte, 256) },
		"host name":             func(c *Config) { c.HostName = "a b" },
		"start delay":           func(c *Config) { c.Timing = DefaultTiming; c.Timing.StartDelayMin = 1 },
		"long start delay":      func(c *Config) { c.Timing = DefaultTiming; c.Timing.StartDelayMax = 2 * time.Minute },
		"short retry":           func(c *Config) { c.Timing = DefaultTiming; c.Timing.FirstRetry = time.Millisecond },
		"long retry":            func(c *Config) { c.Timing = DefaultTiming; c.Timing.MaxRetry = 2 * time.Hour },
		"no tries":              func(c *Config) { c.Timing = DefaultTiming; c.Timing.RequestTries = 0 },
		"no reboot tries":       func(c *Config) { c.Timing = DefaultTiming; c.Timing.RebootTries = 0 },
		"floor":                 func(c *Config) { c.Timing = DefaultTiming; c.Timing.RenewalFloor = 0 },
		"pause":                 func(c *Config) { c.Timing = DefaultTiming; c.Timing.ConflictPause = 0 },
	} {
		cfg := good
		change(&cfg)
		if c, err := New(cfg); err == nil || c != nil {
			t.Errorf("%s: no error", name)
		}
	}
	for _, timing := range []Timing{DefaultTiming, StrictTiming} {
		if err := timing.check(); err != nil {
			t.Error(err)
		}
	}
}

// TestConfigIsCopied: what the caller does with its slices later has no effect.
func TestConfigIsCopied(t *testing.T) {
	t.Parallel()
	mac := []byte{2, 0, 0, 0, 0, 2}
	id := []byte{0, 1, 2}
	w := newWorld(t, func(c *Config) { c.HardwareAddr, c.ClientID = mac, id })
	clear(mac)
	clear(id)
	begin(w)
	p, err := wire.Parse(w.sent()[0].Message)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := p.Option(wire.OptionClientID); string(got) != "\x00\x01\x02" || p.HardwareAddr()[0] != 2 {
		t.Errorf("client identifier %v, chaddr %v", got, p.HardwareAddr())
	}
}

// TestDatagramIsNotKept: the buffer is the caller's again after Handle.
func TestDatagramIsNotKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	begin(w)
	w.reply(w.newReply(wire.Offer))
	r := w.newReply(wire.ACK)
	r.change = func(b *wire.Builder) {
		b.AddText(wire.OptionDomainName, "lab.example")
		b.AddText(wire.OptionHostName, "lab-1")
		b.AddAddr(wire.OptionDNS, testServer)
		b.AddOption(wire.OptionDomainSearch, []byte("\x03lab\x07example\x00"))
	}
	message, link := r.bytes(), []byte{2, 0, 0, 0, 0, 1}
	w.tell(Datagram{Message: message, From: testServer, Link: link})
	clear(message)
	clear(link)
	l, _ := w.c.Lease()
	if l.Domain.String() != "lab.example" || l.HostName.String() != "lab-1" || len(l.Search) != 1 || l.Search[0].String() != "lab.example" ||
		l.DNS[0] != testServer || l.ServerLink[0] != 2 {
		t.Errorf("%+v", l)
	}
}

// TestStartWithInsaneLease: a damaged record never panics, nor is it used.
func TestStartWithInsaneLease(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for name, damage := range map[string]func(*Lease){
		"empty":         func(l *Lease) { *l = Lease{} },
		"IPv6":          func(l *Lease) { l.Address = netip.MustParsePrefix("2001:db8::1/64") },
		"no server":     func(l *Lease) { l.Server = netip.Addr{} },
		"times":         func(l *Lease) { l.T1 = l.T2 },
		"negative":      func(l *Lease) { l.Duration = -1 },
		"long identity": func(l *Lease) { l.ClientID = make([]byte, 256) },
	} {
		for _, inUse := range []bool{false, true} {
			w := newWorld(t, nil)
			l := w.oldLease()
			damage(l)
			w.tell(LinkUp{})
			lost, ok := find[Lost](w.tell(Start{Lease: l, InUse: inUse}))
			if !ok || lost.Lease != l || w.c.State() != StateSelecting {
				t.Errorf("%s: %v, in %v", name, w.out, w.c.State())
			}
		}
	}
	w.tell(StartReleased{Last: netip.MustParseAddr("::1")})
	w.tell(LinkUp{})
	if w.tell(Renew{}); len(w.sent()) != 1 {
		t.Errorf("%v", w.out)
	}
}

// TestStrings: each value has its own name.
func TestStrings(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	note := func(s string) {
		if s == "" || seen[s] {
			t.Errorf("name %q is empty or not unique", s)
		}
		seen[s] = true
	}
	for r := accepted + 1; r < rejections; r++ {
		note(r.String())
	}
	for s := StateInit; s <= StateReleased+1; s++ {
		note(s.String())
	}
	for x := TimerBegin; x <= TimerExpiry+1; x++ {
		note(x.String())
	}
	clear(seen)
	for l := LossReleased; l <= LossStopped+1; l++ {
		note(l.String())
	}
	clear(seen)
	for o := OpRenew; o <= OpRelease+1; o++ {
		note(o.String())
	}
	clear(seen)
	for name := range (Counters{}).All() {
		note(name)
	}
	for _, want := range []string{"sent.discover", "received.ack", "rejected.foreign-xid", "rejected.bad-subnet-mask"} {
		if !seen[want] {
			t.Errorf("no counter %s", want)
		}
	}
}

func TestCounters(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.tell(Datagram{})
	l := w.bind()
	w.reply(w.newReply(wire.ACK))
	w.tell(Renew{})
	r := w.newReply(wire.ACK)
	r.xid++
	w.reply(r)
	w.reply(w.newReply(wire.NAK))
	w.reply(w.newReply(wire.Offer))
	w.reply(w.newReply(wire.ACK))
	w.tell(Conflict{Address: l.Address.Addr()})
	w.wait()
	w.reply(w.newReply(wire.Offer))
	w.reply(w.newReply(wire.ACK))
	w.tell(Release{})
	want := map[string]uint64{
		"sent.discover": 3, "sent.request": 4, "sent.decline": 1, "sent.release": 1,
		"received.offer": 3, "received.ack": 3, "received.nak": 1,
		"rejected.too-short": 1, "rejected.not-awaited": 1, "rejected.foreign-xid": 1,
	}
	c := w.c.Counters()
	for name, n := range c.All() {
		if n != want[name] {
			t.Errorf("%s is %d, want %d", name, n, want[name])
		}
		delete(want, name)
	}
	if len(want) != 0 {
		t.Errorf("no counters %v", want)
	}
	for range c.All() {
		break // stops early without a panic
	}
	if c.Sent(wire.Discover) != 3 || c.Sent(wire.ACK) != 0 || c.Received(wire.Offer) != 3 || c.Received(wire.Inform) != 0 ||
		c.Rejected(RejectForeignXID) != 1 || c.Rejected(255) != 0 {
		t.Error("a counter by its type is not what All says")
	}
}
