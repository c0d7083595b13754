package test

import (
	"encoding/binary"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
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

// T1 and T2 as a server may give them, in seconds; the lease is an hour.
func timers(t1, t2 uint32) []dhcpv4.Modifier {
	option := func(code dhcpv4.OptionCode, v uint32) dhcpv4.Modifier {
		return dhcpv4.WithOption(dhcpv4.OptGeneric(code, binary.BigEndian.AppendUint32(nil, v)))
	}
	return []dhcpv4.Modifier{option(dhcpv4.OptionRenewTimeValue, t1), option(dhcpv4.OptionRebindingTimeValue, t2)}
}

// accepted is how many answers were used.
func accepted(c map[string]uint64) (n uint64) {
	for name, count := range c {
		if strings.HasPrefix(name, "received.") {
			n += count
		}
	}
	return n - seenLate(c)
}

// A storm is a series of damaged answers.
type storm struct {
	t              *testing.T
	v              *villain
	d              *lab.Daemon
	rng            *rand.Rand
	sent, filtered int
}

// burst sends so many damaged answers, which fit in a socket's queue, and waits
// until each of them is accounted for. It returns false if the client is not in
// the state any more, because its time there was over.
func (s *storm) burst(state string, types []dhcpv4.MessageType) bool {
	s.t.Helper()
	const packets = 50
	before := show(s.t, s.d).IPv4
	if before.State != state {
		return false
	}
	a, want := s.v.latest(), seen(before.Counters)
	for range packets {
		b := mutate(s.rng, reply(a, types[s.rng.IntN(len(types))]))
		for plausible(b, a) {
			b = mutate(s.rng, b)
		}
		if len(b) > 1400 {
			b = b[:1400]
		}
		if passes(b) {
			want++
		} else {
			s.filtered++
		}
		s.v.send(dhcpFrame(b))
	}
	s.sent += packets
	var now *lessee.IPv4
	same := lab.Eventually(patience, func() bool {
		now = show(s.t, s.d).IPv4
		return seen(now.Counters) == want || now.State != state
	})
	switch {
	case accepted(now.Counters) != accepted(before.Counters):
		s.t.Fatalf("a damaged message moved the client from %s to %s: %v, before that %v", state, now.State, now.Counters, before.Counters)
	case !same:
		s.t.Fatalf("%s: %d packets passed the filter, the counters have %d: %v", state, want-seen(before.Counters),
			seen(now.Counters)-seen(before.Counters), now.Counters)
	}
	return now.State == state
}

// rage sends that many packets in a state. enter brings the client there, again
// if its time is over.
func (s *storm) rage(state string, packets int, enter func(), types ...dhcpv4.MessageType) {
	s.t.Helper()
	enter()
	for end := s.sent + packets; s.sent < end; {
		if !s.burst(state, types) {
			enter()
		}
	}
}

// TestHostileReplies sends 100,000 damaged answers, in each state that awaits
// one. None may crash the client or move it on, and each is accounted for.
func TestHostileReplies(t *testing.T) {
	t.Parallel()
	const (
		seed, perState = 20_260_101, 20_000
		setback        = 90 * time.Second // who gets no answer time and again pauses for up to 64 s, give or take
	)
	v, client := newVillain(t)
	d := client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}, Quiet: true})
	s := &storm{t: t, v: v, d: d, rng: rand.New(rand.NewPCG(seed, 0))}

	s.rage("selecting", perState, func() { v.await("selecting") }, offer, ack, nak)
	s.rage("requesting", perState, func() {
		v.awaitWithin(setback, "selecting")
		v.send(dhcpFrame(reply(v.latest(), offer)))
		v.await("requesting")
		d.AwaitState(t, "c0", patience, "requesting")
	}, ack, nak, offer)
	for v.latest().state() != "requesting" { // else its time has just been over
		v.send(dhcpFrame(reply(v.awaitWithin(setback, "selecting"), offer)))
		v.await("requesting")
	}
	v.send(dhcpFrame(reply(v.latest(), ack, timers(1, 3000)...)))
	s.rage("renewing", perState, func() {
		v.await("renewing")
		d.AwaitState(t, "c0", patience, "renewing")
	}, ack, nak, offer)
	v.send(dhcpFrame(reply(v.latest(), ack, timers(1, 2)...)))
	s.rage("rebinding", perState, func() {
		v.await("rebinding")
		d.AwaitState(t, "c0", patience, "rebinding")
	}, ack, nak, offer)
	v.send(dhcpFrame(reply(v.latest(), ack)))
	d.AwaitState(t, "c0", patience, "bound")
	s.rage("rebooting", perState, func() { // it does not wait long there
		v.plug(false)
		if !lab.Eventually(patience, func() bool { return !show(t, d).Carrier }) {
			t.Fatal("the pulled cable is not noticed")
		}
		v.forget()
		v.plug(true)
		v.await("rebooting")
	}, ack, nak, offer)
	v.serve(true)
	d.Must(t, "renew", "c0", "--timeout", "60s")

	if u := usageOf(t, d.Pid()); u.rss > limit {
		t.Errorf("the daemon has %d MiB", u.rss>>20)
	}
	if a := show(t, d); a.IPv4.Address.String() != "10.77.0.100/24" || a.IPv4.State != "bound" {
		t.Errorf("in the end: %+v", a.IPv4)
	}
	if s.filtered > s.sent/2 {
		t.Errorf("%d packets sent, %d of them stopped by the filter", s.sent, s.filtered)
	}
	t.Logf("seed %d: %d packets sent, %d stopped by the filter", seed, s.sent, s.filtered)
}

// TestHostileServers has servers that nobody asked answer beside the one that
// was, in the states in which the client has chosen its server, and that one
// give what cannot be used. Nothing of it counts.
func TestHostileServers(t *testing.T) {
	t.Parallel()
	v, client := newVillain(t)
	d := client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}, Quiet: true})
	kernel := client.WatchAddresses(t)
	server := func(n int) dhcpv4.Modifier {
		return dhcpv4.WithOption(dhcpv4.OptServerIdentifier(net.IPv4(10, 77, byte(1+n/250), byte(1+n%250))))
	}
	// enter brings the client into the state, again if its time there is over.
	enter := map[string]func(){
		"requesting": func() {
			if v.latest() == nil || v.latest().state() != "requesting" {
				v.send(dhcpFrame(reply(v.await("selecting"), offer)))
			}
			v.await("requesting")
			d.AwaitState(t, "c0", patience, "requesting")
		},
		"renewing": func() {
			v.await("renewing")
			d.AwaitState(t, "c0", patience, "renewing")
		},
	}
	// refused sends frames and awaits that all of them are refused.
	refused := func(state, what string, frames func(a *ask) [][]byte) {
		t.Helper()
		for {
			enter[state]()
			before := show(t, d).IPv4.Counters
			all := frames(v.latest())
			for _, f := range all {
				v.send(f)
			}
			var now *lessee.IPv4
			want := seenLate(before) + uint64(len(all))
			if lab.Eventually(patience, func() bool {
				now = show(t, d).IPv4
				return seenLate(now.Counters) == want || now.State != state
			}) && seenLate(now.Counters) == want && now.State == state {
				return
			}
			if now.State == state || accepted(now.Counters) != accepted(before) {
				t.Fatalf("%s: %s: of %d messages %d were refused, and the state is %s: %v", state, what, len(all),
					seenLate(now.Counters)-seenLate(before), now.State, now.Counters)
			}
		}
	}
	const servers = 500
	intrude := func(state string, types ...dhcpv4.MessageType) {
		t.Helper()
		for n := 0; n < servers; n += 50 {
			refused(state, "other servers", func(a *ask) (all [][]byte) {
				for i := n; i < n+50; i++ {
					all = append(all, dhcpFrame(reply(a, types[i%len(types)], server(i), dhcpv4.WithYourIP(net.IPv4(10, 77, 0, 66)))))
				}
				return all
			})
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
			refused(state, what, func(a *ask) [][]byte { return [][]byte{dhcpFrame(reply(a, ack, bad))} })
		}
	}

	v.await("selecting")
	intrude("requesting", ack, nak, offer)
	spoil("requesting")
	enter["requesting"]()
	v.send(dhcpFrame(reply(v.latest(), ack, timers(1, 3000)...)))
	v.await("renewing")
	// An ACK is taken from whatever address the server uses.
	intrude("renewing", nak, offer)
	spoil("renewing")
	v.send(dhcpFrame(reply(v.latest(), ack)))
	d.AwaitState(t, "c0", patience, "bound")
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
