package test

import (
	"testing"

	"github.com/lessee/lessee/test/lab"
)

// TestTwoAdaptersOnOneLink: the kernel answers on each adapter for the
// addresses of all. That is no other host that has them.
func TestTwoAdaptersOnOneLink(t *testing.T) {
	t.Parallel()
	for _, mode := range conflictModes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			h := newHome(t, dnsmasq(), lab.Config{Router: addr("10.77.0.1")})
			second := h.net.Attach(h.client, "c1", "02:00:00:00:00:03").Capture()
			o := conflictMode(mode)
			o.Args = []string{"c0", "c1"}
			d := h.client.ReadyDaemon(t, o)
			a, b := d.AwaitBound(t, "c0").IPv4.Address.Addr(), d.AwaitBound(t, "c1").IPv4.Address.Addr()
			if a == b {
				t.Fatalf("both have %v", a)
			}
			// The kernel has answered the questions about each address when the
			// announcement that follows them was sent.
			h.cap.Await(0, patience, "an announcement", func(p lab.Packet) bool { return isAnnouncement(p, a) })
			second.Await(0, patience, "an announcement", func(p lab.Packet) bool { return isAnnouncement(p, b) })
			d.Must(t, "renew", "c0", "c1")
			answered := false
			for _, p := range append(h.cap.Since(0), second.Since(0)...) {
				if p.Client(decline) {
					t.Errorf("declined: %v", p)
				}
				answered = answered || p.ARP != nil && p.ARP.Op == 2 && (p.ARP.SenderIP == a || p.ARP.SenderIP == b)
			}
			// With "probe" it has no address yet that it could answer for.
			if !answered && mode == "optimistic" {
				t.Error("the kernel answered for neither address: this test shows nothing")
			}
		})
	}
}
