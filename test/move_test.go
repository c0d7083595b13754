package test

import (
	"context"
	"testing"
	"time"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/test/lab"
)

// TestLinkFlap checks INIT-REBOOT on the same network: the lease is verified
// by one exchange and the address stays throughout.
func TestLinkFlap(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, kind *lab.Kind) {
		h := newHome(t, kind, lab.Config{Router: addr("10.77.0.1")})
		d, a := h.bound(t)
		address := a.IPv4.Address.Addr()
		routes := h.client.Routes("c0")
		mark, events := h.cap.Mark(), d.Events.Mark()
		h.port.Unplug()
		d.AwaitEvent(t, events, patience, lessee.EventNoCarrier)
		if r := d.CLI(t, "renew", "c0"); r.Status != 1 || !contains(r.Stderr, "ERROR_NO_NETWORK 1222") {
			t.Errorf("renew without carrier: status %d, %q", r.Status, r.Stderr)
		}
		h.port.Plug()
		req, next := h.cap.AwaitClient(mark, patience, request)
		if !req.DHCP.ClientIPAddr.IsUnspecified() || req.DHCP.ServerIdentifier() != nil || req.Src != addr("0.0.0.0") ||
			!req.DHCP.RequestedIPAddress().Equal(address.AsSlice()) || req.Dst != addr("255.255.255.255") {
			t.Errorf("the rebooting REQUEST is %v", req) // RFC 2131 section 4.3.2, INIT-REBOOT
		}
		granted, _ := h.cap.AwaitServer(next, patience, ack)
		if leased(granted) != address {
			t.Errorf("now %v", granted)
		}
		d.AwaitBound(t, "c0")
		h.keeps(t, 0, address)
		if sent := h.cap.SentByClient(mark); len(sent) != 1 {
			t.Errorf("sent: %v", sent)
		}
		if !lab.Eventually(patience, func() bool { return equal(h.client.Routes("c0"), routes) }) {
			t.Errorf("routes were %q and are %q", routes, h.client.Routes("c0"))
		}
	})
}

// TestMove checks INIT-REBOOT on another network: the old lease is refused
// and a new one obtained in the time of one exchange.
func TestMove(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, kind *lab.Kind) {
		h := newHome(t, kind, lab.Config{Router: addr("10.77.0.1")})
		away := h.Network("away")
		other := kind.Start(t, away.Host("other", "10.88.0.1/24"), lab.Config{Router: addr("10.88.0.1")})
		d, a := h.bound(t)
		old := a.IPv4.Address.Addr()
		mark, events := h.cap.Mark(), d.Events.Mark()

		h.port.Move(away)
		req, next := h.cap.AwaitClient(mark, patience, request)
		if !req.DHCP.RequestedIPAddress().Equal(old.AsSlice()) {
			t.Errorf("the first packet is %v", req)
		}
		h.cap.AwaitServer(next, patience, nak)
		d.AwaitEvent(t, events, patience, lessee.EventNAK)
		granted, _ := h.cap.AwaitServer(next, patience, ack)
		if took := granted.Time.Sub(req.Time); took > 3*time.Second {
			t.Errorf("a new lease took %v", took)
		}
		d.AwaitEvent(t, events, patience, lessee.EventBound)
		now := d.AwaitBound(t, "c0")
		if now.IPv4.Server != addr("10.88.0.1") || now.IPv4.Address.Addr() != leased(granted) {
			t.Errorf("now %+v", now.IPv4)
		}
		if h.has(old) || !h.has(leased(granted)) {
			t.Errorf("addresses: %v", h.client.Addresses("c0"))
		}
		if got := bare(h.client.Routes("c0")); !equal(got, []string{"10.88.0.0/24", "default via 10.88.0.1"}) {
			t.Errorf("routes: %q", got)
		}
		other.AwaitHeld(t, leased(granted))
	})
}

// TestMoveAtOnce checks that a loss of the carrier that was too short to be
// seen is noticed all the same: virtual switches are as fast as that.
func TestMoveAtOnce(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	away := h.Network("away")
	dnsmasq().Start(t, away.Host("other", "10.88.0.1/24"), lab.Config{})
	d, _ := h.bound(t)
	for i, to := range []*lab.Network{away, h.net, away, h.net, away} {
		mark := h.cap.Mark()
		h.port.MoveAtOnce(to)
		h.cap.AwaitServer(mark, patience, nak)
		h.cap.AwaitServer(mark, patience, ack)
		want := addr("10.88.0.1")
		if to == h.net {
			want = addr("10.77.0.1")
		}
		if !lab.Eventually(patience, func() bool {
			a, err := d.Client.Adapter(context.Background(), "c0")
			return err == nil && a.IPv4.State == "bound" && a.IPv4.Server == want
		}) {
			t.Fatalf("move %d: %+v", i, d.Show(t, "c0").IPv4)
		}
	}
}

// TestPain_zephyr114793_MoveToSilentServer checks that a client that was moved to a network whose
// server keeps silent about its old address asks for a new one soon
// (zephyr#114793: 32 s).
func TestPain_zephyr114793_MoveToSilentServer(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	away := h.Network("away")
	h.bound(t)
	mark := h.cap.Mark()
	h.port.Move(away) // nobody serves there
	first, _ := h.cap.AwaitClient(mark, patience, request)
	disc, _ := h.cap.AwaitClient(mark, patience, discover)
	if took := disc.Time.Sub(first.Time); took > 6*time.Second {
		t.Errorf("DISCOVER %v after the first REQUEST", took)
	}
}

// TestPain_mORMot2_581_NAKWhenRenewing checks that a renewal that is refused gives a new lease
// at once (mORMot2#581: 2m44s), and that the caller of renew gets it.
func TestPain_mORMot2_581_NAKWhenRenewing(t *testing.T) {
	t.Parallel()
	naks := func(k *lab.Kind) bool { return k.NAKsRenewal }
	someKinds(t, naks, func(t *testing.T, kind *lab.Kind) {
		h := newHome(t, kind, lab.Config{})
		d, a := h.bound(t)
		old := a.IPv4.Address.Addr()
		h.dhcp.Stop(t)
		h.dhcp.Forget(t)
		h.dhcp.Configure(lab.Config{First: addr("10.77.0.200"), Last: addr("10.77.0.220")})
		h.dhcp.Resume(t)
		mark := h.cap.Mark()
		r := d.Must(t, "renew", "c0")
		req, next := h.cap.AwaitClient(mark, patience, request)
		if clientAddr(req) != old || req.Dst != addr("10.77.0.1") {
			t.Errorf("the renewing REQUEST is %v", req)
		}
		h.cap.AwaitServer(next, patience, nak)
		granted, _ := h.cap.AwaitServer(next, patience, ack)
		if r.Took > 4*time.Second {
			t.Errorf("renew took %v", r.Took)
		}
		if h.has(old) || !h.has(leased(granted)) || leased(granted).Compare(addr("10.77.0.200")) < 0 {
			t.Errorf("granted %v, addresses %v", leased(granted), h.client.Addresses("c0"))
		}
		if now := d.Show(t, "c0"); now.IPv4.State != "bound" || now.IPv4.Address.Addr() != leased(granted) {
			t.Errorf("now %+v", now.IPv4)
		}
	})
}
