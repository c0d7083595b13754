package recording

import (
	"net/netip"

	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/internal/tenancy/v4"
)

// A carrier carries out a call by do, or answers it in another way.
type carrier interface {
	carry(c call, do func() answer) answer
}

// ports are the ports of a core as calls to a carrier. Real are those that carry the
// calls out, if there are any.
type ports struct {
	carrier

	real core.Config
}

// config returns the configuration of a core whose ports these are.
func (p *ports) config() core.Config {
	return core.Config{
		Ports:   core.Ports{Kernel: p, Transport: p, Resolver: p, Store: p, Hooks: p},
		Tenancy: p.tenancy,
	}
}

// note carries out a call that has no answer.
func (p *ports) note(c call, do func()) { p.carry(c, func() answer { do(); return answer{} }) }

// try carries out a call that may fail.
func (p *ports) try(c call, do func() error) error {
	return p.carry(c, func() answer { return answer{Err: do()} }).Err
}

func (p *ports) tenancy(ns core.NS, link netconf.Link) v4.Config {
	a := p.carry(configure{ns, link}, func() answer {
		c := p.real.Tenancy(ns, link)
		return answer{Config: &c}
	})
	return *a.Config
}

// Prepare implements [core.Kernel].
func (p *ports) Prepare(a core.Adapter, how core.Prepare) {
	p.note(prepare{whoOf(a), how}, func() { p.real.Kernel.Prepare(a, how) })
}

// Leave implements [core.Kernel].
func (p *ports) Leave(a core.Adapter) {
	p.note(leave{whoOf(a)}, func() { p.real.Kernel.Leave(a) })
}

// Apply implements [core.Kernel].
func (p *ports) Apply(a core.Adapter, o tenancy.Apply) (tenancy.Applied, bool) {
	got := p.carry(apply{whoOf(a), o}, func() answer {
		if in, now := p.real.Kernel.Apply(a, o); now {
			return answer{Applied: &in}
		}
		return answer{}
	})
	if got.Applied == nil {
		return tenancy.Applied{}, false
	}
	return *got.Applied, true
}

// Inspect implements [core.Kernel].
func (p *ports) Inspect(a core.Adapter, o tenancy.Inspect) (tenancy.Inspected, bool) {
	got := p.carry(inspect{whoOf(a), o}, func() answer {
		if in, now := p.real.Kernel.Inspect(a, o); now {
			return answer{Inspected: &in}
		}
		return answer{}
	})
	if got.Inspected == nil {
		return tenancy.Inspected{}, false
	}
	return *got.Inspected, true
}

// Solicit implements [core.Kernel].
func (p *ports) Solicit(a core.Adapter, host netip.Addr) error {
	return p.try(solicit{whoOf(a), host}, func() error { return p.real.Kernel.Solicit(a, host) })
}

// Desist implements [core.Kernel].
func (p *ports) Desist(a core.Adapter) {
	p.note(desist{whoOf(a)}, func() { p.real.Kernel.Desist(a) })
}

// Open implements [core.Transport].
func (p *ports) Open(a core.Adapter) error {
	return p.try(open{whoOf(a)}, func() error { return p.real.Transport.Open(a) })
}

// Close implements [core.Transport].
func (p *ports) Close(a core.Adapter) {
	p.note(closeLink{a.NS, a.Index, a.Link.Name}, func() { p.real.Transport.Close(a) })
}

// Send implements [core.Transport].
func (p *ports) Send(a core.Adapter, t dhcp4.Transmit) error {
	return p.try(send{whoOf(a), t}, func() error { return p.real.Transport.Send(a, t) })
}

// Post implements [core.Transport].
func (p *ports) Post(a core.Adapter, t dhcp4.Transmit) error {
	return p.try(post{whoOf(a), t}, func() error { return p.real.Transport.Post(a, t) })
}

// SendARP implements [core.Transport].
func (p *ports) SendARP(a core.Adapter, packet, to []byte) error {
	return p.try(sendARP{whoOf(a), packet, to}, func() error { return p.real.Transport.SendARP(a, packet, to) })
}

// ListenARP implements [core.Transport].
func (p *ports) ListenARP(a core.Adapter, addresses []netip.Addr) error {
	return p.try(listenARP{whoOf(a), addresses}, func() error { return p.real.Transport.ListenARP(a, addresses) })
}

// ListenForceRenew implements [core.Transport].
func (p *ports) ListenForceRenew(a core.Adapter, address netip.Addr) error {
	return p.try(listenForceRenew{whoOf(a), address}, func() error { return p.real.Transport.ListenForceRenew(a, address) })
}

// Resolve implements [core.Resolver].
func (p *ports) Resolve(a core.Adapter, seq uint64, d netconf.DNS) {
	p.note(resolve{whoOf(a), seq, d}, func() { p.real.Resolver.Resolve(a, seq, d) })
}

// Save implements [core.Store].
func (p *ports) Save(a core.Adapter, r v4.Record) error {
	return p.try(save{whoOf(a), r}, func() error { return p.real.Store.Save(a, r) })
}

// Forget implements [core.Store].
func (p *ports) Forget(a core.Adapter, name string) {
	p.note(forget{whoOf(a), name}, func() { p.real.Store.Forget(a, name) })
}

// Say implements [core.Hooks].
func (p *ports) Say(a core.Adapter, s core.Said) {
	p.note(sayOf(a, s), func() { p.real.Hooks.Say(a, s) })
}

// Unmanageable implements [core.Hooks].
func (p *ports) Unmanageable(a core.Adapter, why core.Refusal) {
	p.note(unmanageable{whoOf(a), why}, func() { p.real.Hooks.Unmanageable(a, why) })
}

// Dropped implements [core.Hooks].
func (p *ports) Dropped(a core.Adapter) {
	p.note(dropped{whoOf(a)}, func() { p.real.Hooks.Dropped(a) })
}

// Gone implements [core.Hooks].
func (p *ports) Gone(id core.ID) {
	p.note(gone{id}, func() { p.real.Hooks.Gone(id) })
}

// Answer implements [core.Hooks].
func (p *ports) Answer(call uint64, r tenancy.Result, err error) {
	p.note(reply{call, r, err}, func() { p.real.Hooks.Answer(call, r, err) })
}

// Discovered implements [core.Hooks].
func (p *ports) Discovered(call uint64, d core.Discovery) {
	c := discovered{Call: call}
	for _, o := range d.Scan.Offers() {
		found := offer{Address: o.Lease.Address, Server: o.Lease.Server}
		if o.Refusal != 0 {
			found.Refusal = o.Refusal.String()
		}
		c.Offers = append(c.Offers, found)
	}
	if d.Lease != nil {
		c.Lease = d.Lease.Address
	}
	p.note(c, func() { p.real.Hooks.Discovered(call, d) })
}
