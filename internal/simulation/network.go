package simulation

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/lessee/lessee/dhcptest"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// A network is a link with a router, servers and hosts that took addresses of
// the pool by themselves.
type network struct {
	link      *dhcptest.Link
	prefix    netip.Prefix // of its subnet
	router    *dhcptest.Host
	servers   []*dhcptest.Server
	squatters []*dhcptest.Host
	cut       []*dhcptest.Port // apart from the rest, nil while there is no partition
}

const poolSize = 16

// newNetwork builds the network with that number. Only the first is sure to
// have a server.
func newNetwork(s *simulation, number int) *network {
	r := s.chance
	n := &network{link: s.world.NewLink(fmt.Sprintf("net%d", number))}
	n.prefix = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 77, byte(number), 0}), 24)
	if dhcptest.Chance(r, 0.3) {
		// Many networks have the same numbers.
		n.prefix = netip.MustParsePrefix("192.168.1.0/24")
	}
	n.router = n.link.NewHost(dhcptest.LinkAddr{2, 1, 0, 0, byte(number), 1})
	n.router.Own(n.host(254))
	servers := 1
	switch v := r.IntN(10); {
	case v == 0 && number > 0:
		servers = 0
	case v > 6:
		servers = 2
	}
	for i := range servers {
		n.addServer(s, number, i)
	}
	for i := range r.IntN(3) {
		h := n.link.NewHost(dhcptest.LinkAddr{2, 2, 0, 0, byte(number), byte(i)})
		h.Own(n.host(100 + r.IntN(2*poolSize)))
		n.squatters = append(n.squatters, h)
	}
	return n
}

// host returns an address of the network.
func (n *network) host(i int) netip.Addr {
	b := n.prefix.Addr().As4()
	b[3] = byte(i)
	return netip.AddrFrom4(b)
}

// leaseTimes are long and short: the shortest that a client takes, and for ever.
var leaseTimes = []time.Duration{
	2 * time.Second, 10 * time.Second, time.Minute, 5 * time.Minute, time.Hour, time.Hour,
	24 * time.Hour, dhcptest.Infinite,
}

func (n *network) addServer(s *simulation, number, i int) {
	r := s.chance
	first := 100 + i*poolSize
	if dhcptest.Chance(r, 0.1) {
		first = 100 // two servers with one pool: nobody told them of each other
	}
	cfg := dhcptest.ServerConfig{
		Address:       netip.PrefixFrom(n.host(1+i), n.prefix.Bits()),
		First:         n.host(first),
		Last:          n.host(first + poolSize - 1),
		Lease:         leaseTimes[r.IntN(len(leaseTimes))],
		Routers:       []netip.Addr{n.host(254)},
		DNS:           []netip.Addr{n.host(254)},
		Domain:        "example.org",
		RapidCommit:   dhcptest.Chance(r, 0.3),
		Authoritative: dhcptest.Chance(r, 0.5),
		ForceRenew:    dhcptest.Chance(r, 0.8),
	}
	if dhcptest.Chance(r, 0.2) {
		cfg.MTU = uint16(1200 + r.IntN(400))
	}
	if dhcptest.Chance(r, 0.2) && cfg.Lease < dhcptest.Infinite {
		cfg.T1, cfg.T2 = cfg.Lease/4, cfg.Lease/2
	}
	if dhcptest.Chance(r, 0.15) {
		cfg.Relay, cfg.Subnet = n.host(253), n.prefix
		cfg.Address = netip.PrefixFrom(netip.AddrFrom4([4]byte{172, 16, byte(number), byte(1 + i)}), 24)
	}
	if dhcptest.Chance(r, 0.1) {
		cfg.Routers = nil
	}
	if dhcptest.Chance(r, 0.1) {
		cfg.Options = append(cfg.Options, dhcptest.Option{Code: wire.OptionClasslessRoutes, Value: append([]byte{0}, n.router254()...)})
	}
	h := n.link.NewHost(dhcptest.LinkAddr{2, 3, 0, 0, byte(number), byte(i)})
	n.servers = append(n.servers, dhcptest.NewServer(h, cfg, behaviours(r)...))
}

func (n *network) router254() []byte {
	b := n.host(254).As4()
	return b[:]
}

// behaviours are mostly none.
func behaviours(r *rand.Rand) []dhcptest.Behaviour {
	var all []dhcptest.Behaviour
	for dhcptest.Chance(r, 0.35) && len(all) < 3 {
		all = append(all, misbehaviours[r.IntN(len(misbehaviours))](r))
	}
	return all
}

var misbehaviours = []func(*rand.Rand) dhcptest.Behaviour{
	func(*rand.Rand) dhcptest.Behaviour { return dhcptest.Slow(0, 300*time.Millisecond) },
	func(*rand.Rand) dhcptest.Behaviour { return dhcptest.Slow(0, 6*time.Second) },
	func(*rand.Rand) dhcptest.Behaviour { return dhcptest.Silent() },
	func(r *rand.Rand) dhcptest.Behaviour { return dhcptest.Sometimes(r.Float64(), dhcptest.Silent()) },
	func(*rand.Rand) dhcptest.Behaviour { return dhcptest.SilentTo(wire.Request) },
	func(*rand.Rand) dhcptest.Behaviour { return dhcptest.NAKing() },
	func(r *rand.Rand) dhcptest.Behaviour { return dhcptest.Sometimes(r.Float64(), dhcptest.NAKing()) },
	func(*rand.Rand) dhcptest.Behaviour { return dhcptest.Rogue() },
	func(*rand.Rand) dhcptest.Behaviour { return dhcptest.OddOptions() },
	func(r *rand.Rand) dhcptest.Behaviour { return dhcptest.Forgetting(r.Float64() / 2) },
	func(*rand.Rand) dhcptest.Behaviour { return dhcptest.Racing(2 * time.Millisecond) },
}

// faults are those of a good cable, of a bad one, or of one that is cut.
func faults(r *rand.Rand) dhcptest.Faults {
	var f dhcptest.Faults
	if dhcptest.Chance(r, 0.5) {
		f.Loss = []float64{0.05, 0.3, 0.7, 1}[r.IntN(4)]
	}
	if dhcptest.Chance(r, 0.3) {
		f.Duplicate = r.Float64() / 2
	}
	if dhcptest.Chance(r, 0.3) {
		f.Reorder = r.Float64() / 2
	}
	if dhcptest.Chance(r, 0.3) {
		f.Mirror = r.Float64()
	}
	if dhcptest.Chance(r, 0.2) {
		f.Corrupt = r.Float64() / 2
	}
	if dhcptest.Chance(r, 0.4) {
		f.DelayMax = []time.Duration{time.Millisecond, 50 * time.Millisecond, 3 * time.Second, 20 * time.Second}[r.IntN(4)]
	}
	return f
}

// partition cuts a random part off: servers, mostly.
func (n *network) partition(r *rand.Rand, me *dhcptest.Port) {
	n.cut = n.cut[:0]
	for _, s := range n.servers {
		if dhcptest.Chance(r, 0.7) {
			n.cut = append(n.cut, s.Host().Port())
		}
	}
	if dhcptest.Chance(r, 0.2) {
		n.cut = append(n.cut, me)
	}
	n.link.Partition(n.cut...)
}

// heal makes the network a good one: servers are correct, and those who took an
// address of the pool say so.
func (n *network) heal() {
	n.link.Heal()
	n.cut = nil
	for _, s := range n.servers {
		s.SetBehaviours()
		s.Host().Flush()
	}
	for _, h := range n.squatters {
		h.Mute = false
	}
}
