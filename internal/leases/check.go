package leases

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

var errInvalid = errors.New("it has no valid")

func invalid(field string) error { return fmt.Errorf("%w %s", errInvalid, field) }

const (
	minMTU = 68 // RFC 791 section 3.2
	maxMTU = 65535
	// maxLinkAddr and maxClientID are the most that the protocol carries.
	maxLinkAddr = 32
	maxClientID = 255
	maxNetworks = 64
	// maxList bounds lists: option 121 of a full packet has fewer entries.
	maxList = 65535 / 5
)

// check returns an error if a field has a value that a record never has.
func (f *record) check() error {
	switch {
	case f.SavedUptime < 0:
		return invalid("saved_uptime")
	case f.Saved.IsZero():
		return invalid("saved")
	case len(f.HardwareAddr) > maxLinkAddr:
		return invalid("hardware_addr")
	case len(f.Ours) > maxList || slices.ContainsFunc(f.Ours, func(p netip.Prefix) bool { return !p.IsValid() || !p.Addr().Is4() }):
		return invalid("ours")
	case f.BaseMTU != 0 && (f.BaseMTU < minMTU || f.BaseMTU > 1<<31-1):
		return invalid("base_mtu")
	case f.Release != "" && f.Release != releasing && f.Release != released:
		return invalid("release")
	case f.LinkLocal.IsValid() && !f.LinkLocal.IsLinkLocalUnicast():
		return invalid("link_local")
	case len(f.Networks) > maxNetworks:
		return invalid("networks")
	}
	for _, n := range f.Networks {
		if !n.Router.Is4() || len(n.RouterLink) == 0 || len(n.RouterLink) > maxLinkAddr {
			return invalid("networks")
		}
		if n.Lease == nil {
			continue
		}
		if err := n.Lease.check(time.Duration(f.SavedUptime)); err != nil {
			return err
		}
	}
	if f.Lease != nil {
		return f.Lease.check(time.Duration(f.SavedUptime))
	}
	return nil
}

func (l *lease) check(saved time.Duration) error {
	optional := func(a netip.Addr) bool { return !a.IsValid() || a.Is4() }
	switch {
	case !l.Address.IsValid() || !l.Address.Addr().Is4() || l.Address.Addr().IsUnspecified():
		return invalid("address")
	case !optional(l.Broadcast):
		return invalid("broadcast")
	case !optional(l.Server):
		return invalid("server")
	case !optional(l.Relay):
		return invalid("relay")
	case len(l.ServerLink) > maxLinkAddr:
		return invalid("server_link")
	case len(l.ClientID) > maxClientID:
		return invalid("client_id")
	case time.Duration(l.StartUptime) > saved:
		return invalid("start_uptime")
	case !l.Infinite && (l.T1 <= 0 || l.T2 <= l.T1 || l.Duration <= l.T2):
		return invalid("duration, t1, t2")
	case l.Nonce != nil && len(l.Nonce.Key) != keyLength:
		return invalid("nonce")
	case l.MTU != 0 && (l.MTU < minMTU || l.MTU > maxMTU):
		return invalid("mtu")
	case len(l.Routers) > maxList || !all4(l.Routers):
		return invalid("routers")
	case len(l.DNS) > maxList || !all4(l.DNS):
		return invalid("dns")
	case len(l.Search) > maxList || !allNamed(l.Search):
		return invalid("search")
	case len(l.Routes) > maxList:
		return invalid("routes")
	}
	for _, r := range l.Routes {
		if !r.Destination.IsValid() || !r.Destination.Addr().Is4() || !optional(r.Router) {
			return invalid("routes")
		}
	}
	return l.More.check()
}

func all4(list []netip.Addr) bool {
	for _, a := range list {
		if !a.Is4() {
			return false
		}
	}
	return true
}
