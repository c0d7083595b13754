package test

import (
	"errors"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/test/lab"
)

// TestAdminDownUp checks that an adapter that is set down and up again comes
// back with its lease and routes, and that nobody but its user sets it up.
func TestAdminDownUp(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{Router: addr("10.77.0.1")})
	d, a := h.bound(t)
	address := a.IPv4.Address.Addr()
	routes := h.client.Routes("c0")
	events := d.Events.Mark()
	h.client.Run(t, "ip", "link", "set", "c0", "down")
	d.AwaitEvent(t, events, patience, lessee.EventNoCarrier)
	if r := d.CLI(t, "renew", "c0"); r.Status != 1 || !contains(r.Stderr, "ERROR_NO_NETWORK 1222") {
		t.Errorf("renew while down: status %d, %q", r.Status, r.Stderr)
	}
	if now := d.Show(t, "c0"); now.Up {
		t.Errorf("somebody set it up: %+v", now)
	}
	mark := h.cap.Mark()
	h.client.Run(t, "ip", "link", "set", "c0", "up")
	h.cap.AwaitServer(mark, patience, ack)
	now := d.AwaitBound(t, "c0")
	if now.IPv4.Address != a.IPv4.Address {
		t.Errorf("was %v, is %v", a.IPv4.Address, now.IPv4.Address)
	}
	if !lab.Eventually(patience, func() bool { return equal(h.client.Routes("c0"), routes) && h.has(address) }) {
		t.Errorf("routes were %q and are %q", routes, h.client.Routes("c0"))
	}
	if req := h.cap.SentByClient(mark)[0]; !req.Client(request) {
		t.Errorf("after up: %v", req)
	}
}

// TestRenamed checks that management and lease follow an adapter to its new name.
func TestRenamed(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{Router: addr("10.77.0.1")})
	d, a := h.bound(t)
	events := d.Events.Mark()
	h.rename(t, "c0", "lan0")
	e, _ := d.AwaitEvent(t, events, patience, lessee.EventRenamed)
	if e.Adapter != "lan0" || !contains(e.Detail, "c0") {
		t.Errorf("event %+v", e)
	}
	now := d.AwaitBound(t, "lan0")
	if now.IPv4.Address != a.IPv4.Address || now.Index != a.Index || now.Manager != "lessee" {
		t.Errorf("was %+v, is %+v", a, now)
	}
	d.Must(t, "renew", "lan0")
	if r := d.CLI(t, "renew", "c0"); r.Status != 1 || !contains(r.Stderr, "ERROR_FILE_NOT_FOUND 2") {
		t.Errorf("renew by the old name: status %d, %q", r.Status, r.Stderr)
	}
	// The lease is kept under the new name.
	_ = d.Stop(t)
	mark := h.cap.Mark()
	d = h.client.ReadyDaemon(t, lab.Options{Args: []string{"lan0"}})
	if again := d.AwaitBound(t, "lan0"); again.IPv4.Address != a.IPv4.Address {
		t.Errorf("was %v, is %v", a.IPv4.Address, again.IPv4.Address)
	}
	if sent := h.cap.SentByClient(mark); len(sent) != 0 {
		t.Errorf("sent: %v", sent)
	}
}

// rename renames the client's adapter, which older kernels allow only while
// it is down.
func (h *home) rename(t *testing.T, from, to string) {
	t.Helper()
	link, err := h.client.Net.LinkByName(from)
	if err == nil {
		err = h.client.Net.LinkSetName(link, to)
	}
	if errors.Is(err, unix.EBUSY) {
		err = errors.Join(h.client.Net.LinkSetDown(link), h.client.Net.LinkSetName(link, to), h.client.Net.LinkSetUp(link))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestAlternativeName checks that an alternative name works wherever the name does.
func TestAlternativeName(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	h.client.Run(t, "ip", "link", "property", "add", "dev", "c0", "altname", "uplink-of-the-house")
	d, a := h.bound(t)
	d.Must(t, "renew", "uplink-of-the-house")
	if now := d.Show(t, "uplink-of-the-house"); now.Name != "c0" || now.IPv4.Address != a.IPv4.Address {
		t.Errorf("%+v", now)
	}
	d.Must(t, "release", "uplink-of-the-house")
	h.dhcp.AwaitFreed(t, a.IPv4.Address.Addr())
}

// TestRemovedAndRecreated checks that an adapter that goes and comes back is
// managed again and asks for its old address.
func TestRemovedAndRecreated(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{Router: addr("10.77.0.1")})
	d, a := h.bound(t)
	events := d.Events.Mark()
	link, err := h.client.Net.LinkByName("c0")
	if err == nil {
		err = h.client.Net.LinkDel(link)
	}
	if err != nil {
		t.Fatal(err)
	}
	d.AwaitEvent(t, events, patience, lessee.EventRemoved)
	if r := d.CLI(t, "renew", "c0"); r.Status != 1 || !contains(r.Stderr, "ERROR_FILE_NOT_FOUND 2") {
		t.Errorf("renew of what is not there: status %d, %q", r.Status, r.Stderr)
	}
	h.port = h.net.Attach(h.client, "c0", mac)
	now := d.AwaitBound(t, "c0")
	if now.Index == a.Index || now.IPv4.Address != a.IPv4.Address {
		t.Errorf("was %+v %v, is %+v %v", a, a.IPv4.Address, now, now.IPv4.Address)
	}
	h.client.AwaitAddress(t, "c0", patience)
	if got := bare(h.client.Routes("c0")); !equal(got, []string{"10.77.0.0/24", "default via 10.77.0.1"}) {
		t.Errorf("routes: %q", got)
	}
	d.Must(t, "renew", "c0")
}

// TestAdapterComesLater checks that the daemon may be told of an adapter that
// is not there yet (a USB adapter at boot).
func TestAdapterComesLater(t *testing.T) {
	t.Parallel()
	l := lab.New(t)
	lab.Need(t, dnsmasq().Programs...)
	net := l.Network("home")
	dnsmasq().Start(t, net.Host("server", "10.77.0.1/24"), lab.Config{})
	client := l.Space("client")
	net.Attach(client, "other0", "02:00:00:00:00:07")
	d := client.ReadyDaemon(t, lab.Options{Args: []string{"c0", "other0"}})
	d.AwaitBound(t, "other0")
	net.Attach(client, "c0", mac)
	d.AwaitBound(t, "c0")
}

// TestPain_dhcpcd531_OnlyWhatItWasTold checks that adapters nobody named are left alone
// (dhcpcd#531: grabs container veths).
func TestPain_dhcpcd531_OnlyWhatItWasTold(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	other := h.net.Attach(h.client, "veth77", "02:00:00:00:00:08")
	cap := other.Capture()
	d, _ := h.bound(t)
	d.Must(t, "renew") // all that are managed by DHCP
	if sent := cap.SentByClient(0); len(sent) != 0 {
		t.Errorf("sent on veth77: %v", sent)
	}
	if have := h.client.Addresses("veth77"); len(have) != 0 {
		t.Errorf("veth77 has %v", have)
	}
	for _, a := range d.List(t) {
		if a.Name == "veth77" && a.Manager != "none" {
			t.Errorf("%+v", a)
		}
	}
}

// TestForeignAddressStays checks that what others configured is not touched
// by obtaining, renewing and releasing a lease.
func TestForeignAddressStays(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{Router: addr("10.77.0.1")})
	h.client.AddAddress(t, "c0", "192.0.2.7/24")
	h.client.Run(t, "ip", "route", "add", "198.51.100.0/24", "via", "192.0.2.1", "dev", "c0", "proto", "static")
	d, _ := h.bound(t)
	d.Must(t, "renew", "c0")
	d.Must(t, "release", "c0")
	if have := h.client.Addresses("c0"); len(have) != 1 || have[0].Prefix != prefix("192.0.2.7/24") || have[0].Valid != lab.Forever {
		t.Errorf("addresses: %v", have)
	}
	link, err := h.client.Net.LinkByName("c0")
	if err != nil {
		t.Fatal(err)
	}
	routes, err := h.client.Net.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{LinkIndex: link.Attrs().Index, Protocol: unix.RTPROT_STATIC},
		netlink.RT_FILTER_OIF|netlink.RT_FILTER_PROTOCOL)
	if err != nil || len(routes) != 1 {
		t.Errorf("static routes: %v %v", routes, err)
	}
}

// TestOfferOfAnAddressSetByHand: an administrator has set the address that the
// server keeps for this host. It is used as it is, not declined, and stays after
// the lease; the lease's routes go.
func TestOfferOfAnAddressSetByHand(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{Router: addr("10.77.0.1"), Dnsmasq: []string{"dhcp-host=" + mac + ",10.77.0.120"}})
	h.client.AddAddress(t, "c0", "10.77.0.120/24")
	mark, frames := h.changes.Mark(), h.cap.Mark()
	d, a := h.bound(t)
	if a.IPv4.Address != prefix("10.77.0.120/24") {
		t.Fatalf("bound to %v", a.IPv4.Address)
	}
	byHand := func(when string) {
		t.Helper()
		if have := h.client.Addresses("c0"); len(have) != 1 || have[0].Prefix != a.IPv4.Address || have[0].Valid != lab.Forever {
			t.Errorf("%s: addresses %v", when, have)
		}
	}
	byHand("bound")
	defaultRoutes := func() int {
		return strings.Count(h.client.Run(t, "ip", "-4", "route", "show", "default", "proto", "dhcp"), "default")
	}
	if n := defaultRoutes(); n != 1 {
		t.Errorf("%d default routes with the lease", n)
	}
	d.Must(t, "renew", "c0")
	byHand("renewed")
	d.Must(t, "release", "c0")
	byHand("released")
	if n := defaultRoutes(); n != 0 {
		t.Errorf("%d default routes after the release", n)
	}
	h.keeps(t, mark, a.IPv4.Address.Addr())
	for _, p := range h.cap.SentByClient(frames) {
		if p.Client(decline) {
			t.Errorf("declined: %v", p)
		}
	}
}
