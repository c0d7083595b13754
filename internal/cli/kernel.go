//go:build linux

package cli

import (
	"cmp"
	"errors"
	"net"
	"slices"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/internal/linux/clients"
	"github.com/lessee/lessee/internal/linux/netlink"
	"github.com/lessee/lessee/internal/linux/netns"
)

// kernelView lists the adapters without a daemon: what the kernel knows, and
// which other program manages them.
func kernelView() (_ []lessee.Adapter, err error) {
	space, err := netns.Open()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, space.Close()) }()
	network, err := netlink.New(space, netlink.Options{})
	if err != nil {
		return nil, err
	}
	defer network.Close()
	links, err := network.Links()
	if err != nil {
		return nil, err
	}
	others := clients.New()
	all := []lessee.Adapter{}
	for _, l := range links {
		if l.Loopback {
			continue
		}
		a := lessee.Adapter{
			Index: l.Index, Name: l.Name, AltNames: l.AltNames, MAC: net.HardwareAddr(l.HardwareAddr).String(), MTU: l.MTU,
			Up: l.Up, Carrier: l.Carrier, Manager: "none", IPv4: &lessee.IPv4{State: "disabled"},
		}
		if who, _, ok := others.Manager(l); ok {
			a.Manager = who
		}
		// An adapter that has gone since has no address.
		if have, err := network.Addresses(l.Index); err == nil && len(have) > 0 {
			a.IPv4.Address = have[0].Prefix
		}
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b lessee.Adapter) int { return cmp.Compare(a.Index, b.Index) })
	return all, nil
}
