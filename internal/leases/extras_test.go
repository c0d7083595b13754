package leases

import (
	"encoding"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/golden"
	"github.com/lessee/lessee/internal/option"
	"github.com/lessee/lessee/names"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// set gives a value of package names that is right.
func set(v encoding.TextUnmarshaler, s string) {
	if err := v.UnmarshalText([]byte(s)); err != nil {
		panic(err)
	}
}

// extrasOf are all that a lease may have besides the usual.
func extrasOf() *dhcp4.Extras {
	e := &dhcp4.Extras{
		Servers: dhcp4.Servers{NTP: []netip.Addr{netip.MustParseAddr("10.77.0.4")}, WINS: []netip.Addr{netip.MustParseAddr("10.77.0.2")}},
		Texts:   dhcp4.Texts{NoCaptivePortal: true},
		Offset:  -12600 * time.Second, HasOffset: true,
		SIPDomains: domains("sip.test"), SIPServers: []netip.Addr{netip.MustParseAddr("10.77.0.5")},
		Resolvers: []wire.Resolver{
			{Priority: 1, Addresses: []netip.Addr{netip.MustParseAddr("10.77.0.53")}, ALPN: make([]names.Token, 1), Port: 853},
		},
		FQDN:    &wire.FQDN{Flags: wire.FQDNEncoded | wire.FQDNServer, RCode1: 255, RCode2: 255, Partial: true},
		Vendors: []wire.VendorOptions{{Enterprise: 3561, Options: []wire.SubOption{{Code: 1, Value: []byte("hi")}, {Code: 2, Value: []byte{}}}}},
		Other:   []dhcp4.Option{{Code: 43, Value: []byte{1, 0}}, {Code: 224, Value: []byte{}}},
	}
	set(&e.Zone, "Europe/Paris")
	set(&e.POSIXZone, "CET-1CEST,M3.5.0,M10.5.0/3")
	set(&e.CaptivePortal, "https://portal.test/api?a=1&b=2")
	set(&e.WPAD, "http://wpad.test/wpad.dat")
	set(&e.Resolvers[0].Name, "dns.test")
	set(&e.Resolvers[0].ALPN[0], "dot")
	set(&e.Resolvers[0].DoHPath, "/dns-query{?dns}")
	set(&e.FQDN.Name, "box")
	return e
}

// A record with a value that no server could have got in is no record.
func TestExtrasAreChecked(t *testing.T) {
	t.Parallel()
	m := newMachine()
	b, err := encode(full(m.boot), m.clock().now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parse(b); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{
		{`"host_name":"web"`, `"host_name":"web\n"`},
		{`"domain":"lab.test"`, `"domain":"$(id)"`},
		{`"b.test"`, `"b test"`},
		{`"b.test"`, `""`},
		{`"10.77.0.4"`, `"2001:db8::1"`},
		{`"Europe/Paris"`, `"../../etc/passwd"`},
		{`"CET-1CEST,M3.5.0,M10.5.0/3"`, `":/etc/passwd"`},
		{`"utc_offset":"-3h30m0s"`, `"utc_offset":"24h0m1s"`},
		{`"utc_offset":"-3h30m0s"`, `"utc_offset":"1ms"`},
		{`"sip.test"`, `"sip test"`},
		{`"sip.test"`, `""`},
		{`"10.77.0.5"`, `"2001:db8::1"`},
		{`"https://portal.test/api?a=1\u0026b=2"`, `"javascript:alert(1)"`},
		{`"http://wpad.test/wpad.dat"`, `"file:///etc/passwd"`},
		{`"dns.test"`, `""`},
		{`"dns.test"`, `"dns_test"`},
		{`"10.77.0.53"`, `"::"`},
		{`"dot"`, `"d\u001b"`},
		{`"dot"`, `""`},
		{`"/dns-query{?dns}"`, `"//evil.test/{?dns}"`},
		{`"name":"box"`, `"name":"b;x"`},
		{`"6869"`, `"686"`},
		{`"port":853`, `"port":65536`},
		{`"43":"0100"`, `"256":"0100"`},
	} {
		bad := resealed(t, b, c[0], c[1])
		if r, err := parse(bad); err == nil {
			t.Errorf("%s was read as %+v", c[1], r.Lease.More)
		}
	}
	var more struct {
		Record struct{ Lease struct{ More map[string]any } }
	}
	if err := json.Unmarshal(b, &more); err != nil || len(more.Record.Lease.More) != 14 {
		t.Errorf("%d fields, %v", len(more.Record.Lease.More), err)
	}
}

// A lease in a record keeps its names and its order: newer and older programs
// read it.
func TestLeaseKeepsItsForm(t *testing.T) {
	t.Parallel()
	got, err := json.MarshalIndent(encodeLease(full(newMachine().boot).Lease), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden.Check(t, "lease.json", string(got)+"\n")
	for code, row := range option.All() {
		value := `"` + row.Record + `": `
		if row.Record != "" && !strings.Contains(string(got), value) && row.AddrsField == nil && row.TextField == nil {
			t.Errorf("option %d: the record has no %s", code, row.Record)
		}
	}
}
