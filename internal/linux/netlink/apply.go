//go:build linux

package netlink

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/lessee/lessee/internal/linux/clock"
	"github.com/lessee/lessee/internal/linux/syserr"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/vishvananda/netlink"
)

// Apply implements [driver.Network].
//
// If there is an address in ours or want, all routes with protocol "dhcp" that
// leave by this interface are taken for ours if they are in the main table, in
// one that want has routes for, or have an address of ours as their source.
// Addresses and routes of others are never changed.
//
// On an interface that is down the kernel takes an address but no routes: then
// the error wraps ENETDOWN, the rest is done, and Apply is to be called again
// when the interface is up. The kernel drops the routes of an interface that
// goes down and does not bring them back.
//
// An MTU of 0 leaves the MTU alone; to undo ours, the caller passes the one from before.
//
// What cannot be done does not keep the rest from being done: the errors are
// joined, and where they do not concern the addresses the error is a
// [*netconf.PartialError].
func (n *Kernel) Apply(link netconf.Link, ours []netip.Prefix, want netconf.Desired) error {
	now, address := clock.Now(), want.IPv4()
	if address.Prefix.IsValid() && !address.Lifetime.Forever && !now.Before(address.Lifetime.ValidUntil) {
		// It ended: what is left to do is to take it away.
		want, address = netconf.Desired{MTU: want.MTU}, netconf.Address{}
	}
	var beside error // the addresses
	if want.MTU != 0 {
		beside = n.setMTU(link, want.MTU)
	}
	if len(ours) == 0 && !address.Prefix.IsValid() {
		return partial(beside)
	}

	addrs, err := n.addresses(link)
	if errors.Is(err, netconf.ErrNoLink) && !address.Prefix.IsValid() {
		return partial(beside) // what was ours went with the interface
	}
	if err != nil {
		return errors.Join(beside, err)
	}
	if address.Prefix.IsValid() {
		if err := n.setAddress(link, addrs, address, now); err != nil {
			// Routes need their source; what we had before still has its own.
			return errors.Join(beside, err)
		}
	}
	// The routes change while an old address is still there, so that those
	// that both leases have in common never miss.
	beside = errors.Join(beside, n.setRoutes(link, ours, want))
	var errs []error
	for _, p := range ours {
		if p != address.Prefix {
			errs = append(errs, n.removeAddress(link, p))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return errors.Join(beside, err)
	}
	return partial(beside)
}

func partial(err error) error {
	if err == nil {
		return nil
	}
	return &netconf.PartialError{Err: err}
}

func (n *Kernel) setMTU(link netconf.Link, mtu int) error {
	now, err := n.LinkByIndex(link.Index)
	if err == nil && now.MTU == mtu {
		return nil
	}
	l := &netlink.GenericLink{LinkAttrs: netlink.LinkAttrs{Index: link.Index}}
	if err := n.link.LinkSetMTU(l, mtu); err != nil {
		return syserr.Wrap(link.Name, fmt.Sprintf("set MTU %d", mtu), err)
	}
	return nil
}
