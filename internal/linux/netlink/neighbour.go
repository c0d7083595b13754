//go:build linux

package netlink

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/lessee/lessee/internal/netconf"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// resolvePatience bounds the wait for an ARP answer before a message that
// awaits no answer itself.
const resolvePatience = 500 * time.Millisecond

// usable are the states in which a neighbour's link address is worth trying.
const usable = unix.NUD_REACHABLE | unix.NUD_STALE | unix.NUD_DELAY | unix.NUD_PROBE | unix.NUD_PERMANENT | unix.NUD_NOARP

// NextHop returns who is to be asked for on the link: dst itself or its gateway.
func (n *Kernel) NextHop(link netconf.Link, dst netip.Addr) netip.Addr {
	if hop, ok := n.Hop(link, dst); ok {
		return hop
	}
	return n.ownNextHop(link, dst)
}

// Hop is NextHop by the routes that the kernel would use; false if none
// of them leads to dst by this link. Without a route the kernel takes every
// destination to be on the link, so it is asked for the route itself.
func (n *Kernel) Hop(link netconf.Link, dst netip.Addr) (hop netip.Addr, ok bool) {
	routes, err := n.link.RouteGetWithOptions(dst.AsSlice(), &netlink.RouteGetOptions{OifIndex: link.Index, FIBMatch: true})
	if err != nil {
		return netip.Addr{}, false
	}
	for _, r := range routes {
		if gw, ok := netip.AddrFromSlice(r.Gw); ok && r.LinkIndex == link.Index {
			return gw.Unmap(), true
		}
	}
	return dst, len(routes) > 0
}

// ownNextHop is NextHop by our own routes, in whatever table they are.
func (n *Kernel) ownNextHop(link netconf.Link, dst netip.Addr) netip.Addr {
	list, err := n.dhcpRoutes(link)
	if err != nil {
		return dst
	}
	hop, best := dst, -1
	for _, h := range list {
		r := routeOf(h)
		if bits := r.Destination.Bits(); bits > best && r.Destination.Contains(dst) {
			hop, best = dst, bits
			if r.Router.IsValid() {
				hop = r.Router
			}
		}
	}
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
func (n *Kernel) neighbourIn(link netconf.Link, host netip.Addr, states uint16) (net.HardwareAddr, bool) {
	msgs, err := n.request(unix.RTM_GETNEIGH, 0, unix.RTM_NEWNEIGH, ndmsg{index: link.Index}, nl.NewRtAttr(unix.NDA_DST, host.AsSlice()))
	if err != nil || len(msgs) != 1 || len(msgs[0]) < unix.SizeofNdMsg {
		return nil, false
	}
	if binary.NativeEndian.Uint16(msgs[0][8:])&states == 0 {
		return nil, false
	}
	hw, ok := find(attributes(msgs[0][unix.SizeofNdMsg:]), unix.NDA_LLADDR)
	return slices.Clone(hw), ok && len(hw) > 0
}

// Resolve returns the host's link address; it has the kernel ask for it by ARP
// if it is not known.
func (n *Kernel) Resolve(link netconf.Link, host netip.Addr) (net.HardwareAddr, error) {
	if hw, ok := n.Neighbour(link, host); ok {
		return hw, nil
	}
	var s *nl.NetlinkSocket
	err := n.space.Do(func() (err error) {
		s, err = nl.Subscribe(unix.NETLINK_ROUTE, unix.RTNLGRP_NEIGH)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("watch the neighbours: %w", err)
	}
	defer s.Close()
	// struct ndmsg with NTF_USE: behave as if a packet were to be sent there.
	use := ndmsg{index: link.Index, flags: unix.NTF_USE}
	if _, err := n.request(unix.RTM_NEWNEIGH, unix.NLM_F_CREATE|unix.NLM_F_ACK, 0, use, nl.NewRtAttr(unix.NDA_DST, host.AsSlice())); err != nil {
		return nil, fmt.Errorf("ask for %v by ARP: %w", host, err)
	}
	for end := time.Now().Add(resolvePatience); ; {
		if hw, ok := n.Neighbour(link, host); ok {
			return hw, nil
		}
		left := time.Until(end)
		if left <= 0 {
			return nil, fmt.Errorf("%v does not answer ARP: %w", host, unix.EHOSTUNREACH)
		}
		tv := unix.NsecToTimeval(max(left, time.Millisecond).Nanoseconds())
		if err := s.SetReceiveTimeout(&tv); err != nil {
			return nil, err
		}
		// Whatever is reported, or the end of the patience: look again.
		_, _, _ = s.Receive()
	}
}

// ndmsg is struct ndmsg of linux/neighbour.h: family, ifindex, state, flags, type.
type ndmsg struct {
	index int
	flags uint8
}

func (ndmsg) Len() int { return unix.SizeofNdMsg }

func (m ndmsg) Serialize() []byte {
	b := slices.Repeat([]byte{0}, unix.SizeofNdMsg)
	b[0] = unix.AF_INET
	binary.NativeEndian.PutUint32(b[4:], uint32(m.index))
	b[10] = m.flags
	return b
}
