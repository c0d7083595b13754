package tenancy

import (
	"net/netip"
	"slices"

	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/event"
	"github.com/lessee/lessee/reason"
)

// beginInform asks for parameters for the address that the adapter has from
// others (RFC 2131 section 3.4). What an earlier life of ours left there goes.
func (t *Tenancy) beginInform(in Begin) {
	if len(t.ours) > 0 || t.baseMTU != 0 {
		t.apply(t.desired())
	}
	i := slices.IndexFunc(in.Configured, func(p netip.Prefix) bool {
		return !slices.Contains(t.ours, p) && !p.Addr().IsLinkLocalUnicast()
	})
	if i < 0 {
		t.addressless = true
		t.problem(reason.Cause{Reason: reason.NoOwnAddress})
		return
	}
	t.tell(dhcp4.StartInform{Address: in.Configured[i]})
}

// taught takes the parameters that a server answered.
func (t *Tenancy) taught(l *dhcp4.Lease) {
	t.informed = l
	base := t.baseMTU
	d := t.desired()
	if base != t.baseMTU {
		t.save() // what the MTU was, for the next life
	}
	t.announce, t.pending = event.Informed, true
	t.apply(d)
}
