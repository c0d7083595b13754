package dhcptest

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	wire "github.com/lessee/lessee/wire/dhcp4"
)

var (
	serverLink = LinkAddr{2, 0, 0, 0, 0, 1}
	clientLink = LinkAddr{2, 0, 0, 0, 0, 2}
	otherLink  = LinkAddr{2, 0, 0, 0, 0, 3}
	serverAddr = netip.MustParseAddr("192.0.2.1")
	firstAddr  = netip.MustParseAddr("192.0.2.100")
	secondAddr = netip.MustParseAddr("192.0.2.101")
)

func config() ServerConfig {
	return ServerConfig{
		Address: netip.MustParsePrefix("192.0.2.1/24"),
		First:   firstAddr,
		Last:    netip.MustParseAddr("192.0.2.102"),
		Routers: []netip.Addr{serverAddr},
		DNS:     []netip.Addr{serverAddr},
	}
}

// A query is a client's message: zero fields are absent.
type query struct {
	t                         wire.MessageType
	from                      LinkAddr
	id                        []byte
	ciaddr, requested, server netip.Addr
	relay                     netip.Addr
	flag                      bool
	lease                     uint32
	rapid, able               bool
	wishes                    []byte
}

func (q query) packet(t *testing.T) wire.Packet {
	t.Helper()
	from := q.from
	if from == (LinkAddr{}) {
		from = clientLink
	}
	b := wire.NewBuilder(wire.OpRequest, wire.HardwareEthernet, from[:], 0x12345678)
	b.SetSecs(7)
	b.SetBroadcast(q.flag)
	b.SetClientAddr(q.ciaddr)
	b.SetRelay(q.relay)
	b.AddMessageType(q.t)
	if q.id != nil {
		b.AddOption(wire.OptionClientID, q.id)
	}
	if q.requested.IsValid() {
		b.AddAddr(wire.OptionRequestedAddress, q.requested)
	}
	if q.server.IsValid() {
		b.AddAddr(wire.OptionServerID, q.server)
	}
	if q.lease != 0 {
		b.AddUint32(wire.OptionLeaseTime, q.lease)
	}
	if q.rapid {
		b.AddOption(wire.OptionRapidCommit, nil)
	}
	if q.able {
		b.AddUint8(wire.OptionForceRenewNonce, 1)
	}
	if q.wishes != nil {
		b.AddOption(wire.OptionParameterList, q.wishes)
	}
	p, err := wire.Parse(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A bench is a server and what it is asked.
type bench struct {
	t *testing.T
	w *World
	s *Server
}

func newBench(t *testing.T, change func(*ServerConfig)) *bench {
	t.Helper()
	w := New(1)
	cfg := config()
	if change != nil {
		change(&cfg)
	}
	return &bench{t, w, NewServer(w.NewLink("lan").NewHost(serverLink), cfg)}
}

// ask returns the server's answer as it stands on the wire; false if it says nothing.
func (b *bench) ask(q query) (wire.Packet, bool) {
	b.t.Helper()
	p := q.packet(b.t)
	r := b.s.Answer(b.w.Now(), p)
	if r == nil {
		return wire.Packet{}, false
	}
	a, err := wire.Parse(r.Encode(p))
	if err != nil {
		b.t.Fatal(err)
	}
	return a, true
}

// want asks and checks type and yiaddr; type 0 means silence.
func (b *bench) want(q query, t wire.MessageType, your netip.Addr) wire.Packet {
	b.t.Helper()
	a, ok := b.ask(q)
	switch {
	case !ok && t != 0:
		b.t.Fatalf("no answer to %v, want %v", q.t, t)
	case ok && a.MessageType() != t:
		b.t.Fatalf("%v to %v, want %v", a.MessageType(), q.t, t)
	case ok && t != wire.NAK && a.YourAddr() != your:
		b.t.Fatalf("%v of %v, want %v", t, a.YourAddr(), your)
	}
	return a
}

// bind gives a client the first address.
func (b *bench) bind() {
	b.t.Helper()
	b.want(query{t: wire.Discover}, wire.Offer, firstAddr)
	b.want(query{t: wire.Request, requested: firstAddr, server: serverAddr}, wire.ACK, firstAddr)
}

// RFC 2131, table 3: fields and options of the messages of a server.
func TestTable3(t *testing.T) {
	t.Parallel()
	id := []byte{0, 'm', 'e'}
	relay := netip.MustParseAddr("192.0.2.254")
	type table struct {
		name   string
		query  query
		kind   wire.MessageType
		ciaddr netip.Addr
		yiaddr netip.Addr
		lease  bool // option 51: MUST, else MUST NOT
		params bool // others: MAY, else MUST NOT
	}
	for _, c := range []table{
		{"OFFER", query{t: wire.Discover}, wire.Offer, unspecified, firstAddr, true, true},
		{"ACK", query{t: wire.Request, ciaddr: firstAddr}, wire.ACK, firstAddr, firstAddr, true, true},
		{"ACK to INFORM", query{t: wire.Inform, ciaddr: secondAddr}, wire.ACK, secondAddr, unspecified, false, true},
		{"NAK", query{t: wire.Request, requested: secondAddr}, wire.NAK, unspecified, unspecified, false, false},
	} {
		for _, flag := range []bool{false, true} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				b := newBench(t, nil)
				b.want(query{t: wire.Discover, id: id}, wire.Offer, firstAddr)
				b.want(query{t: wire.Request, id: id, requested: firstAddr, server: serverAddr}, wire.ACK, firstAddr)
				c.query.id, c.query.flag, c.query.relay = id, flag, relay
				a := b.want(c.query, c.kind, c.yiaddr)
				if a.Op() != wire.OpReply || a.HardwareType() != 1 || !slices.Equal(a.HardwareAddr(), clientLink[:]) {
					t.Errorf("op %v, htype %d, chaddr %v", a.Op(), a.HardwareType(), a.HardwareAddr())
				}
				if a.Hops() != 0 || a.Secs() != 0 || a.XID() != 0x12345678 {
					t.Errorf("hops %d, secs %d, xid %x", a.Hops(), a.Secs(), a.XID())
				}
				if a.ClientAddr() != c.ciaddr || a.YourAddr() != c.yiaddr || !a.NextServer().IsUnspecified() || a.Relay() != relay {
					t.Errorf("ciaddr %v, yiaddr %v, siaddr %v, giaddr %v", a.ClientAddr(), a.YourAddr(), a.NextServer(), a.Relay())
				}
				// Section 4.3.2: a NAK through a relay agent is broadcast by it.
				if want := flag || c.kind == wire.NAK; a.Broadcast() != want {
					t.Errorf("flag B is %v", a.Broadcast())
				}
				if got, ok := a.Addr(wire.OptionServerID); !ok || got != serverAddr {
					t.Errorf("option 54: %v %v", got, ok)
				}
				if got, _ := a.Option(wire.OptionClientID); !slices.Equal(got, id) { // RFC 6842
					t.Errorf("option 61: %v", got)
				}
				if _, ok := a.Uint32(wire.OptionLeaseTime); ok != c.lease {
					t.Errorf("option 51: %v", ok)
				}
				for _, code := range []wire.OptionCode{wire.OptionSubnetMask, wire.OptionRouter, wire.OptionDNS} {
					if _, ok := a.Option(code); ok != c.params {
						t.Errorf("option %v: %v", code, ok)
					}
				}
				for _, code := range []wire.OptionCode{wire.OptionRequestedAddress, wire.OptionParameterList, wire.OptionMaxMessageSize} {
					if _, ok := a.Option(code); ok {
						t.Errorf("option %v is the client's", code)
					}
				}
			})
		}
	}
}

// RFC 2131, section 4.3.1: which address is offered.
func TestDiscover(t *testing.T) {
	t.Parallel()
	discover := query{t: wire.Discover}
	t.Run("the current one", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, nil)
		b.bind()
		b.want(query{t: wire.Discover, requested: secondAddr}, wire.Offer, firstAddr)
		if _, ok := b.s.Leased(clientLink, nil); !ok {
			t.Error("an offer ended the lease")
		}
	})
	t.Run("the previous one", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, nil)
		b.bind()
		b.want(query{t: wire.Release, ciaddr: firstAddr, server: serverAddr}, 0, netip.Addr{})
		if _, ok := b.s.Leased(clientLink, nil); ok {
			t.Error("a RELEASE did not end the lease")
		}
		b.want(query{t: wire.Discover, from: otherLink}, wire.Offer, secondAddr)
		b.want(discover, wire.Offer, firstAddr)
	})
	t.Run("the one asked for", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, nil)
		b.want(query{t: wire.Discover, requested: secondAddr}, wire.Offer, secondAddr)
		b.want(query{t: wire.Discover, from: otherLink, requested: secondAddr}, wire.Offer, firstAddr)
	})
	t.Run("not the server's own", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, nil)
		b.want(query{t: wire.Discover, requested: serverAddr}, wire.Offer, firstAddr)
	})
	t.Run("the reserved one", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, func(c *ServerConfig) {
			c.Reserved = map[LinkAddr]netip.Addr{clientLink: netip.MustParseAddr("192.0.2.7")}
		})
		b.want(query{t: wire.Discover, requested: secondAddr}, wire.Offer, netip.MustParseAddr("192.0.2.7"))
	})
	t.Run("none is left", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, nil)
		for i := range byte(3) {
			b.want(query{t: wire.Discover, from: LinkAddr{2, 0, 0, 0, 1, i}}, wire.Offer,
				netip.AddrFrom4([4]byte{192, 0, 2, 100 + i}))
		}
		b.want(discover, 0, netip.Addr{})
		// Offers that nobody took are free again.
		if err := b.w.Run(time.Minute); err != nil {
			t.Fatal(err)
		}
		b.want(discover, wire.Offer, firstAddr)
	})
	t.Run("no pool", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, func(c *ServerConfig) { c.First, c.Last = netip.Addr{}, netip.Addr{} })
		b.want(discover, 0, netip.Addr{})
	})
	t.Run("rapid commit", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, func(c *ServerConfig) { c.RapidCommit = true })
		b.want(discover, wire.Offer, firstAddr)
		a := b.want(query{t: wire.Discover, rapid: true}, wire.ACK, firstAddr)
		if _, ok := a.Option(wire.OptionRapidCommit); !ok {
			t.Error("option 80 is missing")
		}
		if _, ok := b.s.Leased(clientLink, nil); !ok {
			t.Error("there is no lease")
		}
		newBench(t, nil).want(query{t: wire.Discover, rapid: true}, wire.Offer, firstAddr)
	})
	t.Run("what is asked for", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, nil)
		a := b.want(query{t: wire.Discover, wishes: []byte{3}, lease: 60}, wire.Offer, firstAddr)
		_, router := a.Addr(wire.OptionRouter)
		_, dns := a.Addr(wire.OptionDNS)
		if d, _ := a.Uint32(wire.OptionLeaseTime); !router || dns || d != 60 {
			t.Errorf("router %v, DNS %v, lease %d", router, dns, d)
		}
	})
}

// RFC 2131, section 4.3.2 and table 4: REQUEST in each state of the client.
func TestRequest(t *testing.T) {
	t.Parallel()
	foreign := netip.MustParseAddr("198.51.100.9")
	for _, c := range []struct {
		name  string
		bound bool
		query query
		kind  wire.MessageType
	}{
		{"selecting", false, query{requested: firstAddr, server: serverAddr}, wire.ACK},
		{"selecting, another's address", true, query{from: otherLink, requested: firstAddr, server: serverAddr}, wire.NAK},
		{"selecting, no address", false, query{server: serverAddr}, wire.NAK},
		{"selecting another server", true, query{from: otherLink, requested: secondAddr, server: secondAddr}, 0},
		{"init-reboot", true, query{requested: firstAddr}, wire.ACK},
		{"init-reboot, wrong address", true, query{requested: secondAddr}, wire.NAK},
		{"init-reboot, wrong network", true, query{requested: foreign}, wire.NAK},
		{"init-reboot, wrong network, not known", false, query{requested: foreign}, wire.NAK},
		{"init-reboot, not known", false, query{requested: firstAddr}, 0},
		{"renewing", true, query{ciaddr: firstAddr}, wire.ACK},
		{"renewing, not known", false, query{ciaddr: firstAddr}, 0},
		{"rebinding, wrong network", true, query{ciaddr: foreign}, wire.NAK},
		{"nothing", true, query{}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, nil)
			if c.bound {
				b.bind()
			}
			c.query.t = wire.Request
			b.want(c.query, c.kind, firstAddr)
		})
	}
	t.Run("authoritative", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, func(c *ServerConfig) { c.Authoritative = true })
		b.want(query{t: wire.Request, requested: firstAddr}, wire.NAK, netip.Addr{})
	})
	t.Run("after the end of the lease", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, nil)
		b.bind()
		if err := b.w.Run(2 * time.Hour); err != nil {
			t.Fatal(err)
		}
		b.want(query{t: wire.Discover, from: otherLink, requested: firstAddr}, wire.Offer, firstAddr)
		b.want(query{t: wire.Request, ciaddr: firstAddr}, 0, netip.Addr{})
	})
	t.Run("another server's offer was taken", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, nil)
		b.want(query{t: wire.Discover}, wire.Offer, firstAddr)
		b.want(query{t: wire.Request, requested: foreign, server: foreign}, 0, netip.Addr{})
		b.want(query{t: wire.Discover, from: otherLink, requested: firstAddr}, wire.Offer, firstAddr)
	})
}

// RFC 2131, sections 4.3.3 and 4.3.4.
func TestDeclineAndRelease(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.bind()
	b.want(query{t: wire.Decline, from: otherLink, requested: firstAddr, server: serverAddr}, 0, netip.Addr{})
	b.want(query{t: wire.Release, ciaddr: firstAddr, server: secondAddr}, 0, netip.Addr{})
	b.want(query{t: wire.Release, from: otherLink, ciaddr: firstAddr, server: serverAddr}, 0, netip.Addr{})
	if a, ok := b.s.Leased(clientLink, nil); !ok || a != firstAddr {
		t.Fatalf("what others said ended the lease: %v %v", a, ok)
	}
	b.want(query{t: wire.Decline, requested: firstAddr, server: serverAddr}, 0, netip.Addr{})
	b.want(query{t: wire.Discover, requested: firstAddr}, wire.Offer, secondAddr)
	if err := b.w.Run(2 * time.Hour); err != nil {
		t.Fatal(err)
	}
	b.want(query{t: wire.Discover, from: otherLink, requested: firstAddr}, wire.Offer, firstAddr)
}

// RFC 2131, section 4.1: where replies go.
func TestDestination(t *testing.T) {
	t.Parallel()
	relay := netip.MustParseAddr("198.51.100.1")
	for _, c := range []struct {
		name  string
		query query
		kind  wire.MessageType
		want  netip.Addr
		link  LinkAddr // zero: found by ARP
	}{
		{"to yiaddr and chaddr", query{}, wire.Offer, firstAddr, clientLink},
		{"flag B", query{flag: true}, wire.Offer, broadcast, LinkBroadcast},
		{"ciaddr", query{ciaddr: secondAddr, flag: true}, wire.ACK, secondAddr, LinkAddr{}},
		{"relay", query{relay: relay, ciaddr: secondAddr}, wire.ACK, relay, LinkAddr{}},
		{"NAK", query{ciaddr: secondAddr}, wire.NAK, broadcast, LinkBroadcast},
		{"NAK to a relay", query{relay: relay}, wire.NAK, relay, LinkAddr{}},
	} {
		c.query.t = wire.Discover
		to, link := destination(c.query.packet(t), &Reply{Type: c.kind, Your: firstAddr})
		if to != c.want || (link == nil) != (c.link == LinkAddr{}) || link != nil && *link != c.link {
			t.Errorf("%s: %v %v", c.name, to, link)
		}
	}
}
