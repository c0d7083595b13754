//go:build linux

package netlink

import (
	"cmp"
	"errors"
	"slices"

	"github.com/lessee/lessee/internal/linux/clock"
	"github.com/lessee/lessee/internal/netconf"
	"golang.org/x/sys/unix"
)

// read reads what the kernel has for an adapter, of these families, into
// n.state. Its caller has n.change locked, and uses the state until it unlocks it.
func (n *Kernel) read(link netconf.Link, families []uint8) error {
	s := n.change
	have := &n.state
	*have = netconf.State{At: clock.Now(), Link: link, Addresses: have.Addresses[:0], Routes: have.Routes[:0]}
	// The link and the addresses of the first family are asked for with one system call.
	m, seq := s.begin(unix.RTM_GETLINK, 0)
	linkHeader(m, link.Index, 0, 0)
	extent(m)
	m.end()
	var asked uint32
	if len(families) > 0 {
		asked = s.askAddresses(families[0], link.Index)
	}
	if err := s.send(); err != nil {
		return err
	}
	err := s.answer(seq, unix.RTM_NEWLINK, func(body []byte) {
		if len(body) >= unix.SizeofIfInfomsg {
			parseLinkState(body, &have.Link)
			have.Link.VRF = link.VRF // by which the routes were planned
			have.PromoteSecondaries = promotes(body)
		}
	})
	if errors.Is(err, unix.ETIMEDOUT) {
		return err // nothing else would come, either
	}
	for _, f := range families {
		// Also of a link that is gone: the kernel answers what was sent.
		list, failed := s.addresses(have.Addresses, f, link.Index, have.At, asked)
		if err = cmp.Or(err, failed); err != nil {
			return err
		}
		have.Addresses, asked = list, 0
		if err := n.readRoutes(routeFilter{family: f, protocol: netconf.ProtocolDHCP, typ: unix.RTN_UNICAST, index: link.Index}); err != nil {
			return err
		}
		if f == unix.AF_INET6 {
			if err := n.readRoutes(routeFilter{family: f, protocol: netconf.ProtocolDHCP, typ: unix.RTN_UNREACHABLE}); err != nil {
				return err
			}
		}
	}
	return err
}

// readRoutes appends the routes that pass the filter to n.state.
func (n *Kernel) readRoutes(f routeFilter) error {
	before := len(n.state.Routes)
	return dump(func() error {
		n.state.Routes = n.state.Routes[:before]
		return n.change.routes(f, n.state.Link.Index, func(r netconf.Route) { n.state.Routes = append(n.state.Routes, r) })
	})
}

// readInTheWay appends to n.state the routes of others that have the place of
// one of the objects.
func (n *Kernel) readInTheWay(places []netconf.Object) error {
	type table struct {
		family uint8
		number uint32
	}
	var read []table
	for _, p := range places {
		t := table{family(p.Prefix.Addr()), p.Table}
		if p.Kind != netconf.ObjectRoute || slices.Contains(read, t) {
			continue
		}
		read = append(read, t)
		before := len(n.state.Routes)
		err := dump(func() error {
			n.state.Routes = n.state.Routes[:before]
			return n.change.routes(routeFilter{family: t.family, table: t.number}, n.state.Link.Index, func(r netconf.Route) {
				if slices.Contains(places, r.Object()) && !slices.Contains(n.state.Routes, r) {
					n.state.Routes = append(n.state.Routes, r)
				}
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Inspect returns the wanted addresses and routes that the kernel does not have
// for the adapter; see [netconf.Inspect]. It asks the kernel, and changes nothing.
func (n *Kernel) Inspect(link netconf.Link, want netconf.Desired) ([]netconf.Object, error) {
	n.change.lock()
	defer n.change.unlock()
	n.ahead.outdate(link.Index)
	return netconf.Inspect(n.on(link, nil, want), want)
}
