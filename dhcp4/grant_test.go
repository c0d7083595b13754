package dhcp4

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	wire "github.com/lessee/lessee/wire/dhcp4"
)

// TestParameters: what an option's value becomes in the lease, and what counts as absent.
func TestParameters(t *testing.T) {
	t.Parallel()
	a := netip.MustParseAddr
	for name, c := range map[string]struct {
		option wire.OptionCode
		value  []byte
		get    func(*Lease) any
		want   any
	}{
		"routers":              {wire.OptionRouter, []byte{10, 77, 0, 1, 10, 77, 0, 2}, routersOf, []netip.Addr{a("10.77.0.1"), a("10.77.0.2")}},
		"routers twice":        {wire.OptionRouter, []byte{10, 77, 0, 1, 10, 77, 0, 1}, routersOf, []netip.Addr{a("10.77.0.1")}},
		"no router":            {wire.OptionRouter, []byte{0, 0, 0, 0, 255, 255, 255, 255, 224, 0, 0, 1, 127, 0, 0, 1, 240, 0, 0, 1}, routersOf, []netip.Addr(nil)},
		"routers cut":          {wire.OptionRouter, []byte{10, 77, 0}, routersOf, []netip.Addr(nil)},
		"dns":                  {wire.OptionDNS, []byte{9, 9, 9, 9}, func(l *Lease) any { return l.DNS }, []netip.Addr{a("9.9.9.9")}},
		"broadcast":            {wire.OptionBroadcast, []byte{10, 77, 0, 255}, broadcastOf, a("10.77.0.255")},
		"limited broadcast":    {wire.OptionBroadcast, []byte{255, 255, 255, 255}, broadcastOf, a("255.255.255.255")},
		"broadcast elsewhere":  {wire.OptionBroadcast, []byte{10, 78, 0, 255}, broadcastOf, netip.Addr{}},
		"domain":               {wire.OptionDomainName, []byte("lab.example"), domainOf, "lab.example"},
		"domain with dot":      {wire.OptionDomainName, []byte("lab.example."), domainOf, "lab.example"},
		"domain with NUL":      {wire.OptionDomainName, []byte("lab.example\x00"), domainOf, "lab.example"},
		"domain for a shell":   {wire.OptionDomainName, []byte("$(reboot)"), domainOf, ""},
		"domain for a config":  {wire.OptionDomainName, []byte("lab\nnameserver 6.6.6.6"), domainOf, ""},
		"two domains":          {wire.OptionDomainName, []byte("a.example b.example"), domainOf, ""},
		"empty domain":         {wire.OptionDomainName, nil, domainOf, ""},
		"host name":            {wire.OptionHostName, []byte("lab-1"), func(l *Lease) any { return l.HostName.String() }, "lab-1"},
		"host name with quote": {wire.OptionHostName, []byte("lab'1"), func(l *Lease) any { return l.HostName.String() }, ""},
		"search":               {wire.OptionDomainSearch, []byte("\x03lab\x07example\x00\xc0\x04"), searchOf, []string{"lab.example", "example"}},
		"search in a loop":     {wire.OptionDomainSearch, []byte("\xc0\x00"), searchOf, []string(nil)},
		"mtu":                  {wire.OptionMTU, []byte{5, 120}, mtuOf, 1400},
		"least mtu":            {wire.OptionMTU, []byte{0, 68}, mtuOf, 68},
		"small mtu":            {wire.OptionMTU, []byte{0, 67}, mtuOf, 0},
		"mtu cut":              {wire.OptionMTU, []byte{5}, mtuOf, 0},
		"routes": {
			wire.OptionClasslessRoutes,
			[]byte{0, 10, 77, 0, 1, 24, 192, 168, 7, 0, 0, 0, 0},
			routesOf,
			[]Route{{netip.MustParsePrefix("0.0.0.0/0"), a("10.77.0.1")}, {netip.MustParsePrefix("192.168.7.0/24"), unspecified}},
		},
		"routes cut":                 {wire.OptionClasslessRoutes, []byte{0, 10, 77, 0, 1, 24, 192}, routesOf, []Route(nil)},
		"route to loopback":          {wire.OptionClasslessRoutes, []byte{8, 127, 10, 77, 0, 1}, routesOf, []Route(nil)},
		"route by multicast":         {wire.OptionClasslessRoutes, []byte{0, 224, 0, 0, 1}, routesOf, []Route(nil)},
		"route for multicast groups": {wire.OptionClasslessRoutes, []byte{4, 224, 10, 77, 0, 1}, routesOf, []Route{{netip.MustParsePrefix("224.0.0.0/4"), a("10.77.0.1")}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			begin(w)
			w.reply(w.newReply(wire.Offer))
			r := w.newReply(wire.ACK)
			r.change = func(b *wire.Builder) { b.AddOption(c.option, c.value) }
			w.reply(r)
			l, ok := w.c.Lease()
			if !ok {
				t.Fatalf("the lease is lost for a bad value: %v", w.out)
			}
			if got := c.get(l); !reflect.DeepEqual(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

func routersOf(l *Lease) any   { return l.Routers }
func broadcastOf(l *Lease) any { return l.Broadcast }
func domainOf(l *Lease) any    { return l.Domain.String() }
func searchOf(l *Lease) any {
	var all []string
	for _, d := range l.Search {
		all = append(all, d.String())
	}
	return all
}

func mtuOf(l *Lease) any    { return l.MTU }
func routesOf(l *Lease) any { return l.Routes }

// TestSubnet: the mask of option 1, or that of the address's class.
func TestSubnet(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ address, mask, want string }{
		{"10.77.0.105", "255.255.255.0", "10.77.0.105/24"},
		{"10.77.0.105", "255.255.255.255", "10.77.0.105/32"},
		{"10.77.0.105", "255.255.255.254", "10.77.0.105/31"},
		{"10.77.0.105", "128.0.0.0", "10.77.0.105/1"},
		{"10.77.0.105", "", "10.77.0.105/8"},
		{"172.16.1.1", "", "172.16.1.1/16"},
		{"192.168.1.1", "", "192.168.1.1/24"},
		{"192.168.1.255", "", "192.168.1.255/24"}, // the class may be wrong
		{"192.168.1.255", "255.255.254.0", ""},
		{"192.168.0.255", "255.255.254.0", "192.168.0.255/23"},
	} {
		w := newWorld(t, nil)
		begin(w)
		for _, typ := range []wire.MessageType{wire.Offer, wire.ACK} {
			r := w.newReply(typ)
			r.your = netip.MustParseAddr(c.address)
			if c.mask == "" {
				r.without = map[wire.OptionCode]bool{wire.OptionSubnetMask: true}
			} else {
				r.mask = netip.MustParseAddr(c.mask)
			}
			w.reply(r)
		}
		l, ok := w.c.Lease()
		if ok != (c.want != "") || ok && l.Address.String() != c.want {
			t.Errorf("%s with mask %q: %+v, want %q", c.address, c.mask, l, c.want)
		}
	}
}

// TestServerLink: where a RELEASE can be sent to without ARP.
func TestServerLink(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ link, want []byte }{
		"server":      {[]byte{2, 0, 0, 0, 0, 1}, []byte{2, 0, 0, 0, 0, 1}},
		"unknown":     {nil, nil},
		"broadcast":   {[]byte{255, 255, 255, 255, 255, 255}, nil},
		"multicast":   {[]byte{1, 0, 0x5e, 0, 0, 1}, nil},
		"other media": {[]byte{1, 2, 3, 4}, nil},
	} {
		w := newWorld(t, nil)
		begin(w)
		w.reply(w.newReply(wire.Offer))
		w.tell(Datagram{Message: w.newReply(wire.ACK).bytes(), From: testServer, Link: c.link})
		if l, _ := w.c.Lease(); !reflect.DeepEqual(l.ServerLink, c.want) {
			t.Errorf("%s: %v, want %v", name, l.ServerLink, c.want)
		}
	}
	// A renewal that does not tell keeps it, as long as the server is the same.
	w := newWorld(t, nil)
	w.bind()
	w.tell(Renew{})
	w.tell(Datagram{Message: w.newReply(wire.ACK).bytes()})
	if l, _ := w.c.Lease(); !reflect.DeepEqual(l.ServerLink, testLink) {
		t.Errorf("after a renewal: %v", l.ServerLink)
	}
	w.tell(Renew{})
	r := w.newReply(wire.ACK)
	r.server = netip.MustParseAddr("10.77.0.2")
	w.tell(Datagram{Message: r.bytes()})
	if l, _ := w.c.Lease(); l.ServerLink != nil {
		t.Errorf("another server's link address is %v", l.ServerLink)
	}
}

// TestLeaseOfAnotherIdentity: a lease is renewed and released with the client
// identifier it was obtained with (RFC 2131 section 4.2), whatever the client has now.
func TestLeaseOfAnotherIdentity(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.ClientID = []byte("\x00new") })
	l := w.oldLease()
	l.ClientID = []byte("\x00old")
	id := func() string {
		t.Helper()
		p, err := wire.Parse(w.sent()[0].Message)
		if err != nil {
			t.Fatal(err)
		}
		v, _ := p.Option(wire.OptionClientID)
		return strings.TrimPrefix(string(v), "\x00")
	}
	w.tell(LinkUp{})
	w.tell(Start{Lease: l, InUse: true})
	w.tell(Renew{})
	if id() != "old" {
		t.Errorf("renewed as %q", id())
	}
	w.reply(w.newReply(wire.ACK))
	w.tell(Release{})
	if id() != "old" {
		t.Errorf("released as %q", id())
	}
	w.now = w.now.Add(time.Hour)
	w.tell(Renew{})
	if id() != "new" {
		t.Errorf("a new lease as %q", id())
	}
}

// TestReceivedText: what a server says is safe to show.
func TestReceivedText(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.bind()
	w.tell(Renew{})
	r := w.newReply(wire.NAK)
	r.change = func(b *wire.Builder) { b.AddText(wire.OptionMessage, "no\x1b[2J such\nlease\x00") }
	got, ok := find[Received](w.reply(r))
	if !ok || got.Text.String() != "no?[2J such?lease" || got.Type != wire.NAK || got.Server != testServer {
		t.Errorf("%+v", got)
	}
}
