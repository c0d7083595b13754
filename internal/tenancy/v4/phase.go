package v4

import (
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/tenancy"
)

// A phase says how the adapter stands to a lease, and owns what it needs for that.
type phase interface{ phase() }

type (
	// seeking: there is no lease.
	seeking struct{}

	// probing: a lease was granted, and its address is not used before the link
	// was asked.
	probing struct{ lease *dhcp4.Lease }

	// leased: the kernel has the lease's address or is about to.
	leased struct{ lease *dhcp4.Lease }

	// released: the lease was given back, and none is wanted. given is nil where
	// it is not known any more.
	released struct {
		given *dhcp4.Lease
		how   ReleaseState // not NotReleased
	}

	// informing: others set the address. parameters are what a server said of it,
	// nil while none has.
	informing struct{ parameters *dhcp4.Lease }

	// addressless: others are to set an address and nobody has.
	addressless struct{}
)

func (seeking) phase()     {}
func (probing) phase()     {}
func (leased) phase()      {}
func (released) phase()    {}
func (informing) phase()   {}
func (addressless) phase() {}

// lease is the lease in use: configured or about to be; nil if there is none.
func (t *Tenancy) lease() *dhcp4.Lease {
	if p, ok := t.phase.(leased); ok {
		return p.lease
	}
	return nil
}

// held is the lease that the client has, in use or not yet.
func (t *Tenancy) held() *dhcp4.Lease {
	if p, ok := t.phase.(probing); ok {
		return p.lease
	}
	return t.lease()
}

// current is what the adapter is configured by: a lease, or the parameters for
// the address that others set; nil if there is neither.
func (t *Tenancy) current() *dhcp4.Lease {
	if p, ok := t.phase.(informing); ok {
		return p.parameters
	}
	return t.lease()
}

// given is how a lease was given back, and which.
func (t *Tenancy) given() released {
	p, _ := t.phase.(released)
	return p
}

// vacate leaves the adapter without what the phase had.
func (t *Tenancy) vacate() {
	switch t.phase.(type) {
	case probing, leased:
		t.phase = seeking{}
	case informing:
		t.phase = informing{}
	}
}

// Lease implements [tenancy.Protocol].
func (t *Tenancy) Lease() tenancy.Holding { return holding(t.lease()) }

// InUse implements [tenancy.Protocol].
func (t *Tenancy) InUse() tenancy.Holding { return holding(t.current()) }

func holding(l *dhcp4.Lease) tenancy.Holding {
	if l == nil {
		return tenancy.Holding{}
	}
	h := tenancy.Holding{Address: l.Address}
	if end, ends := l.Expires(); ends {
		h.Ends = end
	}
	return h
}
