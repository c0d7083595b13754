package v4

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
	if len(t.life.Ours()) > 0 || t.life.BaseMTU() != 0 {
		t.life.Configure()
	}
	i := slices.IndexFunc(in.Configured, func(p netip.Prefix) bool {
		return !slices.Contains(t.life.Ours(), p) && !p.Addr().IsLinkLocalUnicast()
	})
	if i < 0 {
		t.phase = addressless{}
		t.life.Problem(reason.Cause{Reason: reason.NoOwnAddress})
		return
	}
	t.tell(dhcp4.StartInform{Address: in.Configured[i]})
}

// taught takes the parameters that a server answered.
func (t *Tenancy) taught(l *dhcp4.Lease) {
	t.phase = informing{l}
	base := t.life.BaseMTU()
	d := t.life.Desired()
	if base != t.life.BaseMTU() {
		t.Save() // what the MTU was, for the next life
	}
	t.announce = event.Informed
	t.life.Apply(d)
}
