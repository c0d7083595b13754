//go:build linux

package netlink

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"

	"github.com/lessee/lessee/internal/linux/poll"
	"github.com/lessee/lessee/internal/linux/syserr"
	"github.com/lessee/lessee/internal/netconf"
	"golang.org/x/sys/unix"
)

// usable are the states in which a neighbour's link address is worth trying.
const usable = unix.NUD_REACHABLE | unix.NUD_STALE | unix.NUD_DELAY | unix.NUD_PROBE | unix.NUD_PERMANENT | unix.NUD_NOARP

// NextHop returns who is to be asked for on the link: dst itself or its gateway.
func (n *Kernel) NextHop(link netconf.Link, dst netip.Addr) netip.Addr {
	if hop, ok := n.Hop(link, dst); ok {
		return hop
	}
	return n.ownNextHop(link, dst)
}

// Hop is NextHop by the routes that the kernel would use; false if none of them
// leads to dst by this link. Without a route the kernel takes every destination
// to be on the link, so it is asked for the route itself.
func (n *Kernel) Hop(link netconf.Link, dst netip.Addr) (hop netip.Addr, ok bool) {
	n.ask.lock()
	defer n.ask.unlock()
	m, seq := n.ask.begin(unix.RTM_GETROUTE, 0)
	b := m.zeros(unix.SizeofRtMsg)
	b[0], b[1] = family(dst), uint8(dst.BitLen()) //nolint:gosec // up to 128
	binary.NativeEndian.PutUint32(b[8:], unix.RTM_F_FIB_MATCH)
	m.address(unix.RTA_DST, dst)
	m.uint32(unix.RTA_OIF, uint32(link.Index)) //nolint:gosec // an interface index is positive and 31 bits
	m.end()
	hop = dst
	err := n.ask.ask(seq, unix.RTM_NEWROUTE, func(body []byte) {
		parseRoute(body, link.Index, func(r netconf.Route) {
			if r.Index == 0 && r.Router.IsValid() && hop == dst {
				hop = r.Router
			}
			ok = true
		})
	})
	return hop, ok && err == nil
}

// ownNextHop is NextHop by our own routes, in whatever table they are.
func (n *Kernel) ownNextHop(link netconf.Link, dst netip.Addr) netip.Addr {
	n.ask.lock()
	defer n.ask.unlock()
	hop, best := dst, -1
	f := routeFilter{family: family(dst), protocol: netconf.ProtocolDHCP, typ: unix.RTN_UNICAST, index: link.Index}
	_ = n.ask.routes(f, link.Index, func(r netconf.Route) {
		if bits := r.Destination.Bits(); bits > best && r.Destination.Contains(dst) {
			hop, best = dst, bits
			if r.Router.IsValid() {
				hop = r.Router
			}
		}
	})
	return hop
}

// Neighbour returns the link address that the kernel knows for the host, sure
// of it or not.
func (n *Kernel) Neighbour(link netconf.Link, host netip.Addr) (net.HardwareAddr, bool) {
	return n.neighbourIn(link, host, usable)
}

// Confirmed is Neighbour for a host that the kernel has heard from lately, or
// that an administrator has set.
func (n *Kernel) Confirmed(link netconf.Link, host netip.Addr) (net.HardwareAddr, bool) {
	return n.neighbourIn(link, host, unix.NUD_REACHABLE|unix.NUD_PERMANENT)
}

// neighbourIn is Neighbour for an entry in one of the states.
func (n *Kernel) neighbourIn(link netconf.Link, host netip.Addr, states uint16) (hw net.HardwareAddr, ok bool) {
	n.ask.lock()
	defer n.ask.unlock()
	m, seq := n.ask.begin(unix.RTM_GETNEIGH, 0)
	neighbour(m, link.Index, host, 0)
	m.end()
	err := n.ask.ask(seq, unix.RTM_NEWNEIGH, func(body []byte) {
		if e, ok := parseNeighbour(body); ok && e.state&states != 0 {
			hw = slices.Clone(e.link)
		}
	})
	return hw, err == nil && len(hw) > 0
}

// A neighbourEntry is what the kernel knows of a host on a link. The link address is
// part of the message.
type neighbourEntry struct {
	index int
	state uint16
	host  netip.Addr
	link  []byte
}

// parseNeighbour reads the body of an RTM_NEWNEIGH message.
func parseNeighbour(m []byte) (e neighbourEntry, ok bool) {
	if len(m) < unix.SizeofNdMsg || m[0] != unix.AF_INET && m[0] != unix.AF_INET6 {
		return e, false
	}
	e.index = int(binary.NativeEndian.Uint32(m[4:]))
	e.state = binary.NativeEndian.Uint16(m[8:])
	for typ, value := range attributes(m[unix.SizeofNdMsg:]) {
		switch typ {
		case unix.NDA_DST:
			e.host, _ = netip.AddrFromSlice(value)
		case unix.NDA_LLADDR:
			e.link = value
		}
	}
	return e, e.host.IsValid()
}

// neighbour appends struct ndmsg (family, interface, state, flags, type) and the host.
func neighbour(m *builder, index int, host netip.Addr, flags uint8) {
	b := m.zeros(unix.SizeofNdMsg)
	b[0], b[10] = family(host), flags
	binary.NativeEndian.PutUint32(b[4:], uint32(index)) //nolint:gosec // an interface index is positive and 31 bits
	m.address(unix.NDA_DST, host)
}

// Solicit makes the kernel behave as if a packet were to be sent to the host
// (NTF_USE): it asks for the link address by ARP or neighbour discovery if it does
// not know it.
func (n *Kernel) Solicit(link netconf.Link, host netip.Addr) error {
	n.ask.lock()
	defer n.ask.unlock()
	m, seq := n.ask.begin(unix.RTM_NEWNEIGH, unix.NLM_F_CREATE|unix.NLM_F_ACK)
	neighbour(m, link.Index, host, unix.NTF_USE)
	m.end()
	if err := n.ask.ask(seq, 0, func([]byte) {}); err != nil {
		return wrap(link, fmt.Sprintf("ask for the link address of %v", host), err)
	}
	return nil
}

// WatchNeighbours reports each neighbour whose link address the kernel has got to know
// or has heard from again: the interface, the host, and the link address, which is
// notify's until it returns. The index 0 says that notifications were lost: any
// neighbour may be known by now.
//
// It costs wake-ups on a busy network, so it is for the time in which an answer to
// [Kernel.Solicit] is awaited. The order is: watch, solicit, ask for the [Kernel.Neighbour]
// once. WatchNeighbours and Close are called from the loop's goroutine, and so is
// notify, which may close the watch. After Close nothing is called any more.
func (n *Kernel) WatchNeighbours(loop poll.Loop, notify func(index int, host netip.Addr, link []byte)) (io.Closer, error) {
	take := func(m message) {
		if m.typ != unix.RTM_NEWNEIGH {
			return
		}
		if e, ok := parseNeighbour(m.body); ok && e.state&usable != 0 && len(e.link) > 0 {
			notify(e.index, e.host, e.link)
		}
	}
	s, err := n.subscribe(loop, nil, take, func() { notify(0, netip.Addr{}, nil) }, unix.RTNLGRP_NEIGH)
	if err != nil {
		return nil, syserr.Wrap("", "watch the neighbours", err)
	}
	return s, nil
}
