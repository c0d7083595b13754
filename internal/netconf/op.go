package netconf

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// An Op is one change of the kernel's configuration of an adapter. Its String
// is one line.
type Op interface {
	fmt.Stringer
	op()
}

type (
	// SetMTU sets the link's MTU, in bytes.
	SetMTU struct{ MTU int }

	// SetPromote sets whether the adapter promotes secondary addresses.
	SetPromote struct{ Promote Promotion }

	// AddAddress adds an address that is not there. Valid and Preferred are
	// seconds, [Forever] without end.
	AddAddress struct {
		Address          Address
		Valid, Preferred uint32
	}

	// ReplaceAddress changes the lifetimes of an address of ours in place.
	ReplaceAddress struct {
		Address          Address
		Valid, Preferred uint32
	}

	// RemoveAddress removes an address of ours.
	RemoveAddress struct{ Prefix netip.Prefix }

	// AddRoute adds a route to a place in its table that is free.
	AddRoute struct{ Route Route }

	// AppendRoute adds a route after one of ours with the same key, which is
	// removed later: there is always one.
	AppendRoute struct{ Route Route }

	// RemoveRoute removes a route of ours.
	RemoveRoute struct{ Route Route }
)

// A Promotion is a setting of promote_secondaries.
type Promotion uint8

// The settings.
const (
	PromoteOff Promotion = iota
	PromoteOn
)

func (SetMTU) op()         {}
func (SetPromote) op()     {}
func (AddAddress) op()     {}
func (ReplaceAddress) op() {}
func (RemoveAddress) op()  {}
func (AddRoute) op()       {}
func (AppendRoute) op()    {}
func (RemoveRoute) op()    {}

func (o SetMTU) String() string { return "set mtu " + strconv.Itoa(o.MTU) }

func (o SetPromote) String() string {
	if o.Promote == PromoteOn {
		return "set promote_secondaries on"
	}
	return "set promote_secondaries off"
}

func (o AddAddress) String() string { return "add " + addressLine(o.Address, o.Valid, o.Preferred) }

func (o ReplaceAddress) String() string {
	return "replace " + addressLine(o.Address, o.Valid, o.Preferred)
}

func (o RemoveAddress) String() string { return "remove address " + o.Prefix.String() }

func (o AddRoute) String() string { return "add route " + o.Route.String() }

func (o AppendRoute) String() string { return "append route " + o.Route.String() }

func (o RemoveRoute) String() string { return "remove route " + o.Route.String() }

func addressLine(a Address, valid, preferred uint32) string {
	var b strings.Builder
	b.WriteString("address " + a.Prefix.String())
	if a.Broadcast.IsValid() {
		b.WriteString(" brd " + a.Broadcast.String())
	}
	if valid == Forever {
		b.WriteString(" forever")
	} else {
		fmt.Fprintf(&b, " valid %d preferred %d", valid, preferred)
	}
	if a.Flags != 0 {
		b.WriteString(" " + a.Flags.String())
	}
	return b.String()
}
