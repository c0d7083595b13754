package dhcp4

import (
	"bytes"
	"net/netip"
	"reflect"
	"testing"
	"time"

	wire "github.com/lessee/lessee/wire/dhcp4"
)

// Rules of RFC 2131 and 2132 about single messages; docs/rfc-matrix.md names who
// holds which.

// TestFormOfMessages: what table 1 and section 4.1 of RFC 2131 say of each message: no flag
// but B, an END after all options and only padding behind it, neither options
// nor anything else in sname and file, one message type, a size that anybody
// must be able to take (section 2: 576 bytes with IP and UDP headers).
func TestFormOfMessages(t *testing.T) {
	t.Parallel()
	for _, r := range rules() {
		for _, flag := range []bool{false, true} {
			w := newWorld(t, func(cfg *Config) { cfg.Broadcast, cfg.HostName = flag, "lab-1" })
			r.make(w)
			for _, sent := range w.sent() {
				b := sent.Message
				if b[10]&0x7f != 0 || b[11] != 0 {
					t.Errorf("%s: flags are %x", r.name, b[10:12])
				}
				if !bytes.Equal(b[236:240], []byte{99, 130, 83, 99}) {
					t.Errorf("%s: the cookie is %v", r.name, b[236:240])
				}
				if tail := bytes.TrimRight(b[240:], "\x00"); tail[len(tail)-1] != byte(wire.OptionEnd) {
					t.Errorf("%s: END is not the last option", r.name)
				}
				if len(bytes.Trim(b[44:236], "\x00")) != 0 {
					t.Errorf("%s: sname and file are in use", r.name)
				}
				if len(b) > 576-20-8 {
					t.Errorf("%s: %d bytes", r.name, len(b))
				}
				p, err := wire.Parse(b)
				if err != nil {
					t.Fatal(err)
				}
				types := 0
				for code := range p.Options() {
					if code == wire.OptionMessageType {
						types++
					}
				}
				if types != 1 {
					t.Errorf("%s: %d message types", r.name, types)
				}
			}
		}
	}
}

// TestLargeMessages: RFC 2131, section 2: "A DHCP client must be prepared to receive
// DHCP messages with an 'options' field of at least length 312 octets", and as
// large as option 57 says.
func TestLargeMessages(t *testing.T) {
	t.Parallel()
	for _, size := range []int{236 + 312, maxMessageSize} {
		w := newWorld(t, nil)
		begin(w)
		w.reply(w.newReply(wire.Offer))
		message := bytes.TrimRight(w.newReply(wire.ACK).bytes(), "\x00")
		message = message[:len(message)-1]      // END
		last := []byte{6, 4, 10, 77, 0, 1, 255} // a name server behind it all
		for room := size - len(last) - len(message); room > 0; room = size - len(last) - len(message) {
			n := min(room, 255)
			if room-n == 1 {
				n-- // no option is as short as that
			}
			message = append(message, 43, byte(n-2))
			message = append(message, make([]byte, n-2)...)
		}
		message = append(message, last...)
		if len(message) != size {
			t.Fatalf("the message has %d bytes, want %d", len(message), size)
		}
		w.tell(Datagram{Message: message, From: testServer, Link: testLink})
		if l, ok := w.c.Lease(); !ok || len(l.DNS) != 1 || l.DNS[0] != testServer {
			t.Errorf("%d bytes: %v", size, w.out)
		}
	}
}

// TestXIDs: RFC 2131, section 4.1: "A DHCP client MUST choose 'xid's in such a way as to
// minimize the chance of using an 'xid' identical to one used by another
// client": random ones, whatever the client and whichever the exchange.
func TestXIDs(t *testing.T) {
	t.Parallel()
	seen := map[uint32]string{}
	var ones [32]int
	const clients, exchanges = 100, 10
	for seed := range uint64(clients) {
		w := newWorld(t, func(cfg *Config) { cfg.Seed = seed })
		w.bind()
		for range exchanges {
			w.tell(Renew{})
			xid := w.c.state.awaited().xid
			w.reply(w.newReply(wire.ACK))
			w.now = w.now.Add(time.Minute)
			if seen[xid] != "" {
				t.Fatalf("xid %x is there twice", xid)
			}
			seen[xid] = "seen"
			for bit := range ones {
				ones[bit] += int(xid >> bit & 1)
			}
		}
	}
	for bit, n := range ones {
		// Half of 1000, give or take seven times what chance explains.
		if n < 390 || n > 610 {
			t.Errorf("bit %d is set in %d of %d", bit, n, clients*exchanges)
		}
	}
}

// TestRebootIdentity: RFC 2131, section 3.2: "If the client used a 'client identifier' to
// obtain its address, the client MUST use the same 'client identifier' in the
// DHCPREQUEST message", also after its configuration changed.
func TestRebootIdentity(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.ClientID = []byte("\x00new") })
	l := w.oldLease()
	l.ClientID = []byte("\x00old")
	w.tell(Start{Lease: l})
	w.tell(LinkUp{})
	for range 2 {
		p, err := wire.Parse(w.sent()[0].Message)
		if err != nil {
			t.Fatal(err)
		}
		if id, _ := p.Option(wire.OptionClientID); string(id) != "\x00old" {
			t.Errorf("verified as %q", id)
		}
		w.wait()
	}
}

// TestOrderOfPreference: RFC 2132, sections 3.5, 3.8 and 8.3: routers, name servers
// and time servers come in the order of preference, and stay in it.
func TestOrderOfPreference(t *testing.T) {
	t.Parallel()
	list := []netip.Addr{
		netip.MustParseAddr("10.77.0.9"), netip.MustParseAddr("10.77.0.1"), netip.MustParseAddr("10.77.0.5"),
	}
	w := newWorld(t, nil)
	begin(w)
	w.reply(w.newReply(wire.Offer))
	r := w.newReply(wire.ACK)
	r.change = func(b *wire.Builder) {
		b.AddAddr(wire.OptionDNS, list...)
		b.AddAddr(wire.OptionRouter, list...)
		b.AddAddr(wire.OptionNTP, list...)
	}
	w.reply(r)
	if l, _ := w.c.Lease(); !reflect.DeepEqual(l.DNS, list) || !reflect.DeepEqual(l.Routers, list) || !reflect.DeepEqual(l.More.NTP, list) {
		t.Errorf("name servers %v, routers %v, want %v", l.DNS, l.Routers, list)
	}
}

// TestAddressAfterExpiry: RFC 2131, section 4.4.5: after the end of a lease the address
// is not used; if the next lease has it again the client goes on with it, and
// if it has another one, that alone.
func TestAddressAfterExpiry(t *testing.T) {
	t.Parallel()
	for _, next := range []string{"10.77.0.105", "10.77.0.106"} {
		w := newWorld(t, nil)
		l := w.bind()
		w.now, _ = l.Expires()
		if lost, ok := find[Lost](w.tell(Timeout{})); !ok || lost.Why != LossExpired || lost.Lease != l {
			t.Fatalf("at the end of the lease: %v", w.out)
		}
		if _, ok := w.c.Lease(); ok {
			t.Fatal("the lease is in use after its end")
		}
		for w.c.State() != StateSelecting {
			w.wait()
		}
		for _, typ := range []wire.MessageType{wire.Offer, wire.ACK} {
			r := w.newReply(typ)
			r.your = netip.MustParseAddr(next)
			w.reply(r)
		}
		a, ok := find[Acquired](w.out)
		if _, again := find[Lost](w.out); !ok || again || a.Lease.Address.Addr().String() != next || a.Renewed {
			t.Errorf("%s: %v", next, w.out)
		}
	}
}

// TestParametersOfTheACK: RFC 2131, section 4.3.2: "The client SHOULD use the parameters in
// the DHCPACK message for configuration", not those of the OFFER.
func TestParametersOfTheACK(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	begin(w)
	offer := w.newReply(wire.Offer)
	offer.lease = 7200
	offer.change = func(b *wire.Builder) { b.AddAddr(wire.OptionDNS, netip.MustParseAddr("10.77.0.8")) }
	w.reply(offer)
	r := w.newReply(wire.ACK)
	r.change = func(b *wire.Builder) { b.AddAddr(wire.OptionDNS, netip.MustParseAddr("10.77.0.9")) }
	w.reply(r)
	if l, _ := w.c.Lease(); l.Duration != time.Hour || len(l.DNS) != 1 || l.DNS[0].String() != "10.77.0.9" {
		t.Errorf("%+v", l)
	}
}

// TestConflictRateLimit: RFC 5227, section 2.1.1: from the tenth conflict on no
// more than one address per minute is tried; before that not more than one per
// ten seconds (RFC 2131, section 3.1, step 5).
func TestConflictRateLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	begin(w)
	for n := 1; n <= 20; n++ {
		for _, typ := range []wire.MessageType{wire.Offer, wire.ACK} {
			r := w.newReply(typ)
			r.your = netip.AddrFrom4([4]byte{10, 77, 0, byte(100 + n)})
			w.reply(r)
		}
		l, ok := w.c.Lease()
		if !ok {
			t.Fatalf("no lease after %d conflicts", n-1)
		}
		from := w.now
		w.tell(Conflict{Address: l.Address.Addr()})
		for w.c.State() != StateSelecting {
			w.wait()
		}
		least := 10 * time.Second
		if n >= 10 {
			least = time.Minute
		}
		if pause := w.now.Sub(from); pause < least {
			t.Errorf("the pause after conflict %d is %v, want %v at least", n, pause, least)
		}
	}
}

// TestLengthsOfAddressLists: RFC 2132, sections 3.5, 3.8, 8.3 and 8.5: "the length MUST
// always be a multiple of 4", and not 0: another one counts as absent.
func TestLengthsOfAddressLists(t *testing.T) {
	t.Parallel()
	address := testServer.As4()
	for size := range 13 {
		w := newWorld(t, nil)
		begin(w)
		w.reply(w.newReply(wire.Offer))
		r := w.newReply(wire.ACK)
		value := bytes.Repeat(address[:], 4)[:size]
		r.change = func(b *wire.Builder) {
			for _, code := range []wire.OptionCode{wire.OptionRouter, wire.OptionDNS, wire.OptionNTP, wire.OptionNetBIOSNameServer} {
				b.AddOption(code, value)
			}
		}
		w.reply(r)
		l, ok := w.c.Lease()
		if !ok {
			t.Fatalf("%d bytes: the lease is lost: %v", size, w.out)
		}
		more := Extras{}
		if l.More != nil {
			more = *l.More
		}
		for name, list := range map[string][]netip.Addr{"routers": l.Routers, "dns": l.DNS, "ntp": more.NTP, "wins": more.WINS} {
			if is := size > 0 && size%4 == 0; (len(list) > 0) != is {
				t.Errorf("%s of %d bytes: %v", name, size, list)
			}
		}
	}
}
