//go:build linux

package netlink

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/netconf/netconftest"
	"golang.org/x/sys/unix"
)

// TestModel: the model of the kernel in netconftest does what this kernel does.
func TestModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(12) {
		l := newLab(t, Options{})
		link := l.c0()
		real := &adapter{l.n, link, []uint8{unix.AF_INET}}
		model := &netconftest.Kernel{State: netconf.State{Link: link, PromoteSecondaries: l.promotes()}}
		l.n.change.lock()
		defer l.n.change.unlock()
		r := rand.New(rand.NewPCG(seed, 3))
		for step := range 60 {
			var op netconf.Op
			var did string
			if r.IntN(12) == 0 {
				up := !model.Link.Up
				did = fmt.Sprintf("set up: %v", up)
				l.setUp(up)
				model.SetUp(up)
			} else {
				op = randomOp(r, model)
				did = op.String()
				want, got := model.Do([]netconf.Op{op}), real.Do([]netconf.Op{op})
				if len(want) != len(got) {
					t.Fatalf("seed %d, step %d, %s: the model says %v, the kernel %v", seed, step, did, want, got)
				}
			}
			have, err := real.Read(nil)
			l.Must(err)
			is, _ := model.Read(nil)
			if got, want := summary(have), summary(is); !slices.Equal(got, want) {
				t.Fatalf("seed %d, step %d, %s: the kernel has\n%q\nthe model\n%q", seed, step, did, got, want)
			}
		}
	}
}

func (l *lab) setUp(up bool) {
	l.T.Helper()
	if up {
		l.Must(l.H.LinkSetUp(l.Link("c0")))
	} else {
		l.Must(l.H.LinkSetDown(l.Link("c0")))
	}
}

// randomOp returns an operation about one of a few addresses and routes.
func randomOp(r *rand.Rand, k *netconftest.Kernel) netconf.Op {
	prefix := netip.MustParsePrefix([]string{"10.77.0.1/24", "10.77.0.2/24", "10.77.0.3/24", "192.0.2.1/24", "10.77.0.1/16"}[r.IntN(5)])
	address := netconf.Address{Prefix: prefix, Flags: netconf.NoPrefixRoute, Protocol: netconf.ProtocolDHCP}
	route := netconf.Route{
		Destination: netip.MustParsePrefix([]string{"0.0.0.0/0", "198.51.100.0/24"}[r.IntN(2)]),
		Router:      netip.MustParseAddr("10.77.0.254"), OnLink: true, Source: prefix.Addr(),
		Metric: 100, Table: netconf.TableMain, Protocol: netconf.ProtocolDHCP,
	}
	if r.IntN(3) == 0 {
		route = netconf.Route{Destination: prefix.Masked(), Source: prefix.Addr(), Metric: 100, Table: netconf.TableMain, Protocol: netconf.ProtocolDHCP}
	}
	switch r.IntN(10) {
	case 0, 1, 2:
		return netconf.AddAddress{Address: address, Valid: 3600, Preferred: 3600}
	case 3:
		return netconf.ReplaceAddress{Address: address, Valid: 1800, Preferred: 1800}
	case 4, 5:
		return netconf.RemoveAddress{Prefix: prefix}
	case 6, 7:
		return netconf.AddRoute{Route: route}
	case 8:
		return netconf.AppendRoute{Route: route}
	}
	if len(k.Routes) > 0 && r.IntN(2) == 0 {
		return netconf.RemoveRoute{Route: k.Routes[r.IntN(len(k.Routes))]}
	}
	return netconf.SetPromote{Promote: netconf.Promotion(r.IntN(2))}
}

// summary lists what a state has, sorted. Lifetimes and the marks of old kernels
// are left out.
func summary(s netconf.State) (list []string) {
	for _, a := range s.Addresses {
		list = append(list, fmt.Sprintf("address %v %v", a.Prefix, a.Flags))
	}
	for _, r := range s.Routes {
		list = append(list, "route "+r.String())
	}
	slices.Sort(list)
	return append(list, fmt.Sprint("promotes ", s.PromoteSecondaries))
}
