package dhcptest

import (
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // what RFC 6704 prescribes
	"net/netip"
	"slices"
	"testing"
	"time"

	wire "github.com/lessee/lessee/wire/dhcp4"
	"github.com/lessee/lessee/wire/udp4"
)

// A talk is a client's host beside one server or two.
type talk struct {
	t     *testing.T
	w     *World
	l     *Link
	me    *Host
	heard []wire.Packet
	at    []time.Duration
	began time.Duration
}

func newTalk(t *testing.T, seed uint64) *talk {
	t.Helper()
	k := &talk{t: t, w: New(seed)}
	k.l = k.w.NewLink("lan")
	k.me = k.l.NewHost(clientLink)
	k.me.Listen(portClient, func(d Datagram) {
		p, err := wire.Parse(d.Payload)
		if err != nil {
			k.t.Fatalf("%v: %x", err, d.Payload)
		}
		k.heard = append(k.heard, p)
		k.at = append(k.at, time.Duration(k.w.Now())-k.began)
	})
	return k
}

func (k *talk) serve(link LinkAddr, change func(*ServerConfig), b ...Behaviour) *Server {
	cfg := config()
	if change != nil {
		change(&cfg)
	}
	return NewServer(k.l.NewHost(link), cfg, b...)
}

// ask broadcasts a message and returns the types of what came back within 10 s.
func (k *talk) ask(q query) []wire.MessageType {
	k.t.Helper()
	k.heard, k.at, k.began = nil, nil, time.Duration(k.w.Now())
	d := udp4.Datagram{
		Source: netip.AddrPortFrom(unspecified, portClient), Destination: netip.AddrPortFrom(broadcast, portServer),
		Payload: q.packet(k.t).Bytes(),
	}
	if q.ciaddr.IsValid() {
		k.me.Own(q.ciaddr)
	}
	if err := k.me.Send(d); err != nil {
		k.t.Fatal(err)
	}
	if err := k.w.Run(10 * time.Second); err != nil {
		k.t.Fatal(err)
	}
	var types []wire.MessageType
	for _, p := range k.heard {
		types = append(types, p.MessageType())
	}
	return types
}

func (k *talk) want(q query, types ...wire.MessageType) {
	k.t.Helper()
	if got := k.ask(q); !slices.Equal(got, types) {
		k.t.Fatalf("%v to %v, want %v", got, q.t, types)
	}
}

var (
	discover = query{t: wire.Discover}
	selects  = query{t: wire.Request, requested: firstAddr, server: serverAddr}
	renews   = query{t: wire.Request, ciaddr: firstAddr}
)

func TestCorrectServer(t *testing.T) {
	t.Parallel()
	k := newTalk(t, 1)
	s := k.serve(serverLink, nil)
	k.want(discover, wire.Offer)
	if k.at[0] > time.Millisecond {
		t.Errorf("it took %v", k.at[0])
	}
	k.want(selects, wire.ACK)
	k.want(renews, wire.ACK)
	k.want(query{t: wire.Inform, ciaddr: firstAddr}, wire.ACK)
	k.want(query{t: wire.Release, ciaddr: firstAddr, server: serverAddr})
	if _, ok := s.Leased(clientLink, nil); ok {
		t.Error("the lease is still there")
	}
	if s.Host().LinkAddr() != serverLink || s.Address() != serverAddr {
		t.Error("not itself")
	}
}

func TestSlow(t *testing.T) {
	t.Parallel()
	k := newTalk(t, 1)
	k.serve(serverLink, nil, Slow(2*time.Second, 3*time.Second))
	k.want(discover, wire.Offer)
	if k.at[0] < 2*time.Second || k.at[0] > 3100*time.Millisecond {
		t.Errorf("it took %v", k.at[0])
	}
}

func TestSilent(t *testing.T) {
	t.Parallel()
	k := newTalk(t, 1)
	s := k.serve(serverLink, nil, Silent())
	k.want(discover)
	s.SetBehaviours(SilentTo(wire.Request))
	k.want(discover, wire.Offer)
	k.want(selects)
	s.SetBehaviours()
	k.want(selects, wire.ACK)
}

func TestNAKing(t *testing.T) {
	t.Parallel()
	k := newTalk(t, 1)
	s := k.serve(serverLink, nil)
	k.want(discover, wire.Offer)
	k.want(selects, wire.ACK)
	s.SetBehaviours(NAKing())
	k.want(renews, wire.NAK)
	k.want(discover, wire.Offer)
	k.want(selects, wire.NAK)
}

func TestForgetting(t *testing.T) {
	t.Parallel()
	k := newTalk(t, 1)
	s := k.serve(serverLink, nil)
	k.want(discover, wire.Offer)
	k.want(selects, wire.ACK)
	s.SetBehaviours(Forgetting(1))
	k.want(renews)
}

func TestRogue(t *testing.T) {
	t.Parallel()
	k := newTalk(t, 1)
	other := netip.MustParseAddr("192.0.2.9")
	k.serve(serverLink, nil)
	k.serve(otherLink, func(c *ServerConfig) {
		c.Address = netip.PrefixFrom(other, 24)
		c.First, c.Last = netip.MustParseAddr("192.0.2.200"), netip.MustParseAddr("192.0.2.201")
	}, Rogue(), Slow(time.Second, time.Second))
	k.want(discover, wire.Offer, wire.Offer)
	k.want(selects, wire.ACK, wire.ACK)
	if id, _ := k.heard[1].Addr(wire.OptionServerID); id != other || k.heard[1].YourAddr() == firstAddr {
		t.Errorf("server %v gives %v", id, k.heard[1].YourAddr())
	}
}

func TestRacing(t *testing.T) {
	t.Parallel()
	first := map[netip.Addr]int{}
	for seed := range uint64(40) {
		k := newTalk(t, seed)
		for i, link := range []LinkAddr{serverLink, otherLink} {
			k.serve(link, func(c *ServerConfig) {
				c.Address = netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(1 + i)}), 24)
			}, Racing(time.Millisecond))
		}
		k.want(discover, wire.Offer, wire.Offer)
		id, _ := k.heard[0].Addr(wire.OptionServerID)
		first[id]++
	}
	if len(first) != 2 || first[serverAddr] < 8 || first[serverAddr] > 32 {
		t.Errorf("who was first: %v", first)
	}
}

func TestSometimes(t *testing.T) {
	t.Parallel()
	k := newTalk(t, 1)
	k.serve(serverLink, nil, Sometimes(0.5, Silent()), Sometimes(0.5, Slow(time.Second, time.Second)))
	silent, slow := 0, 0
	for range 100 {
		switch got := k.ask(discover); {
		case len(got) == 0:
			silent++
		case k.at[0] > time.Second:
			slow++
		}
	}
	if silent < 30 || silent > 70 || slow < 10 || slow > 40 {
		t.Errorf("%d silent, %d slow", silent, slow)
	}
}

func TestOddOptionsAreStillReadable(t *testing.T) {
	t.Parallel()
	k := newTalk(t, 1)
	k.serve(serverLink, nil, OddOptions())
	shapes := map[string]bool{}
	for range 300 {
		k.want(discover, wire.Offer)
		p := k.heard[0]
		if id, ok := p.Addr(wire.OptionServerID); !ok || id != serverAddr {
			t.Fatalf("server %v in %x", id, p.Bytes())
		}
		if d, ok := p.Uint32(wire.OptionLeaseTime); !ok || d != 3600 {
			t.Fatalf("lease %v in %x", d, p.Bytes())
		}
		_, overload := p.Uint8(wire.OptionOverload)
		shapes["overload"] = shapes["overload"] || overload
		last := wire.OptionCode(p.Bytes()[len(p.Bytes())-1])
		shapes["no end"] = shapes["no end"] || last != wire.OptionPad && last != wire.OptionEnd
		d, _ := p.Text(wire.OptionDomainName)
		shapes["pieces"] = shapes["pieces"] || d == "example.org"
	}
	if !shapes["overload"] || !shapes["no end"] || !shapes["pieces"] {
		t.Errorf("seen: %v", shapes)
	}
}

func TestRelayed(t *testing.T) {
	t.Parallel()
	k := newTalk(t, 1)
	relay := netip.MustParseAddr("192.0.2.254")
	k.serve(serverLink, func(c *ServerConfig) { c.Relay = relay })
	k.want(discover, wire.Offer)
	if got := k.heard[0].Relay(); got != relay {
		t.Errorf("giaddr %v", got)
	}
	// A relay agent passes a query on: the reply goes to it.
	heard := 0
	agent := k.l.NewHost(otherLink)
	agent.Own(secondAddr)
	agent.Listen(portServer, func(d Datagram) {
		if d.Destination.Addr() == secondAddr {
			heard++
		}
	})
	k.want(query{t: wire.Discover, relay: secondAddr})
	if heard != 1 {
		t.Errorf("the relay agent got %d replies", heard)
	}
}

// RFC 6704: what the nonce makes of the message is the digest in it.
func TestForceRenew(t *testing.T) {
	t.Parallel()
	k := newTalk(t, 1)
	s := k.serve(serverLink, func(c *ServerConfig) { c.ForceRenew = true })
	force := func(forged bool) wire.Packet {
		t.Helper()
		k.heard = nil
		if !s.ForceRenew(clientLink, nil, forged) {
			t.Fatal("no lease")
		}
		if err := k.w.Run(time.Second); err != nil {
			t.Fatal(err)
		}
		if len(k.heard) != 1 || k.heard[0].MessageType() != wire.ForceRenew {
			t.Fatalf("heard %v", k.heard)
		}
		return k.heard[0]
	}
	digest := func(p wire.Packet, nonce [16]byte) (sent, want [16]byte) {
		t.Helper()
		v, _ := p.Option(wire.OptionAuthentication)
		a, err := wire.ParseAuth(v)
		if err != nil {
			t.Fatal(err)
		}
		sent, _ = a.Digest()
		text, _ := p.AppendAuthenticated(nil)
		mac := hmac.New(md5.New, nonce[:])
		mac.Write(text)
		return sent, [16]byte(mac.Sum(nil))
	}
	if s.ForceRenew(clientLink, nil, false) {
		t.Error("there is a lease before there is one")
	}
	k.want(discover, wire.Offer)
	k.want(selects, wire.ACK)
	if _, ok := k.heard[0].Option(wire.OptionAuthentication); ok {
		t.Error("a nonce for a client that does not know of it")
	}
	k.me.Own(firstAddr)
	if _, ok := force(false).Option(wire.OptionAuthentication); ok {
		t.Error("a digest without a nonce")
	}
	able := selects
	able.able = true
	k.want(able, wire.ACK)
	v, _ := k.heard[0].Option(wire.OptionAuthentication)
	a, err := wire.ParseAuth(v)
	nonce, ok := a.Nonce()
	if err != nil || !ok {
		t.Fatalf("no nonce in %x: %v", v, err)
	}
	if sent, want := digest(force(false), nonce); sent != want {
		t.Errorf("digest %x, want %x", sent, want)
	}
	if sent, want := digest(force(true), nonce); sent == want {
		t.Error("a forged digest is right")
	}
}
