package test

import (
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/lessee/lessee/names"
	"github.com/lessee/lessee/test/lab"
)

// TestObtain checks the whole line: what the server grants, what the wire
// shows, what the kernel has, what the JSON says and what the server lists.
func TestObtain(t *testing.T) {
	t.Parallel()
	variants := []struct {
		name   string
		config lab.Config
		routes []string // without source and protocol
	}{
		{
			"router",
			lab.Config{
				Lease: 150 * time.Second, T1: 60 * time.Second, T2: 100 * time.Second,
				Router: addr("10.77.0.1"), DNS: []netip.Addr{addr("10.77.0.1"), addr("10.77.0.9")},
				Domain: "lab.test", Search: []string{"lab.test"}, MTU: 1400,
			},
			[]string{"10.77.0.0/24", "default via 10.77.0.1"},
		},
		{
			// RFC 3442: where there is option 121, option 3 is to be ignored.
			"classless",
			lab.Config{
				Lease: 150 * time.Second, Router: addr("10.77.0.250"),
				Routes: []lab.Route{
					{Destination: prefix("10.99.0.0/16"), Via: addr("10.77.0.1")},
					{Destination: prefix("0.0.0.0/0"), Via: addr("10.77.0.253")},
				},
			},
			[]string{"10.77.0.0/24", "10.99.0.0/16 via 10.77.0.1", "default via 10.77.0.253"},
		},
		{"bare", lab.Config{}, []string{"10.77.0.0/24"}},
	}
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			eachKind(t, func(t *testing.T, kind *lab.Kind) { testObtain(t, kind, v.config, v.routes) })
		})
	}
}

func testObtain(t *testing.T, kind *lab.Kind, c lab.Config, routes []string) {
	h := newHome(t, kind, c)
	d, _ := h.bound(t)
	a := d.Show(t, "c0")
	for _, l := range d.List(t) {
		if l.Name == "c0" && l.IPv4 != nil && l.IPv4.Address != a.IPv4.Address {
			t.Errorf("list says %v, show %v", l.IPv4.Address, a.IPv4.Address)
		}
	}
	v4 := a.IPv4

	// The wire.
	first := h.cap.SentByClient(0)[0]
	if !first.Client(discover) || first.Src != addr("0.0.0.0") || first.Dst != addr("255.255.255.255") || first.SrcPort != 68 || first.DstPort != 67 {
		t.Errorf("the first packet is %v", first)
	}
	req, mark := h.cap.AwaitClient(0, patience, request)
	granted, _ := h.cap.AwaitServer(mark, patience, ack)
	if !req.DHCP.ServerIdentifier().Equal(granted.DHCP.ServerIdentifier()) || !req.DHCP.RequestedIPAddress().Equal(granted.DHCP.YourIPAddr) ||
		!req.DHCP.ClientIPAddr.IsUnspecified() || req.Src != addr("0.0.0.0") {
		t.Errorf("the REQUEST is %v", req) // RFC 2131 section 4.3.2, SELECTING
	}
	if req.DHCP.TransactionID != first.DHCP.TransactionID {
		t.Errorf("the REQUEST has another xid than the DISCOVER")
	}
	for _, p := range h.cap.SentByClient(0) {
		if p.BadChecksum {
			t.Errorf("wrong checksum: %v", p)
		}
	}

	// The kernel.
	lease := granted.DHCP.IPAddressLeaseTime(0)
	have := h.client.Addresses("c0")
	if len(have) != 1 || have[0].Prefix != netip.PrefixFrom(leased(granted), 24) {
		t.Fatalf("addresses: %v, granted %v", have, leased(granted))
	}
	if have[0].Valid > lease || have[0].Valid < lease-patience || have[0].Preferred > have[0].Valid {
		t.Errorf("lifetimes %v and %v of a lease for %v", have[0].Valid, have[0].Preferred, lease)
	}
	if got := bare(h.client.Routes("c0")); !slices.Equal(got, routes) {
		t.Errorf("routes: %q, want %q", h.client.Routes("c0"), routes)
	}
	mtu := 1500
	if c.MTU != 0 {
		mtu = c.MTU
	}
	if got := h.client.MTU("c0"); got != mtu {
		t.Errorf("MTU %d, want %d", got, mtu)
	}

	// The JSON.
	if a.Manager != "lessee" || a.MAC != mac || !a.Up || !a.Carrier || a.Index == 0 || a.MTU != mtu {
		t.Errorf("adapter %+v", a)
	}
	if v4.State != "bound" || v4.Address != have[0].Prefix || v4.Server != addr("10.77.0.1") || v4.Problem != "" {
		t.Errorf("ipv4 %+v", v4)
	}
	if !near(v4.Expires, time.Now().Add(have[0].Valid)) || !near(v4.Obtained.Add(lease), v4.Expires) {
		t.Errorf("obtained %v, expires %v, the kernel says %v", v4.Obtained, v4.Expires, have[0].Valid)
	}
	t1, t2 := granted.DHCP.IPAddressRenewalTime(lease/2), granted.DHCP.IPAddressRebindingTime(lease*7/8)
	if !near(v4.Obtained.Add(t1), v4.Renews) || !near(v4.Obtained.Add(t2), v4.Rebinds) {
		t.Errorf("obtained %v, renews %v, rebinds %v; T1 %v, T2 %v", v4.Obtained, v4.Renews, v4.Rebinds, t1, t2)
	}
	if c.Router.IsValid() && !slices.Equal(v4.Routers, []netip.Addr{c.Router}) {
		t.Errorf("routers %v", v4.Routers)
	}
	if len(v4.Routes) != len(c.Routes) || !slices.Equal(v4.DNS, c.DNS) || v4.Domain.String() != c.Domain ||
		!slices.EqualFunc(v4.Search, c.Search, func(d names.Domain, s string) bool { return d.String() == s }) || v4.MTU != c.MTU {
		t.Errorf("ipv4 %+v, the server gave %+v", v4, c)
	}

	// The server.
	held := h.dhcp.AwaitHeld(t, leased(granted))
	if held.MAC != mac || !near(held.Ends, v4.Expires) {
		t.Errorf("the server's list says %+v, the JSON that it expires %v", held, v4.Expires)
	}
}

// bare strips source and protocol from routes.
func bare(routes []string) []string {
	var out []string
	for _, r := range routes {
		r, _, _ = strings.Cut(r, " src ")
		r, _, _ = strings.Cut(r, " proto ")
		out = append(out, r)
	}
	return out
}

// TestTwoDaemons checks that two daemons in two namespaces go their own ways.
func TestTwoDaemons(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	other := h.Space("other")
	port := h.net.Attach(other, "c0", "02:00:00:00:00:03")
	cap := port.Capture()

	d1, a1 := h.bound(t)
	d2 := other.ReadyDaemon(t, lab.Options{Args: []string{"c0"}})
	a2 := d2.AwaitBound(t, "c0")
	if a1.IPv4.Address == a2.IPv4.Address {
		t.Fatalf("both have %v", a1.IPv4.Address)
	}
	mark := cap.Mark()
	d1.Must(t, "renew", "c0")
	d1.Must(t, "release", "c0")
	h.dhcp.AwaitFreed(t, a1.IPv4.Address.Addr())
	if sent := cap.SentByClient(mark); len(sent) > 0 {
		t.Errorf("the other machine sent %v", sent)
	}
	if a := d2.Show(t, "c0"); a.IPv4.Address != a2.IPv4.Address || !h.dhcp.Holds(t, a2.IPv4.Address.Addr()) {
		t.Errorf("the other machine's lease is now %+v", a.IPv4)
	}
}

// TestClientIdentifier checks that every message of a lease's life carries
// the same client identifier.
func TestClientIdentifier(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	d, a := h.bound(t)
	d.Must(t, "renew", "c0")
	d.Must(t, "release", "c0")
	h.cap.AwaitClient(0, patience, release)
	sent := h.cap.SentByClient(0)
	id := sent[0].DHCP.Options.Get(dhcpv4.OptionClientIdentifier)
	for _, p := range sent {
		if got := p.DHCP.Options.Get(dhcpv4.OptionClientIdentifier); string(got) != string(id) || len(id) < 2 {
			t.Errorf("client identifier %x, at first %x: %v", got, id, p)
		}
	}
	if got := a.IPv4.ClientID; strings.ReplaceAll(got, ":", "") != hex.EncodeToString(id) {
		t.Errorf("the JSON says client identifier %q, the wire %x", got, id)
	}
}
