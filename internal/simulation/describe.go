package simulation

import (
	"fmt"

	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/internal/tenancy/v4"
)

// describe and describeInput put into one line what passes between core and
// machine.
func describe(o tenancy.Output) string {
	switch o := o.(type) {
	case v4.Transmit:
		return fmt.Sprintf("transmit %v from %v to %v", o.Type, o.Source, o.Destination)
	case v4.Save:
		return fmt.Sprintf("save %v, release %d, ours %v", leaseText(o.Record.Lease), o.Record.Release, o.Record.Ours)
	case tenancy.Apply:
		a := o.Want.IPv4()
		return fmt.Sprintf("apply %d: %v until %v, ours %v", o.Seq, a.Prefix, a.Lifetime.ValidUntil, o.Ours)
	case tenancy.Answer:
		return fmt.Sprintf("answer %d: %s %s", o.ID, o.Result.Code.Name(), &o.Result.Cause)
	case v4.Note:
		return fmt.Sprintf("note %v in %v: %v %v %s", o.Kind, o.State, leaseText(o.Lease), o.Address, &o.Cause)
	case v4.Listen:
		return fmt.Sprintf("listen %v", o.Addresses)
	default:
		return fmt.Sprintf("%T", o)
	}
}

func describeInput(in core.Input) string {
	switch in := in.(type) {
	case core.Prepared:
		return fmt.Sprintf("prepared: record %v, release %d, ours %v; configured %v, link %v",
			leaseText(in.Record.Lease), in.Record.Release, in.Record.Ours, in.Configured, in.Link.Usable())
	case core.Datagram, core.ARP:
		return fmt.Sprintf("%T", in)
	default:
		return fmt.Sprintf("%T %+v", in, in)
	}
}

func leaseText(l *dhcp4.Lease) string {
	if l == nil {
		return "no lease"
	}
	end, ends := l.Expires()
	if !ends {
		return l.Address.String() + " for ever"
	}
	return l.Address.String() + " until " + end.String()
}
