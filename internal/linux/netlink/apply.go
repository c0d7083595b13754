//go:build linux

package netlink

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/lessee/lessee/internal/linux/syserr"
	"github.com/lessee/lessee/internal/netconf"
	"golang.org/x/sys/unix"
)

// Apply makes the kernel hold want for the adapter, with owned what is ours by
// the record; see [netconf.Apply]. What is not ours is never replaced and never
// removed. It is idempotent.
//
// On an interface that is down the kernel takes an address but no routes: they
// are in the outcome, and Apply must be called again when the interface is up.
// The kernel drops the routes of an interface that goes down and does not bring
// them back.
func (n *Kernel) Apply(link netconf.Link, owned []netip.Prefix, want netconf.Desired) netconf.Outcome {
	if len(owned) == 0 && len(want.Addresses) == 0 && len(want.Routes) == 0 && want.MTU == 0 {
		return netconf.Outcome{}
	}
	n.change.lock()
	outcome, left := netconf.Apply(n.on(link, owned, want), owned, want)
	n.change.unlock()
	if errors.Is(outcome.Unread, unix.ENODEV) && len(want.Addresses) == 0 && len(want.Routes) == 0 {
		return netconf.Outcome{} // what was ours went with the interface
	}
	for _, op := range left.Withheld {
		outcome.Failed = append(outcome.Failed, netconf.Failure{Op: op, Err: wrap(link, op.String()+": keep the other addresses of the subnet", unix.EBUSY)})
	}
	for _, b := range left.Blocked {
		outcome.Failed = append(outcome.Failed, n.blocked(link, b))
	}
	return outcome
}

// RehearseApply reads the state of a link that does not exist and asks for what is wanted
// there, which the kernel refuses: what Apply needs is in memory then.
func (n *Kernel) RehearseApply(link netconf.Link, want netconf.Desired) {
	n.change.lock()
	defer n.change.unlock()
	n.adapter = adapter{n, link, families(n.adapter.families[:0], nil, want)}
	_ = n.read(link, n.adapter.families)
	n.carryOut(link, netconf.Diff(netconf.State{At: n.state.At, Link: link}, nil, want).Add)
}

// An adapter is a link whose configuration is changed.
type adapter struct {
	*Kernel
	link     netconf.Link
	families []uint8
}

// on returns the adapter of the link. The caller has n.change locked, and uses it until
// it unlocks it.
func (n *Kernel) on(link netconf.Link, owned []netip.Prefix, want netconf.Desired) *adapter {
	n.adapter = adapter{n, link, families(n.adapter.families[:0], owned, want)}
	return &n.adapter
}

// Read implements [netconf.Kernel].
func (a *adapter) Read(places []netconf.Object) (netconf.State, error) {
	var err error
	if !a.readAhead(a.link, a.families) {
		err = a.read(a.link, a.families)
	}
	if err == nil {
		err = a.readInTheWay(places)
	}
	if err != nil {
		return netconf.State{}, wrap(a.link, "read the configuration", err)
	}
	return a.state, nil
}

// Do implements [netconf.Kernel].
func (a *adapter) Do(ops []netconf.Op) []netconf.Failure { return a.carryOut(a.link, ops) }

// Exists implements [netconf.Kernel].
func (a *adapter) Exists(err error) bool { return errors.Is(err, unix.EEXIST) }

// blocked describes a wanted route whose place another's has.
func (n *Kernel) blocked(link netconf.Link, b netconf.Blocked) netconf.Failure {
	at := link.Name
	if b.By.Index != 0 {
		at = n.nameOf(b.By.Index)
	}
	op := netconf.AddRoute{Route: b.Route}
	return netconf.Failure{Op: op, Err: &syserr.Error{
		Op: op.String(), Adapter: link.Name,
		Err:  &netconf.BlockedError{Blocked: b, Adapter: at, Err: unix.EEXIST},
		Hint: "give this adapter another metric",
	}}
}

// carryOut sends the operations as one batch (or several, where there are many)
// and returns those that failed.
func (n *Kernel) carryOut(link netconf.Link, ops []netconf.Op) (failed []netconf.Failure) {
	for len(ops) > 0 {
		some := ops[:min(len(ops), batchSize)]
		ops = ops[len(some):]
		first := n.change.seq + 1
		for _, op := range some {
			n.encode(link, op)
		}
		var err error
		n.errs, err = n.change.acknowledged(first, n.errs[:0])
		for i, op := range some {
			refused := n.errs[i]
			if err != nil && refused == nil {
				refused = err // whether it was done is not known
			}
			if refused != nil && !settled(op, refused) {
				failed = append(failed, netconf.Failure{Op: op, Err: wrap(link, op.String(), refused)})
			}
		}
	}
	return failed
}

// encode builds the request of an operation.
func (n *Kernel) encode(link netconf.Link, op netconf.Op) {
	s, index := n.change, link.Index
	const (
		ack = unix.NLM_F_ACK
		add = ack | unix.NLM_F_CREATE | unix.NLM_F_EXCL
	)
	switch op := op.(type) {
	case netconf.SetMTU:
		m, _ := s.begin(unix.RTM_NEWLINK, ack)
		linkHeader(m, index, 0, 0)
		m.uint32(unix.IFLA_MTU, uint32(op.MTU)) //nolint:gosec // what does not fit the kernel refuses
	case netconf.SetPromote:
		m, _ := s.begin(unix.RTM_NEWLINK, ack)
		linkHeader(m, index, 0, 0)
		spec, inet, conf := m.nest(unix.IFLA_AF_SPEC), m.nest(unix.AF_INET), m.nest(inetConf)
		m.uint32(promoteSecondaries, uint32(op.Promote))
		m.unnest(conf)
		m.unnest(inet)
		m.unnest(spec)
	case netconf.AddAddress:
		m, _ := s.begin(unix.RTM_NEWADDR, add)
		setAddress(m, index, op.Address, op.Valid, op.Preferred)
	case netconf.ReplaceAddress:
		m, _ := s.begin(unix.RTM_NEWADDR, ack|unix.NLM_F_REPLACE)
		setAddress(m, index, op.Address, op.Valid, op.Preferred)
	case netconf.RemoveAddress:
		m, _ := s.begin(unix.RTM_DELADDR, ack)
		removeAddress(m, index, op.Prefix)
	case netconf.AddRoute:
		m, _ := s.begin(unix.RTM_NEWROUTE, add)
		setRoute(m, index, op.Route, addScope(op.Route))
	case netconf.AppendRoute:
		m, _ := s.begin(unix.RTM_NEWROUTE, ack|unix.NLM_F_CREATE|unix.NLM_F_APPEND)
		setRoute(m, index, op.Route, addScope(op.Route))
	case netconf.RemoveRoute:
		m, _ := s.begin(unix.RTM_DELROUTE, ack)
		setRoute(m, index, op.Route, unix.RT_SCOPE_NOWHERE) // of any scope
	}
	s.tx.end()
}

// settled reports whether the errno says that there is nothing left to do.
func settled(op netconf.Op, err error) bool {
	switch op.(type) {
	case netconf.RemoveAddress:
		return errors.Is(err, unix.EADDRNOTAVAIL) || errors.Is(err, unix.ENODEV)
	case netconf.RemoveRoute:
		return errors.Is(err, unix.ESRCH) || errors.Is(err, unix.ENODEV)
	}
	return false
}

func wrap(link netconf.Link, op string, err error) error {
	name := link.Name
	if name == "" {
		name = fmt.Sprintf("interface %d", link.Index)
	}
	return syserr.Wrap(name, op, err)
}
