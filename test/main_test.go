package test

import (
	"flag"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/test/lab"
)

const (
	mac = "02:00:00:00:00:02"

	discover = dhcpv4.MessageTypeDiscover
	offer    = dhcpv4.MessageTypeOffer
	request  = dhcpv4.MessageTypeRequest
	ack      = dhcpv4.MessageTypeAck
	nak      = dhcpv4.MessageTypeNak
	release  = dhcpv4.MessageTypeRelease

	// A server or a busy machine may take its time; what should come does so
	// far sooner.
	patience = 20 * time.Second
)

func TestMain(m *testing.M) {
	if run, ok := helpers[os.Getenv(helperEnv)]; ok {
		os.Exit(run())
	}
	flag.Parse()
	// The tests wait for servers and timers most of the time.
	if f := flag.Lookup("test.parallel"); f != nil && os.Getenv("GOFLAGS") == "" && !isSet("test.parallel") {
		_ = f.Value.Set("12")
	}
	lab.Main(m)
}

func isSet(name string) bool {
	set := false
	flag.Visit(func(f *flag.Flag) { set = set || f.Name == name })
	return set
}

// helperEnv names a function of this binary to be run in place of the tests,
// in a process that a test has put into a namespace.
const helperEnv = "LESSEE_TEST_HELPER"

var helpers = map[string]func() int{}

// A home is a network with one server and the client's machine.
type home struct {
	*lab.Lab
	net            *lab.Network
	server, client *lab.Space
	port           *lab.Port
	cap            *lab.Capture
	changes        *lab.AddressWatch
	dhcp           *lab.Server
}

// newHome makes a network 10.77.0.0/24 with a server of that kind.
func newHome(t *testing.T, kind *lab.Kind, c lab.Config) *home {
	t.Helper()
	lab.Need(t, kind.Programs...)
	h := newLink(t)
	h.serve(t, kind, c)
	return h
}

// newLink makes the network without a server.
func newLink(t *testing.T) *home {
	t.Helper()
	l := lab.New(t)
	h := &home{Lab: l, net: l.Network("home")}
	h.server = h.net.Host("server", "10.77.0.1/24")
	h.client = l.Space("client")
	h.port = h.net.Attach(h.client, "c0", mac)
	h.cap = h.port.Capture()
	h.changes = h.client.WatchAddresses(t)
	return h
}

func (h *home) serve(t *testing.T, kind *lab.Kind, c lab.Config) {
	t.Helper()
	h.dhcp = kind.Start(t, h.server, c)
}

// bound starts a daemon for c0 and waits for its lease.
func (h *home) bound(t *testing.T) (*lab.Daemon, lessee.Adapter) {
	t.Helper()
	d := h.client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}})
	return d, d.AwaitBound(t, "c0")
}

// lost returns the changes since mark that took the address away.
func (h *home) lost(mark int, a netip.Addr) []lab.AddressChange {
	return h.changes.Select(mark, func(c lab.AddressChange) bool { return c.Removed && c.Prefix.Addr() == a })
}

// keeps fails the test if the address was taken away since mark, or is not there.
func (h *home) keeps(t *testing.T, mark int, a netip.Addr) {
	t.Helper()
	h.changes.Mark() // all is read
	if gone := h.lost(mark, a); len(gone) > 0 {
		t.Errorf("the address was removed: %v", gone)
	}
	if !h.has(a) {
		t.Errorf("the address %s is not there: %v", a, h.client.Addresses("c0"))
	}
}

func (h *home) has(a netip.Addr) bool {
	for _, have := range h.client.Addresses("c0") {
		if have.Prefix.Addr() == a {
			return true
		}
	}
	return false
}

// eachKind runs the test against every server.
func eachKind(t *testing.T, test func(t *testing.T, kind *lab.Kind)) {
	t.Helper()
	someKinds(t, func(*lab.Kind) bool { return true }, test)
}

// someKinds runs the test against the servers for which fit reports true.
func someKinds(t *testing.T, fit func(*lab.Kind) bool, test func(t *testing.T, kind *lab.Kind)) {
	t.Helper()
	for _, kind := range lab.Kinds {
		if !fit(kind) {
			continue
		}
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			test(t, kind)
		})
	}
}

func addr(s string) netip.Addr     { return netip.MustParseAddr(s) }
func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }
func dnsmasq() *lab.Kind           { return lab.KindByName("dnsmasq") }

// leased returns the address that a server's message gives.
func leased(p lab.Packet) netip.Addr {
	a, _ := netip.AddrFromSlice(p.DHCP.YourIPAddr.To4())
	return a
}

func clientAddr(p lab.Packet) netip.Addr {
	a, _ := netip.AddrFromSlice(p.DHCP.ClientIPAddr.To4())
	return a
}

// near reports whether two instants are not further apart than the clocks'
// and the kernel's rounding explains.
func near(a, b time.Time) bool { return a.Sub(b).Abs() <= 3*time.Second }

func contains(s, sub string) bool { return strings.Contains(s, sub) }
func equal(a, b []string) bool    { return slices.Equal(a, b) }
