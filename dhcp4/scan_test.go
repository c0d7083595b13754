package dhcp4

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/lessee/lessee/boottime"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// A scanned is a scan, its virtual clock and what it did last.
type scanned struct {
	t   *testing.T
	s   *Scan
	now boottime.Instant
	xid uint32
}

func newScanned(t *testing.T, during time.Duration) *scanned {
	t.Helper()
	now := boottime.Instant(100 * time.Second)
	s, err := NewScan(Config{HardwareType: 1, HardwareAddr: testMAC, Seed: 1}, now, during)
	if err != nil {
		t.Fatal(err)
	}
	return &scanned{t: t, s: s, now: now, xid: s.x.xid}
}

func (w *scanned) drain() (outs []Output) {
	for {
		o, ok := w.s.Poll()
		if !ok {
			return outs
		}
		outs = append(outs, o)
	}
}

func (w *scanned) offer(server string, change func(*reply, *Datagram)) []Output {
	r := reply{
		t: wire.Offer, xid: w.xid, your: testAddr, server: netip.MustParseAddr(server), lease: 600,
		mask: netip.MustParseAddr("255.255.255.0"), without: map[wire.OptionCode]bool{},
	}
	d := Datagram{From: r.server, Link: testLink}
	if change != nil {
		change(&r, &d)
	}
	d.Message = r.bytes()
	w.s.Handle(w.now, d)
	return w.drain()
}

// TestScanSchedule: DISCOVERs at 0, 1 and 3 s, nothing else, and then the end.
func TestScanSchedule(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		during time.Duration
		want   []time.Duration
	}{
		{time.Second, []time.Duration{0}},
		{2 * time.Second, []time.Duration{0, time.Second}},
		{10 * time.Second, []time.Duration{0, time.Second, 3 * time.Second}},
		{time.Hour, []time.Duration{0, time.Second, 3 * time.Second}},
	} {
		w := newScanned(t, c.during)
		began := w.now
		var sent []time.Duration
		for range 10 {
			for _, o := range w.drain() {
				m, ok := o.(Transmit)
				if !ok || m.Type != wire.Discover || m.Destination != broadcast || m.Source != unspecified {
					t.Fatalf("%v: %+v is not a broadcast DISCOVER", c.during, o)
				}
				sent = append(sent, w.now.Sub(began))
			}
			at, ok := w.s.Deadline()
			if !ok {
				break
			}
			w.s.Handle(w.now, Timeout{}) // early
			w.now = at
			w.s.Handle(w.now, Timeout{})
		}
		if !slices.Equal(sent, c.want) || w.now != began.Add(c.during) {
			t.Errorf("%v: DISCOVERs at %v until %v, want %v", c.during, sent, w.now.Sub(began), c.want)
		}
		if outs := w.offer("10.77.0.1", nil); len(outs) != 0 || len(w.s.Offers()) != 0 {
			t.Errorf("%v: a scan that is over does %v", c.during, outs)
		}
	}
}

// TestScanOffers: each server is listed once, with what it offers.
func TestScanOffers(t *testing.T) {
	t.Parallel()
	w := newScanned(t, 10*time.Second)
	w.drain()
	w.now = w.now.Add(20 * time.Millisecond)
	outs := w.offer("10.77.0.1", func(r *reply, _ *Datagram) {
		r.change = func(b *wire.Builder) {
			b.SetRelay(netip.MustParseAddr("10.77.0.3"))
			b.AddAddr(wire.OptionRouter, netip.MustParseAddr("10.77.0.1"))
			b.AddAddr(wire.OptionDNS, netip.MustParseAddr("10.77.0.53"))
		}
	})
	f, ok := find[Found](outs)
	if !ok {
		t.Fatalf("an offer: %v", outs)
	}
	l := f.Offer.Lease
	if f.Offer.After != 20*time.Millisecond || f.Offer.Refusal != 0 || f.Offer.RapidCommit ||
		f.Offer.From != testServer || l.Server != testServer || !bytes.Equal(l.ServerLink, testLink) ||
		l.Address != netip.PrefixFrom(testAddr, 24) || l.Duration != 10*time.Minute || l.T1 <= 0 ||
		l.Relay != netip.MustParseAddr("10.77.0.3") || l.Routers[0] != testServer ||
		l.DNS[0] != netip.MustParseAddr("10.77.0.53") {
		t.Errorf("offer: %+v", f.Offer)
	}
	// The same again is no news, from another link address it is.
	if outs := w.offer("10.77.0.1", nil); len(outs) != 0 {
		t.Errorf("the same server again: %v", outs)
	}
	otherLink := func(_ *reply, d *Datagram) { d.Link = []byte{2, 0, 0, 0, 0, 7} }
	if _, ok := find[Found](w.offer("10.77.0.1", otherLink)); !ok {
		t.Error("a server that another one poses as is not told")
	}
	f, _ = find[Found](w.offer("10.77.0.2", func(r *reply, _ *Datagram) {
		r.change = func(b *wire.Builder) { b.AddOption(wire.OptionRapidCommit, nil) }
	}))
	if f.Offer == nil || !f.Offer.RapidCommit {
		t.Errorf("option 80 is not told: %+v", f.Offer)
	}
	// What a client would refuse is listed with the reason.
	for server, want := range map[string]struct {
		change func(*reply)
		why    Rejection
	}{
		"10.77.0.4": {func(r *reply) { r.without[wire.OptionServerID] = true }, RejectNoServerID},
		"10.77.0.5": {func(r *reply) { r.without[wire.OptionLeaseTime] = true }, RejectNoLeaseTime},
		"10.77.0.6": {func(r *reply) { r.your = unspecified }, RejectBadAddress},
		"127.0.0.1": {func(*reply) {}, RejectBadServerID},
	} {
		f, _ := find[Found](w.offer(server, func(r *reply, _ *Datagram) { want.change(r) }))
		if f.Offer == nil || f.Offer.Refusal != want.why {
			t.Errorf("%s: %+v, want refusal %v", server, f.Offer, want.why)
		}
	}
	if n := len(w.s.Offers()); n != 7 {
		t.Errorf("%d offers are listed, want 7", n)
	}
	if n := w.s.Counters().Received(wire.Offer); n != 8 {
		t.Errorf("%d offers are counted, want 8", n)
	}
}

// TestScanDrops: what is no offer to us is dropped with its reason.
func TestScanDrops(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*reply)
		why    Rejection
	}{
		"ACK":         {func(r *reply) { r.t = wire.ACK }, RejectUnexpected},
		"FORCERENEW":  {func(r *reply) { r.t = wire.ForceRenew }, RejectMessageType},
		"foreign xid": {func(r *reply) { r.xid++ }, RejectForeignXID},
		"foreign id": {func(r *reply) {
			r.change = func(b *wire.Builder) { b.AddText(wire.OptionClientID, "other") }
		}, RejectClientID},
	} {
		w := newScanned(t, 10*time.Second)
		w.drain()
		outs := w.offer("10.77.0.1", func(r *reply, _ *Datagram) { c.change(r) })
		if len(outs) != 1 || outs[0] != (Dropped{c.why}) {
			t.Errorf("%s: %v, want it dropped: %v", name, outs, c.why)
		}
	}
}

// TestScanIsBounded: a flood of servers does not fill the memory.
func TestScanIsBounded(t *testing.T) {
	t.Parallel()
	w := newScanned(t, 10*time.Second)
	w.drain()
	for i := range 1000 {
		w.offer(netip.AddrFrom4([4]byte{10, 78, byte(i >> 8), byte(i)}).String(), nil)
	}
	if n := len(w.s.Offers()); n != maxOffers {
		t.Errorf("%d offers are kept, want %d", n, maxOffers)
	}
}

func TestScanConfig(t *testing.T) {
	t.Parallel()
	good := Config{HardwareType: 1, HardwareAddr: testMAC}
	if _, err := NewScan(good, 0, 0); err == nil {
		t.Error("a scan of no time is taken")
	}
	if _, err := NewScan(good, 0, 2*time.Hour); err == nil {
		t.Error("a scan of 2 hours is taken")
	}
	if _, err := NewScan(Config{}, 0, time.Second); err == nil {
		t.Error("a client without an address is taken")
	}
}

// FuzzScan: nothing that arrives makes a scan panic, send anything but its
// DISCOVERs, or keep more than it may.
func FuzzScan(f *testing.F) {
	f.Add(uint8(0), reply{
		t: wire.Offer, your: testAddr, server: testServer, lease: 600,
		mask: netip.MustParseAddr("255.255.255.0"),
	}.bytes())
	f.Add(uint8(3), []byte{2, 1, 6, 0})
	f.Fuzz(func(t *testing.T, wait uint8, m []byte) {
		w := newScanned(t, 10*time.Second)
		began, sent := w.now, len(w.drain())
		for range 4 {
			if len(m) > 8 { // in this exchange, as the fuzzer cannot guess
				m = slices.Concat(m[:4], []byte{byte(w.xid >> 24), byte(w.xid >> 16), byte(w.xid >> 8), byte(w.xid)}, m[8:])
			}
			w.s.Handle(w.now, Datagram{Message: m, From: testServer, Link: testLink})
			w.now = w.now.Add(time.Duration(wait) * 10 * time.Millisecond)
			w.s.Handle(w.now, Timeout{})
			for _, o := range w.drain() {
				if _, ok := o.(Transmit); ok {
					sent++
				}
			}
		}
		if most := 1 + int(w.now.Sub(began)/time.Second); sent > most || sent > 3 || len(w.s.Offers()) > 1 {
			t.Errorf("%d DISCOVERs in %v, offers %v", sent, w.now.Sub(began), w.s.Offers())
		}
	})
}
