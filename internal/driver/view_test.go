package driver

import (
	"encoding"
	"encoding/json"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/golden"
	"github.com/lessee/lessee/names"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// parse gives a value of package names that is valid.
func parse(v encoding.TextUnmarshaler, s string) {
	if err := v.UnmarshalText([]byte(s)); err != nil {
		panic(err)
	}
}

// everything returns a lease that has every option a lease may have.
func everything() *dhcp4.Lease {
	addr := netip.MustParseAddr
	e := &dhcp4.Extras{
		Offset: -12600 * time.Second, HasOffset: true,
		SIPDomains: make([]names.Domain, 1), SIPServers: []netip.Addr{addr("10.77.0.5")},
		Resolvers: []wire.Resolver{
			{Priority: 1, Addresses: []netip.Addr{addr("10.77.0.53")}, ALPN: make([]names.Token, 1), Port: 853},
		},
		FQDN:    &wire.FQDN{Flags: wire.FQDNEncoded | wire.FQDNServer | wire.FQDNOverride, RCode1: 255, RCode2: 255, Partial: true},
		Vendors: []wire.VendorOptions{{Enterprise: 3561, Options: []wire.SubOption{{Code: 1, Value: []byte("hi")}, {Code: 2, Value: []byte{}}}}},
		Other:   []dhcp4.Option{{Code: 43, Value: []byte{1, 0}}, {Code: 224, Value: []byte{}}},
	}
	e.NTP, e.WINS = []netip.Addr{addr("10.77.0.4")}, []netip.Addr{addr("10.77.0.2"), addr("10.77.0.3")}
	e.NoCaptivePortal = true
	parse(&e.CaptivePortal, "https://portal.test/api?a=1&b=2")
	parse(&e.WPAD, "http://wpad.test/wpad.dat")
	parse(&e.Zone, "Europe/Paris")
	parse(&e.POSIXZone, "CET-1CEST,M3.5.0,M10.5.0/3")
	parse(&e.SIPDomains[0], "sip.test")
	parse(&e.Resolvers[0].Name, "dns.test")
	parse(&e.Resolvers[0].ALPN[0], "dot")
	parse(&e.Resolvers[0].DoHPath, "/dns-query{?dns}")
	parse(&e.FQDN.Name, "box")
	l := &dhcp4.Lease{
		Address: netip.MustParsePrefix("10.77.0.100/24"), Broadcast: addr("10.77.0.255"),
		Server: addr("10.77.0.1"), ClientID: []byte{1, 2, 0, 0, 0, 0, 2}, Start: boottime.Instant(time.Minute),
		Duration: time.Hour, T1: 30 * time.Minute, T2: 3150 * time.Second,
		Routers: []netip.Addr{addr("10.77.0.1")}, DNS: []netip.Addr{addr("10.77.0.1"), addr("192.0.2.1")},
		Routes: []dhcp4.Route{
			{Destination: netip.MustParsePrefix("10.99.0.0/16"), Router: addr("10.77.0.1")},
			{Destination: netip.MustParsePrefix("10.98.0.0/16"), Router: addr("0.0.0.0")},
		},
		Search: make([]names.Domain, 1), MTU: 1400, More: e,
	}
	parse(&l.HostName, "web")
	parse(&l.Domain, "lab.test")
	parse(&l.Search[0], "lab.test")
	return l
}

// What the API says of a lease keeps its names and its order.
func TestLeaseKeepsItsForm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		d := New(Config{Home: w.home, Store: w, Now: w.Now})
		v := &lessee.IPv4{State: "bound"}
		d.describeLease(v, everything())
		text, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		golden.Check(t, "lease.json", string(text)+"\n")
		var back lessee.IPv4
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		again, err := json.MarshalIndent(back, "", "  ")
		if err != nil || string(again) != string(text) {
			t.Errorf("%v: it comes back as %s", err, again)
		}
	})
}
