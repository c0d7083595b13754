//go:build linux

package sandbox

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
)

// Configured returns what the kernel has for the client's end: its IPv4
// addresses, and the router of its default route, not valid if there is none.
func (n *Network) Configured() (addresses []netip.Prefix, router netip.Addr, err error) {
	err = n.DoClient(func() error {
		link, err := netlink.LinkByName(n.conf.Client)
		if err != nil {
			return err
		}
		list, err := netlink.AddrList(link, netlink.FAMILY_V4)
		if err != nil {
			return err
		}
		for _, a := range list {
			ones, _ := a.Mask.Size()
			addresses = append(addresses, netip.PrefixFrom(addr(a.IP), ones))
		}
		routes, err := netlink.RouteList(link, netlink.FAMILY_V4)
		if err != nil {
			return err
		}
		for _, r := range routes {
			if r.Dst == nil || r.Dst.IP.IsUnspecified() {
				router = addr(r.Gw)
			}
		}
		return nil
	})
	if err != nil {
		return nil, netip.Addr{}, fmt.Errorf("sandbox: %s: %w", n.conf.Client, err)
	}
	return addresses, router, nil
}
