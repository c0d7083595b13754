package v4

import (
	"net/netip"
	"slices"

	"github.com/lessee/lessee/acd"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/event"
	"github.com/lessee/lessee/wire/arp"
)

// A ConflictMode says how conflicts of a leased address with another host are
// found (RFC 5227).
type ConflictMode uint8

// The modes.
const (
	// ConflictOptimistic: the address is used at once; the link is asked
	// meanwhile, and the address declined if another host has it.
	ConflictOptimistic ConflictMode = iota
	// ConflictProbe: the address is used after the link was asked: half a second,
	// with strict timing some seconds.
	ConflictProbe
	// ConflictOff: nobody is asked and nothing defended.
	ConflictOff
	// ConflictOptimisticOnce and ConflictProbeOnce: once the link was asked, nobody
	// listens any more, and the address is not defended.
	ConflictOptimisticOnce
	ConflictProbeOnce
)

// Once returns the mode that finds conflicts as this one does, and defends nothing.
func (m ConflictMode) Once() ConflictMode {
	switch m {
	case ConflictOptimistic:
		return ConflictOptimisticOnce
	case ConflictProbe:
		return ConflictProbeOnce
	case ConflictOff, ConflictOptimisticOnce, ConflictProbeOnce:
	}
	return m
}

// probes reports whether the link is asked before an address is used.
func (m ConflictMode) probes() bool { return m == ConflictProbe || m == ConflictProbeOnce }

// A guard finds out whether another host has our address.
type guard struct {
	mode     ConflictMode
	detector *acd.Detector // nil with ConflictOff
	// taken is an address that was offered and that the host takenBy has.
	taken   netip.Addr
	takenBy arp.HardwareAddr
}

// newGuard returns the guard that the configuration asks for. Where the
// adapter does not speak ARP as Ethernet does there is none.
func newGuard(cfg Config) (guard, error) {
	if cfg.Conflict == ConflictOff || len(cfg.DHCP4.HardwareAddr) != len(arp.HardwareAddr{}) {
		return guard{mode: ConflictOff}, nil
	}
	timing := acd.DefaultTiming
	if cfg.DHCP4.Timing == dhcp4.StrictTiming {
		timing = acd.RFC5227
	}
	d, err := acd.New(acd.Config{
		HardwareAddr: arp.HardwareAddr(cfg.DHCP4.HardwareAddr),
		Timing:       timing,
		Seed:         cfg.DHCP4.Seed,
	})
	return guard{mode: cfg.Conflict, detector: d}, err
}

// listens reports whether the detector is to hear of its address.
func (g *guard) listens() bool {
	_, _, asks := g.detector.Deadline()
	return asks || g.mode != ConflictOptimisticOnce && g.mode != ConflictProbeOnce
}

// watch begins to look for other hosts that have the address.
func (t *Tenancy) watch(a netip.Addr, mode acd.Mode) {
	t.guard.taken = netip.Addr{}
	t.tellDetector(acd.Start{Address: a, Mode: mode})
}

// offered asks the link about an address while its server is asked for it: a
// host that has it answers before there is a lease.
func (t *Tenancy) offered(l *dhcp4.Lease) {
	if t.held() != nil {
		return // the detector watches its address
	}
	t.watch(l.Address.Addr(), acd.Probe)
}

func (t *Tenancy) tellDetector(in acd.Input) {
	d := t.guard.detector
	if d == nil {
		return
	}
	d.Handle(t.life.Now(), in)
	for {
		o, ok := d.Poll()
		if !ok {
			return
		}
		switch o := o.(type) {
		case acd.Transmit:
			t.transmitARP(o.Packet, nil)
		case acd.Clear:
			if p, is := t.phase.(probing); is && p.lease.Address.Addr() == o.Address {
				t.use(p.lease, event.Bound, t.orderOf(p.lease))
			}
		case acd.Conflict:
			t.contested(o)
		case acd.Defended:
			// The kernel keeps the address; others are told whose it is.
			t.life.Emit(Note{Kind: event.Defended, State: t.client.State(), Lease: t.lease(), Address: o.Address, Link: slices.Clone(o.By[:])})
		}
	}
}

// contested gives an address up that another host has.
func (t *Tenancy) contested(o acd.Conflict) {
	if l := t.held(); l == nil || l.Address.Addr() != o.Address {
		t.guard.taken, t.guard.takenBy = o.Address, o.By
		return
	}
	t.tell(dhcp4.Conflict{Address: o.Address, By: slices.Clone(o.By[:])})
}
