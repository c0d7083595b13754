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
// the record; [netconf.Diff] decides what changes. What is not ours is never
// replaced and never removed. It is idempotent.
//
// There are two batches at most: one that adds and replaces, then, of what the
// answers to it allow, one that removes. A batch is no transaction: the kernel
// carries out what follows an operation that failed.
//
// On an interface that is down the kernel takes an address but no routes: they
// are in the outcome, and Apply must be called again when the interface is up.
// The kernel drops the routes of an interface that goes down and does not bring
// them back.
func (n *Kernel) Apply(link netconf.Link, owned []netip.Prefix, want netconf.Desired) netconf.Outcome {
	if len(owned) == 0 && len(want.Addresses) == 0 && len(want.Routes) == 0 && want.MTU == 0 {
		return netconf.Outcome{}
	}
	n.change.mu.Lock()
	outcome, blocked := n.apply(link, owned, want)
	n.change.mu.Unlock()
	for _, b := range blocked {
		outcome.Failed = append(outcome.Failed, n.blocked(link, b))
	}
	return outcome
}

func (n *Kernel) apply(link netconf.Link, owned []netip.Prefix, want netconf.Desired) (netconf.Outcome, []netconf.Blocked) {
	if err := n.read(link, families(owned, want)); err != nil {
		if errors.Is(err, unix.ENODEV) && len(want.Addresses) == 0 && len(want.Routes) == 0 {
			return netconf.Outcome{}, nil // what was ours went with the interface
		}
		return netconf.Outcome{Unread: wrap(link, "read the configuration", err)}, nil
	}
	plan := netconf.Diff(n.state, owned, want)
	failed := n.carryOut(link, plan.Add)
	if places := taken(failed); len(places) > 0 {
		// Another program has the place: who, and does it the same? What else
		// failed is tried once more.
		if err := n.read(link, families(owned, want)); err == nil && n.readInTheWay(places) == nil {
			remove := plan.Remove
			plan = netconf.Diff(n.state, owned, want)
			plan.Remove = remove
			failed = n.carryOut(link, plan.Add)
		}
	}
	return n.cleanUp(link, plan, failed), plan.Blocked
}

// cleanUp carries out what of the plan's second batch may be done, of whose
// first one some operations failed.
func (n *Kernel) cleanUp(link netconf.Link, plan netconf.Plan, failed []netconf.Failure) netconf.Outcome {
	remove, withheld := plan.Cleanup(failed)
	failed = append(failed, n.carryOut(link, remove)...)
	for _, op := range withheld {
		failed = append(failed, netconf.Failure{Op: op, Err: wrap(link, op.String()+": keep the other addresses of the subnet", unix.EBUSY)})
	}
	return plan.Outcome(failed)
}

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

// taken returns the places of what failed because something is there already.
func taken(failed []netconf.Failure) (places []netconf.Object) {
	for _, f := range failed {
		if errors.Is(f.Err, unix.EEXIST) {
			places = append(places, netconf.ObjectOf(f.Op))
		}
	}
	return places
}

func wrap(link netconf.Link, op string, err error) error {
	name := link.Name
	if name == "" {
		name = fmt.Sprintf("interface %d", link.Index)
	}
	return syserr.Wrap(name, op, err)
}
