package test

import (
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/test/lab"
)

// TestRoutesInTable keeps a lease whose routes go to a table of their own: they
// are there and not in the main one, the lease is extended by unicast though no
// rule leads to the table, and with the lease they go.
func TestRoutesInTable(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, kind *lab.Kind) {
		h := newHome(t, kind, short)
		// With its last address the adapter would lose all routes by itself.
		h.client.AddAddress(t, "c0", "172.16.0.1/32")
		routes := func() (n int) {
			list, err := h.client.Net.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Table: 7}, netlink.RT_FILTER_TABLE)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range list {
				if r.Protocol == unix.RTPROT_DHCP {
					n++
				}
			}
			return n
		}
		d := h.client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}, Config: "[adapter.c0]\ntable = 7\n"})
		a := d.AwaitState(t, "c0", patience, "bound").IPv4.Address.Addr()
		if n := routes(); n != 2 {
			t.Errorf("table 7 has %d routes, want the subnet's and the default", n)
		}
		if main := h.client.Routes("c0"); len(main) != 0 {
			t.Errorf("the main table has %q", main)
		}
		mark := h.cap.Mark()
		req, next := h.cap.AwaitClient(mark, patience, request)
		if req.Src != a || req.Dst != addr("10.77.0.1") || req.DstMAC.String() == everyone.String() {
			t.Errorf("it renews with %v", req)
		}
		h.cap.AwaitServer(next, patience, ack)
		d.Must(t, "renew", "c0")
		h.keeps(t, 0, a)
		d.Must(t, "release", "c0")
		if n := routes(); n != 0 || h.has(a) {
			t.Errorf("after the release table 7 has %d routes, the adapter %v", n, h.client.Addresses("c0"))
		}
		h.dhcp.AwaitFreed(t, a)
	})
}
