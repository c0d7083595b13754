package tenancy

import "net/netip"

// Receptive returns the address at which a FORCERENEW is welcome while no
// answer is awaited; not valid if there is none.
func (t *Tenancy) Receptive() netip.Addr {
	if t.ending != living || t.lease == nil || !t.client.Receptive() {
		return netip.Addr{}
	}
	return t.lease.Address.Addr()
}
