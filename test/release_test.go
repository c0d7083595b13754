package test

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"testing"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/test/lab"
)

// TestPain_plugins1271_Release checks list, release, renew against the server's own list
// (plugins#1271: RELEASE from 0.0.0.0, without option 54).
func TestPain_plugins1271_Release(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, kind *lab.Kind) {
		h := newHome(t, kind, lab.Config{Router: addr("10.77.0.1"), DNS: []netip.Addr{addr("10.77.0.1")}, MTU: 1400})
		d, a := h.bound(t)
		address := a.IPv4.Address.Addr()
		h.dhcp.AwaitHeld(t, address)
		mark, kernel := h.cap.Mark(), h.changes.Mark()

		d.Must(t, "release", "c0")
		// The call answers when the address is gone: no waiting here.
		if have := h.client.Addresses("c0"); len(have) != 0 {
			t.Errorf("after release: %v", have)
		}
		rel, _ := h.cap.AwaitClient(mark, patience, release)
		checkRelease(t, h, rel, address)
		h.dhcp.AwaitFreed(t, address)
		gone, _, ok := h.changes.Wait(kernel, patience, func(c lab.AddressChange) bool { return c.Removed })
		if !ok || rel.Time.After(gone.Time) {
			t.Errorf("the RELEASE left at %v, the address went with %v", rel.Time, gone)
		}
		if routes := h.client.Routes("c0"); len(routes) != 0 {
			t.Errorf("after release: routes %q", routes)
		}
		if mtu := h.client.MTU("c0"); mtu != 1500 {
			t.Errorf("after release: MTU %d", mtu)
		}
		if now := d.Show(t, "c0"); now.IPv4.State != "released" || now.IPv4.Address.IsValid() || now.Manager != "lessee" {
			t.Errorf("after release: %+v", now.IPv4)
		}
		r := d.CLI(t, "release", "c0")
		if r.Status != 1 || !contains(r.Stderr, "ERROR_ADDRESS_NOT_ASSOCIATED 1228") {
			t.Errorf("the second release: status %d, %q", r.Status, r.Stderr)
		}
		if sent := h.cap.SentByClient(mark); len(sent) != 1 {
			t.Errorf("sent: %v", sent)
		}

		mark = h.cap.Mark()
		d.Must(t, "renew", "c0")
		if have := h.client.Addresses("c0"); len(have) != 1 {
			t.Errorf("renew answered before the address was there: %v", have)
		}
		now := d.Show(t, "c0")
		if now.IPv4.State != "bound" {
			t.Fatalf("after renew: %+v", now.IPv4)
		}
		// Any server may answer: a fresh start (CONTRACT: renew after a release).
		if first := h.cap.SentByClient(mark)[0]; !first.Client(discover) {
			t.Errorf("renew after a release began with %v", first)
		}
		h.dhcp.AwaitHeld(t, now.IPv4.Address.Addr())
	})
}

// checkRelease checks a RELEASE of the address against what RFC 2131 table 5
// wants and what servers need to see.
func checkRelease(t *testing.T, h *home, rel lab.Packet, address netip.Addr) {
	t.Helper()
	mac := func(p lab.Packet) []byte { return p.SrcMAC }
	granted, _ := h.cap.AwaitServer(0, patience, ack)
	sentID := h.cap.SentByClient(0)[0].DHCP.Options.Get(dhcpv4.OptionClientIdentifier)
	switch {
	case rel.Src != address, clientAddr(rel) != address:
		t.Errorf("not from the leased address %v: %v", address, rel)
	case rel.Dst != addr("10.77.0.1"), !bytes.Equal(rel.DstMAC, mac(granted)):
		t.Errorf("not to the server %v: %v", mac(granted), rel)
	case !rel.DHCP.ServerIdentifier().Equal(granted.DHCP.ServerIdentifier()):
		t.Errorf("option 54 is not that of the ACK: %v", rel)
	case !bytes.Equal(rel.DHCP.Options.Get(dhcpv4.OptionClientIdentifier), sentID):
		t.Errorf("option 61 is not that of the DISCOVER, %x: %v", sentID, rel)
	case rel.DHCP.RequestedIPAddress() != nil, rel.DHCP.Options.Has(dhcpv4.OptionIPAddressLeaseTime), rel.DHCP.Options.Has(dhcpv4.OptionParameterRequestList):
		t.Errorf("it has options that a RELEASE must not have: %v", rel.DHCP.Summary())
	case rel.BadChecksum, rel.SrcPort != 68, rel.DstPort != 67:
		t.Errorf("not a good datagram: %v", rel)
	}
}

// TestPain_dhcpcd521_ReleaseRightAfterBound checks that a release in the instant of BOUND
// reaches the server, every time (dhcpcd#521).
func TestPain_dhcpcd521_ReleaseRightAfterBound(t *testing.T) {
	t.Parallel()
	for _, v := range []struct {
		kind  string
		times int
	}{{"dnsmasq", 1000}, {"kea", 100}, {"dhcpd", 100}, {"udhcpd", 100}} {
		t.Run(v.kind, func(t *testing.T) {
			t.Parallel()
			h := newHome(t, lab.KindByName(v.kind), lab.Config{})
			d, a := h.bound(t)
			ctx := context.Background()
			mark := h.cap.Mark()
			if err := d.Client.Release(ctx, "c0"); err != nil {
				t.Fatal(err)
			}
			for i := 1; i < v.times; i++ {
				h.dhcp.AwaitFreed(t, a.IPv4.Address.Addr())
				if err := d.Client.Renew(ctx, "c0"); err != nil {
					t.Fatalf("renewal %d: %v", i, err)
				}
				if err := d.Client.Release(ctx, "c0"); err != nil {
					t.Fatalf("release %d: %v", i, err)
				}
			}
			h.dhcp.AwaitFreed(t, a.IPv4.Address.Addr())
			releases := h.cap.Select(mark, func(p lab.Packet) bool { return p.Client(release) })
			if len(releases) != v.times {
				t.Errorf("%d RELEASEs of %d reached the wire", len(releases), v.times)
			}
			for _, rel := range releases {
				checkRelease(t, h, rel, clientAddr(rel))
				if t.Failed() {
					return
				}
			}
			for _, l := range h.dhcp.Leases(t) {
				if l.Active {
					t.Errorf("the server still lists %+v", l)
				}
			}
		})
	}
}

// TestPain_openwrt14385_ReleaseWhenLinkDown checks that a release that cannot reach the server
// says so (openwrt#14385).
func TestPain_openwrt14385_ReleaseWhenLinkDown(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	d, _ := h.bound(t)
	events := d.Events.Mark()
	h.port.Unplug()
	d.AwaitEvent(t, events, patience, lessee.EventNoCarrier)
	err := d.Client.Release(context.Background(), "c0")
	if !errors.Is(err, errno.ERROR_NO_NETWORK) {
		t.Errorf("release without carrier: %v", err)
	}
}

// TestReleaseSurvivesRestart checks that a released adapter stays released
// over a restart of the daemon, until a renew.
func TestReleaseSurvivesRestart(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	d, _ := h.bound(t)
	d.Must(t, "release", "c0")
	if err := d.Stop(t); err != nil {
		t.Errorf("SIGTERM: %v", err)
	}
	mark := h.cap.Mark()
	d = h.client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}})
	d.AwaitState(t, "c0", patience, "released")
	d.Must(t, "list")
	if sent := h.cap.SentByClient(mark); len(sent) != 0 {
		t.Errorf("sent: %v", sent)
	}
	d.Must(t, "renew", "c0")
	d.AwaitBound(t, "c0")
}

// TestRenewAfterReleaseFromAnyServer checks that a renew after a release is a
// fresh start: the server that gave the last lease is gone, another one answers.
func TestRenewAfterReleaseFromAnyServer(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	second := dnsmasq().Start(t, h.net.Host("second", "10.77.0.2/24"), lab.Config{})
	second.Stop(t)
	d, a := h.bound(t)
	if a.IPv4.Server != addr("10.77.0.1") {
		t.Fatalf("the first lease is from %v", a.IPv4.Server)
	}
	d.Must(t, "release", "c0")
	h.dhcp.Stop(t)
	second.Resume(t)
	d.Must(t, "renew", "c0")
	now := d.Show(t, "c0")
	if now.IPv4.State != "bound" || now.IPv4.Server != addr("10.77.0.2") {
		t.Errorf("after the renew: %+v", now.IPv4)
	}
	second.AwaitHeld(t, now.IPv4.Address.Addr())
}

// TestJoinedReleases checks that releases at the same time are one on the wire:
// each caller hears that it is done, or that there is no lease any more.
func TestJoinedReleases(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	d, a := h.bound(t)
	mark := h.cap.Mark()
	answers := make(chan error)
	const callers = 10
	for range callers {
		go func() { answers <- d.Client.Release(context.Background(), "c0") }()
	}
	done := 0
	for range callers {
		switch err := <-answers; {
		case err == nil:
			done++
		case !errors.Is(err, errno.ERROR_ADDRESS_NOT_ASSOCIATED):
			t.Errorf("release: %v", err)
		}
	}
	if done == 0 {
		t.Error("nobody was told that it is done")
	}
	h.dhcp.AwaitFreed(t, a.IPv4.Address.Addr())
	if sent := h.cap.SentByClient(mark); len(sent) != 1 {
		t.Errorf("sent: %v", sent)
	}
}
