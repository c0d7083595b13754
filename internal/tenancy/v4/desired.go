package v4

import (
	"github.com/lessee/lessee/internal/netconf"
)

// Wanted implements [tenancy.Protocol].
func (t *Tenancy) Wanted() netconf.Desired {
	if l := t.lease(); l != nil {
		return plan(l, t.policy)
	}
	if l := t.current(); l != nil {
		return planInformed(l, t.policy)
	}
	return planLocal(t.localAddress(), t.policy)
}

// Settled implements [tenancy.Protocol]: it says what the kernel now has.
func (t *Tenancy) Settled() {
	if t.announce == 0 {
		return
	}
	l := t.current()
	n := Note{Kind: t.announce, State: t.client.State(), Lease: l}
	t.announce = 0
	if l == nil {
		n.Address = t.localAddress().Addr()
		t.life.Emit(n)
		return
	}
	n.Server = l.Server
	t.life.Emit(n)
	if t.lease() != nil {
		t.learn()
	}
}
