package v4

import (
	"net/netip"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/event"
	"github.com/lessee/lessee/reason"
)

// A Status is what there is to know of a tenancy now.
type Status struct {
	// State is the client's, but REQUESTING until the kernel has the address of
	// a new lease: who reads "bound" may use it.
	State dhcp4.State
	// Lease is the lease in use, nil if there is none.
	Lease *dhcp4.Lease
	// LinkLocal is the link-local address in use, not valid if none is or the
	// kernel does not have it.
	LinkLocal netip.Prefix
	// Missing is the address of the lease, if another program took it away; not valid
	// else. The state is REQUESTING then, too.
	Missing netip.Prefix
	// Problem is what hinders, without a reason if nothing does.
	Problem reason.Cause
	// Next is what the client does next unless something happens before; nil if
	// it waits for that.
	Next *Next
	// Counters count the client's messages.
	Counters dhcp4.Counters
}

// Next is what a client does next, and when.
type Next struct {
	At    boottime.Instant
	Timer dhcp4.Timer
}

// Status returns what there is to know now.
func (t *Tenancy) Status() Status {
	s := Status{State: t.client.State(), Lease: t.current(), LinkLocal: t.localAddress(), Counters: t.client.Counters()}
	if _, yes := t.phase.(probing); yes || t.announce == event.Bound {
		s.State, s.Lease = dhcp4.StateRequesting, nil
	}
	if a := leaseAddress(t.lease()); t.life.Missed(a) {
		s.Missing = a
	}
	if t.life.Lacks(leaseAddress(t.lease())) {
		s.State, s.Lease = dhcp4.StateRequesting, nil
	}
	if t.life.Lacks(s.LinkLocal) {
		s.LinkLocal = netip.Prefix{}
	}
	if at, why, ok := t.client.Deadline(); ok {
		s.Next = &Next{at, why}
	}
	if _, none := t.phase.(addressless); none {
		s.Problem.Reason = reason.NoOwnAddress
	} else {
		s.Problem = t.life.Hindrance()
	}
	return s
}
