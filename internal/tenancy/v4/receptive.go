package v4

import (
	"net/netip"

	"github.com/lessee/lessee/internal/tenancy"
)

// Receptive returns the address at which a FORCERENEW is welcome while no
// answer is awaited; not valid if there is none.
func (t *Tenancy) Receptive() netip.Addr {
	l := t.lease()
	if t.life.Stage() != tenancy.Living || l == nil || !t.client.Receptive() {
		return netip.Addr{}
	}
	return l.Address.Addr()
}
