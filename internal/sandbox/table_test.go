//go:build linux

package sandbox

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

var (
	serverAddr = netip.MustParseAddr("10.77.0.1")
	first      = netip.MustParseAddr("10.77.0.100")
	macA       = net.HardwareAddr{2, 0, 0, 0, 0, 2}
	macB       = net.HardwareAddr{2, 0, 0, 0, 0, 3}
)

// A desk is a table with a clock that stands still until it is told to move.
type desk struct {
	*table
	t     *testing.T
	clock time.Time
}

func newDesk(t *testing.T, conf ServerConfig) *desk {
	t.Helper()
	conf, err := conf.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, clock: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	d.table = newTable(conf, func() time.Time { return d.clock })
	return d
}

type edit func(*dhcpv4.DHCPv4)

func server(a netip.Addr) edit {
	return func(m *dhcpv4.DHCPv4) { m.UpdateOption(dhcpv4.OptServerIdentifier(a.AsSlice())) }
}

func wanted(a netip.Addr) edit {
	return func(m *dhcpv4.DHCPv4) { m.UpdateOption(dhcpv4.OptRequestedIPAddress(a.AsSlice())) }
}
func has(a netip.Addr) edit { return func(m *dhcpv4.DHCPv4) { m.ClientIPAddr = a.AsSlice() } }

// say sends a message and returns the reply's type, "" for silence, and yiaddr.
func (d *desk) say(mac net.HardwareAddr, kind dhcpv4.MessageType, edits ...edit) (string, netip.Addr) {
	d.t.Helper()
	m, err := dhcpv4.New(dhcpv4.WithHwAddr(mac), dhcpv4.WithMessageType(kind))
	if err != nil {
		d.t.Fatal(err)
	}
	for _, e := range edits {
		e(m)
	}
	r := d.answer(m)
	if r == nil {
		return "", netip.Addr{}
	}
	if r.TransactionID != m.TransactionID || r.OpCode != dhcpv4.OpcodeBootReply || addr(r.ServerIdentifier()) != serverAddr {
		d.t.Errorf("reply %s: not to this message, or without server identifier", r.Summary())
	}
	return r.MessageType().String(), addr(r.YourIPAddr)
}

func (d *desk) expect(want string, wantAddr netip.Addr, got string, gotAddr netip.Addr) {
	d.t.Helper()
	if got != want || gotAddr != wantAddr {
		d.t.Errorf("got %q %v, want %q %v", got, gotAddr, want, wantAddr)
	}
}

// lease takes the client through DISCOVER and REQUEST.
func (d *desk) lease(mac net.HardwareAddr) netip.Addr {
	d.t.Helper()
	kind, a := d.say(mac, dhcpv4.MessageTypeDiscover)
	if kind != "OFFER" {
		d.t.Fatalf("DISCOVER: got %q, want OFFER", kind)
	}
	kind, b := d.say(mac, dhcpv4.MessageTypeRequest, server(serverAddr), wanted(a))
	if kind != "ACK" || a != b {
		d.t.Fatalf("REQUEST for %s: got %q %s, want ACK", a, kind, b)
	}
	return a
}

func (d *desk) state(a netip.Addr, want LeaseState) {
	d.t.Helper()
	l := d.leases[a]
	switch {
	case l == nil:
		d.t.Errorf("%s: not in the table, want %s", a, want)
	case l.State != want:
		d.t.Errorf("%s: %s, want %s", a, l.State, want)
	}
}

func TestObtain(t *testing.T) {
	t.Parallel()
	d := newDesk(t, ServerConfig{})
	a := d.lease(macA)
	if a != first {
		t.Errorf("got %s, want the first of the pool, %s", a, first)
	}
	if b := d.lease(macB); b != first.Next() {
		t.Errorf("second client: got %s, want %s", b, first.Next())
	}
	d.state(a, Bound)
	kind, again := d.say(macA, dhcpv4.MessageTypeDiscover)
	d.expect("OFFER", a, kind, again)
	d.state(a, Bound) // an offer of what the client holds takes nothing away
}

func TestDiscoverPrefersLastAddress(t *testing.T) {
	t.Parallel()
	d := newDesk(t, ServerConfig{})
	a := d.lease(macA)
	d.say(macA, dhcpv4.MessageTypeRelease, server(serverAddr), has(a))
	d.state(a, Released)
	if b := d.lease(macB); b == a {
		t.Errorf("another client got %s though others were never used", a)
	}
	kind, b := d.say(macA, dhcpv4.MessageTypeDiscover, wanted(netip.MustParseAddr("10.77.0.120")))
	d.expect("OFFER", a, kind, b)
	kind, b = d.say(net.HardwareAddr{2, 0, 0, 0, 0, 9}, dhcpv4.MessageTypeDiscover, wanted(netip.MustParseAddr("10.77.0.120")))
	d.expect("OFFER", netip.MustParseAddr("10.77.0.120"), kind, b)
}

func TestPoolRunsOut(t *testing.T) {
	t.Parallel()
	d := newDesk(t, ServerConfig{First: first, Last: first})
	a := d.lease(macA)
	kind, _ := d.say(macB, dhcpv4.MessageTypeDiscover)
	d.expect("", netip.Addr{}, kind, netip.Addr{})
	d.clock = d.clock.Add(2 * time.Minute)
	if b := d.lease(macB); b != a {
		t.Errorf("after the lease ran out: got %s, want %s", b, a)
	}
}

func TestRequest(t *testing.T) {
	t.Parallel()
	other := netip.MustParseAddr("10.77.0.2")
	elsewhere := netip.MustParseAddr("192.0.2.7")
	second := first.Next()
	for _, c := range []struct {
		name   string
		stance string // what the client has beforehand: none, offer, lease, released
		edits  []edit
		want   string
	}{
		{"selecting", "offer", []edit{server(serverAddr), wanted(first)}, "ACK"},
		{"selecting, not offered", "offer", []edit{server(serverAddr), wanted(second)}, "NAK"},
		{"selecting, never discovered", "none", []edit{server(serverAddr), wanted(first)}, "NAK"},
		{"selecting, released since", "released", []edit{server(serverAddr), wanted(first)}, "NAK"},
		{"selecting, another server", "offer", []edit{server(other), wanted(first)}, ""},
		{"init-reboot", "lease", []edit{wanted(first)}, "ACK"},
		{"init-reboot, another address", "lease", []edit{wanted(second)}, "NAK"},
		{"init-reboot, wrong network", "none", []edit{wanted(elsewhere)}, "NAK"},
		{"init-reboot, unknown client", "none", []edit{wanted(first)}, ""},
		{"init-reboot, released", "released", []edit{wanted(first)}, "NAK"},
		{"renewing", "lease", []edit{has(first)}, "ACK"},
		{"renewing, another address", "lease", []edit{has(second)}, "NAK"},
		{"renewing, unknown client", "none", []edit{has(first)}, "NAK"},
		{"renewing, released", "released", []edit{has(first)}, "NAK"},
		{"without any address", "lease", nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, ServerConfig{})
			switch c.stance {
			case "offer":
				d.say(macA, dhcpv4.MessageTypeDiscover)
			case "lease":
				d.lease(macA)
			case "released":
				d.say(macA, dhcpv4.MessageTypeRelease, has(d.lease(macA)))
			}
			kind, a := d.say(macA, dhcpv4.MessageTypeRequest, c.edits...)
			if c.want == "ACK" {
				d.expect("ACK", first, kind, a)
				d.state(first, Bound)
				return
			}
			d.expect(c.want, netip.Addr{}, kind, a)
			if c.name == "selecting, another server" && len(d.leases) != 0 {
				t.Error("the offer is still held though the client took another")
			}
		})
	}
}

func TestRenewExtends(t *testing.T) {
	t.Parallel()
	d := newDesk(t, ServerConfig{LeaseTime: time.Minute})
	a := d.lease(macA)
	d.clock = d.clock.Add(30 * time.Second)
	kind, _ := d.say(macA, dhcpv4.MessageTypeRequest, has(a))
	if kind != "ACK" {
		t.Fatalf("got %q, want ACK", kind)
	}
	l := d.leases[a]
	if want := d.clock.Add(time.Minute); !l.Until.Equal(want) || l.Granted != 2 {
		t.Errorf("until %v, granted %d; want %v, 2", l.Until, l.Granted, want)
	}
}

func TestOnlyTheHolderReleases(t *testing.T) {
	t.Parallel()
	d := newDesk(t, ServerConfig{})
	a := d.lease(macA)
	d.say(macB, dhcpv4.MessageTypeRelease, server(serverAddr), has(a))
	d.state(a, Bound)
	d.say(macA, dhcpv4.MessageTypeRelease, server(netip.MustParseAddr("10.77.0.2")), has(a))
	d.state(a, Bound)
	d.say(macA, dhcpv4.MessageTypeRelease, server(serverAddr), has(a))
	d.state(a, Released)
}

func TestDecline(t *testing.T) {
	t.Parallel()
	d := newDesk(t, ServerConfig{})
	a := d.lease(macA)
	d.say(macA, dhcpv4.MessageTypeDecline, server(serverAddr), wanted(a))
	d.state(a, Declined)
	if b := d.lease(macA); b == a {
		t.Errorf("%s was given out again right after it was declined", a)
	}
	d.state(a, Declined)
}

func TestInform(t *testing.T) {
	t.Parallel()
	d := newDesk(t, ServerConfig{})
	m, err := dhcpv4.New(dhcpv4.WithHwAddr(macA), dhcpv4.WithMessageType(dhcpv4.MessageTypeInform),
		dhcpv4.WithClientIP(net.IPv4(10, 77, 0, 9)))
	if err != nil {
		t.Fatal(err)
	}
	r := d.answer(m)
	if r == nil || r.MessageType() != dhcpv4.MessageTypeAck {
		t.Fatalf("got %v, want an ACK", r)
	}
	if addr(r.YourIPAddr).IsValid() || r.IPAddressLeaseTime(0) != 0 || len(r.DNS()) != 1 || len(d.leases) != 0 {
		t.Errorf("want no address, no time and no entry, but DNS: %s", r.Summary())
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	d := newDesk(t, ServerConfig{LeaseTime: time.Hour, Options: []dhcpv4.Option{dhcpv4.OptGeneric(dhcpv4.OptionInterfaceMTU, []byte{5, 0})}})
	id := []byte{1, 2, 0, 0, 0, 0, 2}
	m, err := dhcpv4.NewDiscovery(macA, dhcpv4.WithOption(dhcpv4.OptClientIdentifier(id)),
		dhcpv4.WithOption(dhcpv4.OptParameterRequestList(dhcpv4.OptionSubnetMask, dhcpv4.OptionRouter)))
	if err != nil {
		t.Fatal(err)
	}
	r := d.answer(m)
	if r == nil {
		t.Fatal("no OFFER")
	}
	if got := r.GetOneOption(dhcpv4.OptionClientIdentifier); string(got) != string(id) {
		t.Errorf("client identifier %x, want it back as sent (RFC 6842)", got)
	}
	if r.IPAddressLeaseTime(0) != time.Hour || r.IPAddressRenewalTime(0) != 30*time.Minute || r.IPAddressRebindingTime(0) != 52*time.Minute+30*time.Second {
		t.Errorf("times: %s", r.Summary())
	}
	if ones, _ := r.SubnetMask().Size(); ones != 24 || len(r.Router()) != 1 {
		t.Errorf("mask or router: %s", r.Summary())
	}
	if len(r.DNS()) != 0 || r.DomainName() != "" {
		t.Errorf("DNS and domain were not asked for: %s", r.Summary())
	}
	if r.GetOneOption(dhcpv4.OptionInterfaceMTU) == nil {
		t.Errorf("the additional option is missing: %s", r.Summary())
	}
}

func TestServerConfigIsChecked(t *testing.T) {
	t.Parallel()
	for _, c := range []ServerConfig{
		{Address: netip.MustParsePrefix("fd77::1/64")},
		{First: netip.MustParseAddr("192.0.2.1")},
		{First: netip.MustParseAddr("10.77.0.20"), Last: netip.MustParseAddr("10.77.0.10")},
	} {
		if _, err := c.withDefaults(); err == nil {
			t.Errorf("%+v: no error", c)
		}
	}
}

// A server must survive whatever bytes arrive.
func FuzzAnswer(f *testing.F) {
	m, err := dhcpv4.NewDiscovery(macA)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(m.ToBytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := dhcpv4.FromBytes(b)
		if err != nil {
			return
		}
		d := newDesk(t, ServerConfig{})
		if r := d.answer(m); r != nil {
			destination(m, r)
			_ = r.ToBytes()
		}
	})
}
