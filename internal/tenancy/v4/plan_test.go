package v4

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/lessee/lessee/dhcp4"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// leaseOf returns the lease that an ACK with these options gives.
func leaseOf(t *testing.T, options func(*wire.Builder)) *dhcp4.Lease {
	t.Helper()
	c, err := dhcp4.New(dhcp4.Config{HardwareType: 1, HardwareAddr: hardwareAddr, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	var lease *dhcp4.Lease
	tell := func(in dhcp4.Input) {
		c.Handle(0, in)
		for {
			o, ok := c.Poll()
			if !ok {
				return
			}
			switch o := o.(type) {
			case dhcp4.Acquired:
				lease = o.Lease
			case dhcp4.Transmit:
				p, err := wire.Parse(o.Message)
				if err != nil {
					t.Fatal(err)
				}
				typ := wire.ACK
				if o.Type == wire.Discover {
					typ = wire.Offer
				}
				b := wire.NewBuilder(wire.OpReply, 1, hardwareAddr, p.XID())
				b.AddMessageType(typ)
				b.SetYourAddr(netip.MustParseAddr("10.77.0.105"))
				b.AddAddr(wire.OptionServerID, serverAddr)
				b.AddUint32(wire.OptionLeaseTime, uint32(time.Hour/time.Second))
				b.AddAddr(wire.OptionSubnetMask, netip.MustParseAddr("255.255.255.0"))
				options(b)
				defer c.Handle(0, dhcp4.Datagram{Message: b.Bytes(), From: serverAddr})
			}
		}
	}
	tell(dhcp4.LinkUp{})
	tell(dhcp4.Start{})
	for range 4 {
		tell(nil)
	}
	if lease == nil {
		t.Fatalf("no lease, in %v", c.State())
	}
	return lease
}

func routesOf(l *dhcp4.Lease, policy RoutePolicy) []string {
	var all []string
	for _, r := range planRoutes(l, Policy{Routes: policy}) {
		text := r.Destination.String()
		if r.Router.IsValid() {
			text += " via " + r.Router.String()
		}
		if r.OnLink {
			text += " onlink"
		}
		all = append(all, text)
	}
	return all
}

// TestRoutesOfALease: RFC 3442: a router of 0.0.0.0 is the link itself, bits beyond the
// width are cleared, and options 3 and 33 have no effect beside option 121.
func TestRoutesOfALease(t *testing.T) {
	t.Parallel()
	l := leaseOf(t, func(b *wire.Builder) {
		b.AddOption(wire.OptionClasslessRoutes, []byte{
			24, 192, 168, 7, 0, 0, 0, 0, // on the link
			25, 129, 210, 177, 132, 10, 77, 0, 3, // the text's own example: 129.210.177.132 with 255.255.255.128
			16, 10, 99, 192, 0, 2, 1, // by a router that is not in the subnet
		})
		b.AddAddr(wire.OptionRouter, netip.MustParseAddr("10.77.0.250"))
		b.AddOption(33, []byte{172, 16, 0, 0, 10, 77, 0, 66})
	})
	want := []string{
		"10.77.0.0/24", "192.168.7.0/24", "129.210.177.128/25 via 10.77.0.3", "10.99.0.0/16 via 192.0.2.1 onlink",
	}
	if got := routesOf(l, RoutesAll); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	l = leaseOf(t, func(b *wire.Builder) { b.AddOption(33, []byte{172, 16, 0, 0, 10, 77, 0, 66}) })
	if got := routesOf(l, RoutesAll); !slices.Equal(got, want[:1]) {
		t.Errorf("with option 33 alone: %q, want %q", got, want[:1])
	}
}

// TestPain_CVE_2024_3661_RoutePolicy: a server that pulls traffic out of a
// tunnel with more specific routes has no effect where the adapter's policy
// says so (TunnelVision).
func TestPain_CVE_2024_3661_RoutePolicy(t *testing.T) {
	t.Parallel()
	const subnet, router = "10.77.0.0/24", "0.0.0.0/0 via 10.77.0.1"
	rogue := func(extra ...byte) func(b *wire.Builder) {
		return func(b *wire.Builder) {
			b.AddAddr(wire.OptionRouter, netip.MustParseAddr("10.77.0.1"))
			// 0.0.0.0/1 and 128.0.0.0/1 are more specific than a tunnel's default route.
			b.AddOption(wire.OptionClasslessRoutes, append([]byte{1, 0, 10, 77, 0, 66, 1, 128, 10, 77, 0, 66}, extra...))
		}
	}
	pulled := []string{"0.0.0.0/1 via 10.77.0.66", "128.0.0.0/1 via 10.77.0.66"}
	for _, c := range []struct {
		policy RoutePolicy
		extra  []byte
		want   []string
	}{
		{RoutesAll, nil, append([]string{subnet}, pulled...)},
		{RoutesNoClassless, nil, []string{subnet, router}},
		{RoutesGateway, nil, []string{subnet}},
		{RoutesGateway, []byte{0, 10, 77, 0, 1}, []string{subnet, router}},
		{RoutesNone, []byte{0, 10, 77, 0, 1}, []string{subnet}},
	} {
		if got := routesOf(leaseOf(t, rogue(c.extra...)), c.policy); !slices.Equal(got, c.want) {
			t.Errorf("policy %s: %q, want %q", fmt.Sprint(c.policy), got, c.want)
		}
	}
}
