// Package netconftest is a model of the Linux kernel: the configuration of one
// adapter, as package netconf reads and changes it. A test in linux/netlink
// compares the model with the real kernel.
//
//   - A batch is no transaction: what follows a failure is carried out.
//   - An IPv4 address that comes second to its subnet is secondary. It goes with
//     the primary address, or takes its place where secondaries are promoted.
//   - A route goes with the address that is its source, and with the last
//     IPv4 address of the adapter. That is not reported: not every Linux does.
//   - A link that is set down loses its routes without a report, and its IPv6
//     addresses. It takes no routes while it is down.
//   - The kernel ends an address when its lifetime is over. Its timers stand still
//     while the machine is suspended.
//
// The kernel's own routes are left out, and it does not ask whether a router can
// be reached: only their keys matter, and ours have others.
package netconftest

import (
	"errors"
	"net/netip"
	"slices"

	"github.com/lessee/lessee/internal/netconf"
)

// The reasons why the kernel refuses an operation.
var (
	ErrRefused = errors.New("operation not permitted")
	errExists  = errors.New("file exists")
	errDown    = errors.New("network is down")
	errSource  = errors.New("invalid argument")
	errAbsent  = errors.New("no such process")
)

// A Kernel is what the kernel has for one adapter. Of the State, Routes are
// those of all protocols, and At is the present. It implements
// [netconf.Kernel].
type Kernel struct {
	netconf.State
	// Refuse returns why an operation of ours fails, nil if it does not. Nil: it
	// refuses only what Linux refuses.
	Refuse func(netconf.Op) error
	// Unreadable is why nothing can be read, nil if all can.
	Unreadable error
	// Notify receives what the kernel reports of what others do; nil drops it.
	Notify func(netconf.Disturbed)
	// NoProtocol says that the kernel is older than 5.18: it has no protocol of
	// addresses.
	NoProtocol bool
}

// Clone returns a copy that shares nothing that changes.
func (k *Kernel) Clone() *Kernel {
	c := *k
	c.Addresses, c.Routes = slices.Clone(k.Addresses), slices.Clone(k.Routes)
	return &c
}

// Read implements [netconf.Kernel].
func (k *Kernel) Read(places []netconf.Object) (netconf.State, error) {
	if k.Unreadable != nil {
		return netconf.State{}, k.Unreadable
	}
	s := k.State
	s.Routes = make([]netconf.Route, 0, len(k.Routes))
	for _, r := range k.Routes {
		if r.Protocol == netconf.ProtocolDHCP || slices.Contains(places, r.Object()) {
			s.Routes = append(s.Routes, r)
		}
	}
	return s, nil
}

// Do implements [netconf.Kernel].
func (k *Kernel) Do(ops []netconf.Op) (failed []netconf.Failure) {
	for _, op := range ops {
		var err error
		if k.Refuse != nil {
			err = k.Refuse(op)
		}
		if err == nil {
			err = k.do(op, us)
		}
		if err != nil && !errors.Is(err, errAbsent) {
			failed = append(failed, netconf.Failure{Op: op, Err: err})
		}
	}
	return failed
}

// Exists implements [netconf.Kernel].
func (k *Kernel) Exists(err error) bool { return errors.Is(err, errExists) }

// Apply carries out [netconf.Apply]. What that leaves is among the failures.
func (k *Kernel) Apply(owned []netip.Prefix, want netconf.Desired) netconf.Outcome {
	o, left := netconf.Apply(k, owned, want)
	for _, op := range left.Withheld {
		o.Failed = append(o.Failed, netconf.Failure{Op: op, Err: ErrRefused})
	}
	for _, b := range left.Blocked {
		o.Failed = append(o.Failed, netconf.Failure{Op: netconf.AddRoute{Route: b.Route}, Err: &netconf.BlockedError{Blocked: b, Err: errExists}})
	}
	return o
}

// Others carries out an operation of another program.
func (k *Kernel) Others(op netconf.Op) error { return k.do(op, others) }

// Replace puts another program's route in the place of the first one of the same
// key (`ip route replace`).
func (k *Kernel) Replace(r netconf.Route) error {
	i := slices.IndexFunc(k.Routes, func(h netconf.Route) bool { return h.Object() == r.Object() })
	switch {
	case i < 0:
		return k.do(netconf.AddRoute{Route: r}, others)
	case !k.Link.Up:
		return errDown
	}
	k.Routes[i] = r
	k.notify(netconf.Disturbed{Object: r.Object()}, others)
	return nil
}
