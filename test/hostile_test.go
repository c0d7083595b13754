package test

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/test/lab"
)

// somewhere is a place in the options, or now and then before them.
func somewhere(r *rand.Rand, b []byte) int {
	if len(b) > 240 && r.IntN(10) > 0 {
		return 240 + r.IntN(len(b)-240)
	}
	return r.IntN(len(b))
}

// mutations damage a message.
var mutations = []func(r *rand.Rand, b []byte) []byte{
	func(r *rand.Rand, b []byte) []byte { b[somewhere(r, b)] ^= 1 << r.IntN(8); return b },
	func(r *rand.Rand, b []byte) []byte { b[somewhere(r, b)] = byte(r.Uint32()); return b },
	func(r *rand.Rand, b []byte) []byte { return b[:somewhere(r, b)] },
	func(r *rand.Rand, b []byte) []byte { // more of the same
		return slices.Insert(b, somewhere(r, b), slices.Repeat([]byte{byte(r.Uint32())}, r.IntN(300))...)
	},
	func(r *rand.Rand, b []byte) []byte { // a piece goes
		i := somewhere(r, b)
		return slices.Delete(b, i, min(len(b), i+1+r.IntN(40)))
	},
	func(r *rand.Rand, b []byte) []byte { // lengths and codes of options
		b[somewhere(r, b)] = []byte{0, 255, 1, 4, 52, 53, 54, 82, 119, 121, 254}[r.IntN(11)]
		return b
	},
	func(r *rand.Rand, b []byte) []byte { // an option of any code and length at the front
		if len(b) <= 240 {
			return b
		}
		code := []byte{byte(r.Uint32()), 52, 53, 54, 51, 1, 3, 121, 119, 15, 12, 90}[r.IntN(12)]
		value := make([]byte, r.IntN(256))
		for i := range value {
			value[i] = byte(r.Uint32())
		}
		return slices.Insert(b, 240, append([]byte{code, byte(len(value))}, value...)...)
	},
	func(r *rand.Rand, b []byte) []byte { // options that carry on in sname and file
		if len(b) <= 243 {
			return b
		}
		for i := 44; i < 236; i++ {
			b[i] = byte(r.Uint32())
		}
		return slices.Insert(b, 240, 52, 1, byte(r.IntN(5)))
	},
	func(r *rand.Rand, b []byte) []byte { // all of it
		for i := 240; i < len(b); i++ {
			b[i] = byte(r.Uint32())
		}
		return b
	},
}

func mutate(r *rand.Rand, message []byte) []byte {
	b := slices.Clone(message)
	for range 1 + r.IntN(4) {
		if len(b) > 0 {
			b = mutations[r.IntN(len(mutations))](r, b)
		}
	}
	return b
}

// passes reports whether the kernel's filter lets a message through: a BOOTP
// reply for the client's hardware address.
func passes(b []byte) bool {
	return len(b) >= 240 && b[0] == 2 && slices.Equal(b[28:34], clientMAC) && binary.BigEndian.Uint32(b[236:]) == 0x63825363
}

// plausible reports whether an independent reader takes a damaged message for
// an answer: such a one may move the client on, and rightly so.
func plausible(b []byte, a *ask) bool {
	m, err := dhcpv4.FromBytes(b)
	if err != nil {
		// It is strict about things that say nothing about the answer.
		m, err = dhcpv4.FromBytes(append(slices.Clone(b), 255))
	}
	if err != nil || m.TransactionID != a.TransactionID {
		return false
	}
	switch m.MessageType() {
	case offer, ack, nak:
		return true
	default:
		return false
	}
}

// late are the reasons not to use a message that is an answer: it is counted as
// received before.
var late = []string{
	"unexpected", "no-server-identifier", "bad-server-identifier", "other-server", "bad-address", "other-address",
	"no-lease-time", "lease-too-short", "lease-over", "bad-subnet-mask",
}

// seen adds up the counters such that every packet that passed the filter is
// counted once.
func seen(c map[string]uint64) (n uint64) {
	for name, count := range c {
		if reason, ok := strings.CutPrefix(name, "rejected."); ok && !slices.Contains(late, reason) ||
			strings.HasPrefix(name, "received.") {
			n += count
		}
	}
	return n
}

// limit is what the daemon may take of the memory, whatever comes.
const limit = 64 << 20

// TestHostileReplies sends 100,000 damaged answers, in each state that awaits
// one. None may crash the client or move it on, and each is accounted for.
func TestHostileReplies(t *testing.T) {
	t.Parallel()
	const perState = 20_000
	v, client := newVillain(t)
	d := client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}, Quiet: true})
	seed := uint64(20_260_101)
	rng := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)

	sent, filtered, moved := 0, 0, 0
	storm := func(state string, packets int, types ...dhcpv4.MessageType) {
		t.Helper()
		const burst = 50 // fits in the socket's queue
		before := seen(show(t, d).IPv4.Counters)
		for n := 0; n < packets; {
			a := v.latest()
			want := before
			for range burst {
				b := mutate(rng, reply(a, types[rng.IntN(len(types))]))
				for plausible(b, a) {
					b = mutate(rng, b)
				}
				if len(b) > 1400 {
					b = b[:1400]
				}
				if passes(b) {
					want++
				} else {
					filtered++
				}
				v.send(dhcpFrame(b))
				n++
			}
			var now lessee.Adapter
			if !lab.Eventually(2*time.Second, func() bool {
				now = show(t, d)
				return seen(now.IPv4.Counters) == want
			}) {
				if now.IPv4.State == state {
					t.Fatalf("%s: %d packets passed the filter, the counters have %d: %v", state, want-before, seen(now.IPv4.Counters)-before, now.IPv4.Counters)
				}
				moved++
				want = seen(now.IPv4.Counters)
			}
			before = want
			if now.IPv4.State != state {
				t.Fatalf("seed %d: a damaged message moved the client from %s to %s", seed, state, now.IPv4.State)
			}
			sent = sent + burst
		}
	}

	v.await("selecting")
	storm("selecting", perState, offer, ack, nak)
	v.send(dhcpFrame(reply(v.latest(), offer)))
	v.await("requesting")
	storm("requesting", perState, ack, nak, offer)
	v.send(dhcpFrame(reply(v.latest(), ack)))
	d.AwaitBound(t, "c0")

	renewed := make(chan error, 1)
	go func() { renewed <- d.Client.Renew(context.Background(), "c0") }()
	v.await("renewing")
	storm("renewing", perState, ack, nak, offer)
	t1 := dhcpv4.WithOption(dhcpv4.OptGeneric(dhcpv4.OptionRenewTimeValue, []byte{0, 0, 0, 1}))
	t2 := dhcpv4.WithOption(dhcpv4.OptGeneric(dhcpv4.OptionRebindingTimeValue, []byte{0, 0, 0, 2}))
	v.send(dhcpFrame(reply(v.latest(), ack, t1, t2)))
	if err := <-renewed; err != nil {
		t.Errorf("renew: %v", err)
	}
	v.await("rebinding")
	storm("rebinding", perState, ack, nak, offer)
	v.send(dhcpFrame(reply(v.latest(), ack)))
	d.AwaitState(t, "c0", patience, "bound")

	// The client does not wait long for a server before it goes on.
	const times = 10
	for range times {
		v.plug(false)
		if !lab.Eventually(patience, func() bool { return !show(t, d).Carrier }) {
			t.Fatal("the pulled cable is not noticed")
		}
		v.forget()
		v.plug(true)
		v.await("rebooting")
		storm("rebooting", perState/times, ack, nak, offer)
		v.send(dhcpFrame(reply(v.latest(), ack)))
		d.AwaitState(t, "c0", patience, "bound")
	}

	if u := usageOf(t, d.Pid()); u.rss > limit {
		t.Errorf("the daemon has %d MiB", u.rss>>20)
	}
	if a := show(t, d); a.IPv4.Address.String() != "10.77.0.100/24" {
		t.Errorf("in the end it has %v", a.IPv4.Address)
	}
	if sent < 5*perState || filtered > sent/2 {
		t.Errorf("%d packets sent, %d of them stopped by the filter", sent, filtered)
	}
	t.Logf("%d packets sent, %d stopped by the filter, %d bursts cut short", sent, filtered, moved)
}

// A bullet is a frame of a flood. passes says that it is one of those that the
// kernel's filter lets through, because more than a filter can look at is wrong.
type bullet struct {
	frame  []byte
	passes bool
}

// bullets are what is wrong in all ways, but addressed to the client.
func bullets(xid uint32) map[string]bullet {
	m := make([]byte, 300)
	m[0], m[1], m[2] = 2, 1, 6
	binary.BigEndian.PutUint32(m[4:], xid)
	copy(m[16:], []byte{10, 77, 0, 66})
	copy(m[28:], clientMAC)
	copy(m[236:], []byte{0x63, 0x82, 0x53, 0x63, 53, 1, 5, 54, 4, 10, 77, 0, 66, 51, 4, 0, 0, 14, 16, 255})
	good := dhcpFrame(m)
	change := func(f func(b []byte)) []byte {
		b := slices.Clone(good)
		f(b)
		return b
	}
	header := func(f func(ip []byte)) []byte { // with a header checksum that is right
		return change(func(b []byte) {
			f(b[14:34])
			b[24], b[25] = 0, 0
			binary.BigEndian.PutUint16(b[24:], sum16(b[14:34]))
		})
	}
	tagged := func(tag uint16) []byte {
		return slices.Insert(slices.Clone(good), 12, 0x81, 0, byte(tag>>8), byte(tag))
	}
	big := append(slices.Clone(m), make([]byte, 1472-len(m))...)
	other := slices.Clone(m)
	other[33]++
	return map[string]bullet{
		"foreign transaction":        {good, true},
		"as long as the link takes":  {dhcpFrame(big), true},
		"priority tag":               {tagged(3 << 13), true},
		"UDP checksum":               {change(func(b []byte) { b[333-20]++ }), true},
		"header checksum":            {change(func(b []byte) { b[22]-- }), true},
		"truncated":                  {good[:14+28+244], true},
		"UDP longer than the packet": {change(func(b []byte) { b[38]++ }), true},
		"broadcast":                  {dhcpFrameTo(everyone, m), true},
		"another client's":           {dhcpFrame(other), false},
		"VLAN":                       {tagged(5), false},
		"first fragment":             {header(func(ip []byte) { ip[6] = 0x20 }), false},
		"later fragment":             {header(func(ip []byte) { ip[6], ip[7] = 0, 40 }), false},
		"last fragment, large":       {header(func(ip []byte) { ip[6], ip[7] = 0x1f, 0xff }), false},
		"to another port":            {change(func(b []byte) { b[37]++ }), false},
		"to another station":         {dhcpFrameTo(net.HardwareAddr{2, 0, 0, 0, 0, 9}, m), false},
		"cut in the header":          {good[:30], false},
		"no BOOTP":                   {good[:14+28+100], false},
		"ARP of another": {slices.Concat(everyone, villainMAC, []byte{8, 6, 0, 1, 8, 0, 6, 4, 0, 1}, villainMAC,
			[]byte{10, 77, 0, 66, 0, 0, 0, 0, 0, 0, 10, 77, 0, 100}), false},
	}
}

func dhcpFrameTo(to net.HardwareAddr, message []byte) []byte {
	f := dhcpFrame(message)
	copy(f, to)
	return f
}

func sum16(b []byte) uint16 {
	var n uint32
	for i := 0; i+1 < len(b); i += 2 {
		n += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for n > 0xffff {
		n = n>>16 + n&0xffff
	}
	return ^uint16(n)
}

// A flood is on its way.
type flood struct {
	stop, done    chan struct{}
	sent, passing atomic.Uint64
}

// flood sends the frames, one after the other, as fast as the machine can,
// until it is ended.
func (v *villain) flood(ammunition []bullet) *flood {
	f := &flood{stop: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(f.done)
		for {
			for _, b := range ammunition {
				v.send(b.frame)
				f.sent.Add(1)
				if b.passes {
					f.passing.Add(1)
				}
			}
			select {
			case <-f.stop:
				return
			default:
			}
		}
	}()
	return f
}

func (f *flood) end() {
	close(f.stop)
	<-f.done
}

// await waits until that many frames were sent.
func (f *flood) await(t *testing.T, frames uint64) {
	t.Helper()
	if !lab.Eventually(time.Minute, func() bool { return f.sent.Load() >= frames }) {
		t.Fatalf("the flood is a brook: %d frames in a minute", f.sent.Load())
	}
}

// TestHostileFlood floods the client's link. While no answer is awaited, that
// does not even wake it; while one is, every packet is accounted for, and the
// lease is kept and renewed all the same.
func TestHostileFlood(t *testing.T) {
	t.Parallel()
	v, client := newVillain(t)
	v.serve(true)
	d := client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}, Quiet: true})
	a := d.AwaitBound(t, "c0")
	kernel := client.WatchAddresses(t)
	var all, foreign []bullet
	for _, b := range bullets(0xbad1dea) {
		all = append(all, b)
		if !b.passes {
			foreign = append(foreign, b)
		}
	}
	during := func(what string, ammunition []bullet, act func(f *flood)) (f *flood, used usage) {
		t.Helper()
		before, begin := usageOf(t, d.Pid()), time.Now()
		f = v.flood(ammunition)
		act(f)
		f.end()
		used = usageOf(t, d.Pid())
		used.cpu -= before.cpu
		used.switches -= before.switches
		took := time.Since(begin)
		t.Logf("%s: %d frames in %v, %d per second, %d pass the filter: %v of CPU, %d MiB, woken %d times", what,
			f.sent.Load(), took, f.sent.Load()*1000/uint64(took.Milliseconds()+1), f.passing.Load(), used.cpu, used.rss>>20, used.switches)
		if used.rss > limit {
			t.Errorf("%s: the daemon has %d MiB", what, used.rss>>20)
		}
		if used.cpu > 3*took/2 {
			t.Errorf("%s: %v of CPU in %v", what, used.cpu, took)
		}
		return f, used
	}
	const frames = 150_000
	quiet := func(what string, ammunition []bullet) {
		t.Helper()
		f, used := during(what, ammunition, func(f *flood) { f.await(t, frames) })
		if used.cpu > 200*time.Millisecond || used.switches > 1000 {
			t.Errorf("%s: %d frames cost %v and woke the daemon %d times", what, f.sent.Load(), used.cpu, used.switches)
		}
	}

	quiet("at rest", all)

	// An answer is awaited, and does not come.
	v.serve(false)
	v.forget()
	renewed := make(chan error, 1)
	renew := func(patience time.Duration) {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		renewed <- d.Client.Renew(ctx, "c0")
	}
	go renew(time.Minute)
	v.await("renewing")
	quiet("filtered", foreign)
	before := seen(show(t, d).IPv4.Counters)
	f, _ := during("awaiting", all, func(f *flood) { f.await(t, frames) })
	passing := f.passing.Load()
	// The kernel tells of what it dropped with the next packet that it does not.
	if !lab.Eventually(patience, func() bool {
		v.send(bullets(1)["foreign transaction"].frame)
		passing++
		return seen(show(t, d).IPv4.Counters)-before == passing
	}) {
		t.Errorf("%d packets passed the filter, %d are counted: %v", passing, seen(show(t, d).IPv4.Counters)-before, show(t, d).IPv4.Counters)
	}
	for _, name := range []string{"rejected.ip-checksum", "rejected.ip-length", "rejected.foreign-xid"} {
		if show(t, d).IPv4.Counters[name] == 0 {
			t.Errorf("%s is 0", name)
		}
	}
	v.serve(true)
	if err := <-renewed; err != nil {
		t.Errorf("renew after the flood: %v", err)
	}

	// The server answers, in the midst of it.
	const renewals = 20
	during("renewals", all, func(f *flood) {
		for i := range renewals {
			f.await(t, uint64(i)*frames/renewals)
			go renew(time.Minute)
			if err := <-renewed; err != nil {
				t.Errorf("renewal %d in the flood: %v", i, err)
			}
		}
	})

	// And then it rests.
	at := usageOf(t, d.Pid())
	time.Sleep(500 * time.Millisecond)
	if now := usageOf(t, d.Pid()); now.cpu-at.cpu > 100*time.Millisecond {
		t.Errorf("after the flood it goes on to use %v of CPU in half a second", now.cpu-at.cpu)
	}
	if gone := kernel.Select(0, func(c lab.AddressChange) bool { return c.Removed }); len(gone) > 0 {
		t.Errorf("the address was removed: %v", gone)
	}
	if now := show(t, d); now.IPv4.Address != a.IPv4.Address || now.IPv4.State != "bound" {
		t.Errorf("in the end: %+v", now.IPv4)
	}
}

// TestHostileServers has servers that nobody asked answer beside the one that
// was, in the states in which the client has chosen its server, and that one
// give what cannot be used. Nothing of it counts.
func TestHostileServers(t *testing.T) {
	t.Parallel()
	v, client := newVillain(t)
	d := client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}, Quiet: true})
	kernel := client.WatchAddresses(t)
	counter := func(name string) uint64 { return show(t, d).IPv4.Counters["rejected."+name] }
	server := func(n int) dhcpv4.Modifier {
		return dhcpv4.WithOption(dhcpv4.OptServerIdentifier(net.IPv4(10, 77, byte(1+n/250), byte(1+n%250))))
	}
	const servers = 500
	intrude := func(state string, types ...dhcpv4.MessageType) {
		t.Helper()
		a, before := v.latest(), counter("other-server")+counter("unexpected")
		for n := range servers {
			v.send(dhcpFrame(reply(a, types[n%len(types)], server(n), dhcpv4.WithYourIP(net.IPv4(10, 77, 0, 66)))))
			if n%50 == 49 && !lab.Eventually(patience, func() bool { return counter("other-server")+counter("unexpected") == before+uint64(n)+1 }) {
				t.Fatalf("%s: of %d messages of other servers %d were refused: %v", state, n+1,
					counter("other-server")+counter("unexpected")-before, show(t, d).IPv4.Counters)
			}
		}
		if now := show(t, d).IPv4.State; now != state {
			t.Fatalf("another server moved the client from %s to %s", state, now)
		}
	}
	option := func(code dhcpv4.OptionCode, value ...byte) dhcpv4.Modifier {
		return dhcpv4.WithOption(dhcpv4.OptGeneric(code, value))
	}
	yours := func(a, b, c, d byte) dhcpv4.Modifier { return dhcpv4.WithYourIP(net.IPv4(a, b, c, d)) }
	useless := map[string]dhcpv4.Modifier{
		"no address":            yours(0, 0, 0, 0),
		"loopback":              yours(127, 0, 0, 1),
		"multicast":             yours(224, 0, 0, 1),
		"broadcast":             yours(255, 255, 255, 255),
		"class E":               yours(240, 0, 0, 1),
		"subnet broadcast":      yours(10, 77, 0, 255),
		"another address":       yours(10, 77, 0, 101),
		"no lease time":         func(m *dhcpv4.DHCPv4) { m.Options.Del(dhcpv4.OptionIPAddressLeaseTime) },
		"lease of 0 s":          option(dhcpv4.OptionIPAddressLeaseTime, 0, 0, 0, 0),
		"lease of 1 s":          option(dhcpv4.OptionIPAddressLeaseTime, 0, 0, 0, 1),
		"holes in the mask":     option(dhcpv4.OptionSubnetMask, 255, 0, 255, 0),
		"a server that is none": option(dhcpv4.OptionServerIdentifier, 127, 0, 0, 1),
	}
	spoil := func(state string) {
		t.Helper()
		for what, bad := range useless {
			if what == "another address" && state != "requesting" {
				continue // a server may give another one with a renewal
			}
			before := seenLate(show(t, d).IPv4.Counters)
			v.send(dhcpFrame(reply(v.latest(), ack, bad)))
			if !lab.Eventually(patience, func() bool { return seenLate(show(t, d).IPv4.Counters) == before+1 }) {
				t.Errorf("%s: an ACK with %s was not refused: %v", state, what, show(t, d).IPv4.Counters)
			}
		}
		if now := show(t, d).IPv4.State; now != state {
			t.Fatalf("an ACK that is of no use moved the client from %s to %s", state, now)
		}
	}

	v.await("selecting")
	v.send(dhcpFrame(reply(v.latest(), offer)))
	v.await("requesting")
	intrude("requesting", ack, nak, offer)
	spoil("requesting")
	v.send(dhcpFrame(reply(v.latest(), ack)))
	d.AwaitBound(t, "c0")

	v.forget()
	renewed := make(chan error, 1)
	go func() { renewed <- d.Client.Renew(context.Background(), "c0") }()
	v.await("renewing")
	// An ACK is taken from whatever address the server uses.
	intrude("renewing", nak, offer)
	spoil("renewing")
	v.send(dhcpFrame(reply(v.latest(), ack)))
	if err := <-renewed; err != nil {
		t.Errorf("renew: %v", err)
	}
	if a := show(t, d); a.IPv4.Address.String() != "10.77.0.100/24" || a.IPv4.Server.String() != "10.77.0.1" {
		t.Errorf("in the end: %+v", a.IPv4)
	}
	if changes := kernel.Select(0, func(c lab.AddressChange) bool { return c.Removed || c.Prefix.Addr() != addr("10.77.0.100") }); len(changes) > 0 {
		t.Errorf("the kernel had other addresses: %v", changes)
	}
}

// seenLate adds up what was refused though it was an answer.
func seenLate(c map[string]uint64) (n uint64) {
	for _, name := range late {
		n += c["rejected."+name]
	}
	return n
}
