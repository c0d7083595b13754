//go:build linux

package leases

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"github.com/lessee/lessee/names"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// readBack returns a record as it is read again, with a change of what was written.
func readBack(t *testing.T, change func(*v4.Record)) (v4.Record, error) {
	t.Helper()
	m := newMachine()
	r := full(m.boot)
	change(&r)
	text, err := encode(r, m.clock().now())
	if err != nil {
		return r, err
	}
	f, err := parse(text)
	if err != nil {
		return r, err
	}
	return f.decode(m.clock().now()), nil
}

// TestLimits: the most and the least that a record may have is read back, and nothing
// that is beyond.
func TestLimits(t *testing.T) {
	t.Parallel()
	addresses := func(n int) []netip.Addr { return slices.Repeat([]netip.Addr{netip.MustParseAddr("10.77.0.1")}, n) }
	six, six128 := netip.MustParseAddr("2001:db8::1"), netip.MustParsePrefix("2001:db8::/64")
	token := func(n int) []names.Domain { return slices.Repeat(domains("lab.test"), n) }
	prefixes := func(n int) []netip.Prefix {
		return slices.Repeat([]netip.Prefix{netip.MustParsePrefix("10.77.0.1/24")}, n)
	}
	routes := func(n int) []dhcp4.Route {
		return slices.Repeat([]dhcp4.Route{{Destination: netip.MustParsePrefix("10.0.0.0/8"), Router: netip.MustParseAddr("10.77.0.1")}}, n)
	}
	network := v4.Network{Router: netip.MustParseAddr("10.77.0.1"), RouterLink: []byte{2, 0, 0, 0, 0, 1}}
	networks := func(change func(*v4.Network)) func(*v4.Record) {
		return func(r *v4.Record) {
			n := network
			change(&n)
			r.Networks = []v4.Network{n}
		}
	}
	lease := func(change func(*dhcp4.Lease)) func(*v4.Record) {
		return func(r *v4.Record) { change(r.Lease) }
	}
	extras := func(change func(*dhcp4.Extras)) func(*v4.Record) {
		return lease(func(l *dhcp4.Lease) {
			if l.More == nil {
				l.More = new(dhcp4.Extras)
			}
			change(l.More)
		})
	}
	for _, c := range []struct {
		what string
		ok   bool
		do   func(*v4.Record)
	}{
		{"nothing", true, func(*v4.Record) {}},
		{"hardware address of 32 bytes", true, func(r *v4.Record) { r.HardwareAddr = make([]byte, 32) }},
		{"hardware address of 33 bytes", false, func(r *v4.Record) { r.HardwareAddr = make([]byte, 33) }},
		{"many addresses of ours", true, func(r *v4.Record) { r.Ours = prefixes(maxList) }},
		{"too many addresses of ours", false, func(r *v4.Record) { r.Ours = prefixes(maxList + 1) }},
		{"an IPv6 address of ours", false, func(r *v4.Record) { r.Ours = []netip.Prefix{six128} }},
		{"base MTU 68", true, func(r *v4.Record) { r.BaseMTU = 68 }},
		{"base MTU 67", false, func(r *v4.Record) { r.BaseMTU = 67 }},
		{"base MTU of a loopback", true, func(r *v4.Record) { r.BaseMTU = 1<<31 - 1 }},
		{"base MTU of 32 bits", false, func(r *v4.Record) { r.BaseMTU = 1 << 31 }},
		{"a link-local address", true, func(r *v4.Record) { r.LinkLocal = netip.MustParseAddr("169.254.7.7") }},
		{"another link-local address", false, func(r *v4.Record) { r.LinkLocal = netip.MustParseAddr("10.77.0.1") }},
		{"64 networks", true, func(r *v4.Record) { r.Networks = slices.Repeat([]v4.Network{network}, 64) }},
		{"65 networks", false, func(r *v4.Record) { r.Networks = slices.Repeat([]v4.Network{network}, 65) }},
		{"a network of IPv6", false, networks(func(n *v4.Network) { n.Router = six })},
		{"a router without link address", false, networks(func(n *v4.Network) { n.RouterLink = nil })},
		{"a router's link address of 32 bytes", true, networks(func(n *v4.Network) { n.RouterLink = make([]byte, 32) })},
		{"a router's link address of 33 bytes", false, networks(func(n *v4.Network) { n.RouterLink = make([]byte, 33) })},
		{"a network's lease without address", false, networks(func(n *v4.Network) { n.Lease = &dhcp4.Lease{} })},

		{"no address", false, lease(func(l *dhcp4.Lease) { l.Address = netip.Prefix{} })},
		{"address 0.0.0.0", false, lease(func(l *dhcp4.Lease) { l.Address = netip.MustParsePrefix("0.0.0.0/24") })},
		{"no broadcast address, server and relay", true, lease(func(l *dhcp4.Lease) { l.Broadcast, l.Server, l.Relay = netip.Addr{}, netip.Addr{}, netip.Addr{} })},
		{"an IPv6 broadcast address", false, lease(func(l *dhcp4.Lease) { l.Broadcast = six })},
		{"an IPv6 server", false, lease(func(l *dhcp4.Lease) { l.Server = six })},
		{"an IPv6 relay", false, lease(func(l *dhcp4.Lease) { l.Relay = six })},
		{"a server's link address of 32 bytes", true, lease(func(l *dhcp4.Lease) { l.ServerLink = make([]byte, 32) })},
		{"a server's link address of 33 bytes", false, lease(func(l *dhcp4.Lease) { l.ServerLink = make([]byte, 33) })},
		{"a client identifier of 255 bytes", true, lease(func(l *dhcp4.Lease) { l.ClientID = make([]byte, 255) })},
		{"a client identifier of 256 bytes", false, lease(func(l *dhcp4.Lease) { l.ClientID = make([]byte, 256) })},
		{"a start when it is saved", true, lease(func(l *dhcp4.Lease) { l.Start = newMachine().boot })},
		{"a start after it is saved", false, lease(func(l *dhcp4.Lease) { l.Start = newMachine().boot + 1 })},
		{"T1 1 ns before T2", true, lease(func(l *dhcp4.Lease) { l.T1 = l.T2 - 1 })},
		{"T1 at T2", false, lease(func(l *dhcp4.Lease) { l.T1 = l.T2 })},
		{"T1 of 0", false, lease(func(l *dhcp4.Lease) { l.T1 = 0 })},
		{"T1 of 1 ns", true, lease(func(l *dhcp4.Lease) { l.T1 = 1 })},
		{"T2 1 ns before the end", true, lease(func(l *dhcp4.Lease) { l.T2 = l.Duration - 1 })},
		{"T2 at the end", false, lease(func(l *dhcp4.Lease) { l.T2 = l.Duration })},
		{"MTU 68", true, lease(func(l *dhcp4.Lease) { l.MTU = 68 })},
		{"MTU 67", false, lease(func(l *dhcp4.Lease) { l.MTU = 67 })},
		{"MTU 65535", true, lease(func(l *dhcp4.Lease) { l.MTU = 65535 })},
		{"MTU 65536", false, lease(func(l *dhcp4.Lease) { l.MTU = 65536 })},
		{"many routers", true, lease(func(l *dhcp4.Lease) { l.Routers = addresses(maxList) })},
		{"too many routers", false, lease(func(l *dhcp4.Lease) { l.Routers = addresses(maxList + 1) })},
		{"an IPv6 router", false, lease(func(l *dhcp4.Lease) { l.Routers = []netip.Addr{six} })},
		{"many name servers", true, lease(func(l *dhcp4.Lease) { l.DNS = addresses(maxList) })},
		{"too many name servers", false, lease(func(l *dhcp4.Lease) { l.DNS = addresses(maxList + 1) })},
		{"an IPv6 name server", false, lease(func(l *dhcp4.Lease) { l.DNS = []netip.Addr{six} })},
		{"many search domains", true, lease(func(l *dhcp4.Lease) { l.Search = token(maxList) })},
		{"too many search domains", false, lease(func(l *dhcp4.Lease) { l.Search = token(maxList + 1) })},
		{"a search domain without name", false, lease(func(l *dhcp4.Lease) { l.Search = make([]names.Domain, 1) })},
		{"many routes", true, lease(func(l *dhcp4.Lease) { l.Routes = routes(maxList) })},
		{"too many routes", false, lease(func(l *dhcp4.Lease) { l.Routes = routes(maxList + 1) })},
		{"a route without destination", false, lease(func(l *dhcp4.Lease) { l.Routes = make([]dhcp4.Route, 1) })},
		{"a route of IPv6", false, lease(func(l *dhcp4.Lease) { l.Routes = []dhcp4.Route{{Destination: six128}} })},
		{"a route by IPv6", false, lease(func(l *dhcp4.Lease) { l.Routes[0].Router = six })},

		{"an offset of a day", true, extras(func(e *dhcp4.Extras) { e.Offset, e.HasOffset = -24*time.Hour, true })},
		{"an offset of more than a day", false, extras(func(e *dhcp4.Extras) { e.Offset, e.HasOffset = -24*time.Hour-time.Second, true })},
		{"an offset of half a second", false, extras(func(e *dhcp4.Extras) { e.Offset, e.HasOffset = time.Second/2, true })},
		{"many SIP servers", true, extras(func(e *dhcp4.Extras) { e.SIPServers = addresses(maxList) })},
		{"too many SIP servers", false, extras(func(e *dhcp4.Extras) { e.SIPServers = addresses(maxList + 1) })},
		{"an IPv6 SIP server", false, extras(func(e *dhcp4.Extras) { e.SIPServers = []netip.Addr{six} })},
		{"many SIP domains", true, extras(func(e *dhcp4.Extras) { e.SIPDomains = token(maxList) })},
		{"too many SIP domains", false, extras(func(e *dhcp4.Extras) { e.SIPDomains = token(maxList + 1) })},
		{"many NTP servers", true, extras(func(e *dhcp4.Extras) { e.NTP = addresses(maxList) })},
		{"too many NTP servers", false, extras(func(e *dhcp4.Extras) { e.NTP = addresses(maxList + 1) })},
		{"many vendors", true, extras(func(e *dhcp4.Extras) { e.Vendors = make([]wire.VendorOptions, maxList) })},
		{"too many vendors", false, extras(func(e *dhcp4.Extras) { e.Vendors = make([]wire.VendorOptions, maxList+1) })},
		{"many vendor options", true, extras(func(e *dhcp4.Extras) { e.Vendors = []wire.VendorOptions{{Options: make([]wire.SubOption, maxList)}} })},
		{"too many vendor options", false, extras(func(e *dhcp4.Extras) {
			e.Vendors = []wire.VendorOptions{{Options: make([]wire.SubOption, maxList+1)}}
		})},
		{"a resolver without name", false, extras(func(e *dhcp4.Extras) { e.Resolvers = make([]wire.Resolver, 1) })},
	} {
		_, err := readBack(t, c.do)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.what, err)
		}
		if err != nil && !errors.Is(err, errInvalid) {
			t.Errorf("%s: %v is about something else", c.what, err)
		}
	}
}

// TestEachByteOfAName: letters, digits, "-", "_" and a dot that is not the first are
// themselves in a file's name, and nothing else is.
func TestEachByteOfAName(t *testing.T) {
	t.Parallel()
	const themselves = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
	for c := range 256 {
		name := string([]byte{byte(c)})
		file, err := fileName(name)
		if plain := strings.Contains(themselves, name); err != nil || (file == name+suffix) != plain {
			t.Errorf("%q is in %q, %v", name, file, err)
		}
		if back, ok := adapterName(file); back != name || !ok {
			t.Errorf("%q is of %q, %v", file, back, ok)
		}
	}
	if file, err := fileName("a.b"); file != "a.b"+suffix || err != nil {
		t.Errorf("a dot inside: %q, %v", file, err)
	}
	for _, file := range []string{"%4.json", "%.json", "%zz.json", "eth0", ".json", "%65th0.json", "eth0%2.json", ".eth0.json0"} {
		if name, ok := adapterName(file); ok {
			t.Errorf("%q is of %q", file, name)
		}
	}
	for length, want := range map[int]error{maxName: nil, maxName + 1: errLongName} {
		if _, err := fileName(strings.Repeat("a", length)); !errors.Is(err, want) {
			t.Errorf("%d bytes: %v", length, err)
		}
	}
	for file, want := range map[string]bool{
		".eth0.json0": true, ".eth0.json": true, ".eth0.json123": true, ".a.json": true,
		"eth0.json0": false, ".json": false, ".json0": false, ".eth0": false, ".eth0.jsonx": false, "eth0.json": false,
	} {
		if temporary(file) != want {
			t.Errorf("%s is temporary: %v", file, !want)
		}
	}
}
