package test

import (
	"net/netip"
	"testing"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/test/lab"
)

// TestKnownNetwork checks RFC 4436: back in a network whose server is gone, the
// lease is in use again as soon as the router has answered one ARP question.
func TestKnownNetwork(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{Router: addr("10.77.0.1")})
	away := h.Network("away")
	dnsmasq().Start(t, away.Host("other", "10.88.0.1/24"), lab.Config{Router: addr("10.88.0.1")})
	d, a := h.bound(t)
	home := a.IPv4.Address.Addr()

	h.port.Move(away)
	d.AwaitState(t, "c0", patience, "bound")
	if !lab.Eventually(patience, func() bool { return !h.has(home) && len(h.client.Addresses("c0")) == 1 }) {
		t.Fatalf("away it has %v", h.client.Addresses("c0"))
	}

	h.dhcp.Stop(t)
	mark, events := h.cap.Mark(), d.Events.Mark()
	h.port.Move(h.net)
	e, events := d.AwaitEvent(t, events, patience, lessee.EventRecognised)
	if e.Address.Addr() != home || e.Server != addr("10.77.0.1") {
		t.Errorf("recognised %+v", e)
	}
	d.AwaitEvent(t, events, patience, lessee.EventBound)
	if !h.has(home) || len(h.client.Addresses("c0")) != 1 {
		t.Errorf("back home it has %v", h.client.Addresses("c0"))
	}
	question, _ := h.cap.Await(mark, patience, "the question to the router", func(p lab.Packet) bool {
		return p.FromStation && p.ARP != nil && p.ARP.TargetIP == addr("10.77.0.1") && p.ARP.SenderIP == home
	})
	if question.ARP.Op != 1 {
		t.Errorf("the router is asked with %v", question)
	}
	// Nobody confirms the lease; it stays, for its time is not over.
	d.AwaitState(t, "c0", patience, "bound")
	if !h.has(home) {
		t.Errorf("later it has %v", h.client.Addresses("c0"))
	}
}

// TestLinkLocal checks RFC 3927: without a server there is an address for the
// link, and it gives way to a lease.
func TestLinkLocal(t *testing.T) {
	t.Parallel()
	lab.Need(t, dnsmasq().Programs...)
	h := newLink(t)
	d := h.client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}, Config: "[defaults]\nlink_local = true\n"})
	a := d.AwaitState(t, "c0", 2*patience, "link-local")
	local := a.IPv4.Address
	if !netip.MustParsePrefix("169.254.0.0/16").Contains(local.Addr()) || local.Bits() != 16 {
		t.Errorf("the address is %v", local)
	}
	d.AwaitEvent(t, 0, patience, lessee.EventLinkLocal)
	if !h.has(local.Addr()) {
		t.Errorf("the kernel has %v", h.client.Addresses("c0"))
	}
	if got := bare(h.client.Routes("c0")); !equal(got, []string{"169.254.0.0/16"}) {
		t.Errorf("routes %q", got)
	}
	probes := 0
	for _, p := range h.cap.Since(0) {
		if isProbe(p, local.Addr()) {
			probes++
		}
	}
	if probes != 3 {
		t.Errorf("%d probes before the use", probes)
	}

	h.serve(t, dnsmasq(), lab.Config{})
	d.Must(t, "renew", "c0")
	if have := h.client.Addresses("c0"); len(have) != 1 || !prefix("10.77.0.0/24").Contains(have[0].Prefix.Addr()) {
		t.Errorf("with a lease it has %v", have)
	}
	// Released means without any address, of whatever kind.
	d.Must(t, "release", "c0")
	if have := h.client.Addresses("c0"); len(have) != 0 {
		t.Errorf("released it has %v", have)
	}
}

// TestInform checks RFC 2131 section 3.4: the address is the administrator's,
// the name servers the server's.
func TestInform(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, kind *lab.Kind) {
		h := newHome(t, kind, lab.Config{DNS: []netip.Addr{addr("10.77.0.9")}})
		h.client.AddAddress(t, "c0", "10.77.0.77/24")
		d := h.client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}, Config: "[adapter.c0]\ninform = true\n"})
		a := d.AwaitState(t, "c0", patience, "informed")
		if v := a.IPv4; v.Address != prefix("10.77.0.77/24") || len(v.DNS) != 1 || v.DNS[0] != addr("10.77.0.9") || !v.Expires.IsZero() {
			t.Errorf("ipv4 %+v", v)
		}
		if sent := h.cap.SentByClient(0); len(sent) != 1 || sent[0].Type().String() != "INFORM" || clientAddr(sent[0]) != addr("10.77.0.77") {
			t.Errorf("sent %v", sent)
		}
		if r := d.CLI(t, "release", "c0"); r.Status != 1 || !contains(r.Stderr, "ERROR_ADDRESS_NOT_ASSOCIATED 1228") {
			t.Errorf("release: %+v", r)
		}
		d.Must(t, "down", "c0")
		h.keeps(t, 0, addr("10.77.0.77"))
	})
}
