package v4

import (
	"net/netip"
	"slices"

	"github.com/lessee/lessee/internal/event"
	"github.com/lessee/lessee/ipv4ll"
	"github.com/lessee/lessee/reason"
	"github.com/lessee/lessee/wire/arp"
)

// silent is how many DISCOVERs have no answer before the adapter takes a
// link-local address: with the default timing, the fourth leaves after 7 s.
const silent = 4

// linkLocal is the fall-back to an address of 169.254.0.0/16 (RFC 3927).
type linkLocal struct {
	client *ipv4ll.Client
	// address is in use, not valid while none is.
	address netip.Prefix
	// unanswered counts DISCOVERs since somebody answered or the link came up.
	unanswered int
	state      localState
	last       netip.Addr
}

// localState says whether a link-local address is looked for.
type localState uint8

const (
	idle localState = iota
	running
	barred // a server forbids such addresses (RFC 2563)
)

func newLinkLocal(cfg Config) (*linkLocal, error) {
	if !cfg.LinkLocal || len(cfg.DHCP4.HardwareAddr) != len(arp.HardwareAddr{}) {
		return nil, nil //nolint:nilnil // not wanted, or not possible
	}
	c, err := ipv4ll.New(ipv4ll.Config{HardwareAddr: arp.HardwareAddr(cfg.DHCP4.HardwareAddr), Seed: cfg.DHCP4.Seed})
	if err != nil {
		return nil, err
	}
	return &linkLocal{client: c}, nil
}

// localAddress is the link-local address in use, not valid if none is.
func (t *Tenancy) localAddress() netip.Prefix {
	if t.local == nil {
		return netip.Prefix{}
	}
	return t.local.address
}

// discovered notes that a DISCOVER left.
func (t *Tenancy) discovered() {
	l := t.local
	if l == nil || t.held() != nil {
		return
	}
	if l.unanswered++; l.unanswered >= silent && l.state == idle {
		l.state = running
		t.tellLocal(ipv4ll.Start{Last: l.last})
	}
}

// answered notes that there is a server after all. An address that is in use
// stays so until there is a lease.
func (t *Tenancy) answered() {
	if t.local != nil {
		t.local.unanswered = 0
	}
}

// autoConfigure takes a server's word on link-local addresses (RFC 2563).
func (t *Tenancy) autoConfigure(allowed bool) {
	l := t.local
	if l == nil {
		return
	}
	switch {
	case allowed && l.state == barred:
		l.state = idle
	case !allowed && l.state == idle:
		l.state = barred
	case !allowed && l.state == running:
		t.life.Problem(reason.Cause{Reason: reason.LinkLocalForbidden})
		t.endLocal()
		l.state = barred
		t.life.Configure()
	}
}

// endLocal gives the link-local address up: a lease takes its place (RFC 3927
// section 1.9), or nothing is to be used. What is desired then is the caller's
// to apply.
//
// Deviation: "Giving way" in docs/deviations.md: at once.
func (t *Tenancy) endLocal() {
	l := t.local
	if l == nil {
		return
	}
	l.unanswered = 0
	if l.state == running {
		l.state = idle
		t.tellLocal(ipv4ll.Stop{})
	}
}

func (t *Tenancy) tellLocal(in ipv4ll.Input) {
	l := t.local
	if l == nil {
		return
	}
	l.client.Handle(t.life.Now(), in)
	for {
		o, ok := l.client.Poll()
		if !ok {
			return
		}
		switch o := o.(type) {
		case ipv4ll.Transmit:
			t.transmitARP(o.Packet, nil)
		case ipv4ll.Acquired:
			l.address, l.last = o.Address, o.Address.Addr()
			t.life.Own(l.address)
			t.Save()
			t.announce = event.LinkLocal
			t.life.Configure()
		case ipv4ll.Lost:
			l.address = netip.Prefix{}
			if o.Why == ipv4ll.LossConflict {
				t.life.Emit(Note{Kind: event.Conflict, State: t.client.State(), Address: o.Address.Addr(), Link: slices.Clone(o.By[:])})
			}
			if t.announce == event.LinkLocal {
				t.announce = 0
			}
			if o.Why != ipv4ll.LossStopped {
				t.life.Configure()
			}
		case ipv4ll.Taken:
			t.life.Emit(Note{Kind: event.Conflict, State: t.client.State(), Address: o.Address, Link: slices.Clone(o.By[:])})
		case ipv4ll.Defended:
			t.life.Emit(Note{Kind: event.Defended, State: t.client.State(), Address: o.Address, Link: slices.Clone(o.By[:])})
		}
	}
}
