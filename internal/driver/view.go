package driver

import (
	"encoding/hex"
	"net"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/linux/packet"
	"github.com/lessee/lessee/internal/loop"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/reason"
)

// A view is what is known of a link, and the packets that did not come to its client.
type view struct {
	core.View

	refused loop.Refusals
}

// views returns the wanted links but loopback.
func (d *Driver) views(wanted func(netconf.Link) bool) ([]view, error) {
	var all []view
	if !d.do(func() {
		for id, l := range d.loop.Core().Links() {
			if l.Loopback || !wanted(l) {
				continue
			}
			all = append(all, view{d.loop.Core().View(id), d.loop.Refused(id)})
		}
	}) {
		return nil, stopped("list", "")
	}
	return all, nil
}

// describe puts a view into the form of the API.
func (d *Driver) describe(v view, counters bool) lessee.Adapter {
	a := lessee.Adapter{
		Index:    v.Link.Index,
		Name:     v.Link.Name,
		AltNames: v.Link.AltNames,
		MAC:      net.HardwareAddr(v.Link.HardwareAddr).String(),
		MTU:      v.Link.MTU,
		Up:       v.Link.Up,
		Carrier:  v.Link.Carrier,
		Manager:  "lessee",
		IPv4:     &lessee.IPv4{State: v.Status.State.String()},
	}
	problem := v.Status.Problem
	if v.Of == 0 {
		problem = v.Refused
	}
	if problem.Reason != reason.None {
		a.IPv4.ProblemCause = &problem
		a.IPv4.Problem, _ = lessee.English(problem, a.Name)
	}
	if v.Of == 0 {
		a.Manager = "none"
		if who, _, yes := d.cfg.Others.Manager(v.Link); yes {
			a.Manager = who
		}
		a.IPv4.State = "disabled"
		if have, err := d.loop.Home().Kernel.Addresses(v.Link.Index); err == nil && len(have) > 0 {
			a.IPv4.Address = have[0].Prefix
		}
		return a
	}
	if v.Status.Lease != nil {
		d.describeLease(a.IPv4, v.Status.Lease)
	} else if local := v.Status.LinkLocal; local.IsValid() {
		a.IPv4.State, a.IPv4.Address = "link-local", local
	}
	if counters {
		a.IPv4.Counters = make(map[string]uint64)
		for name, n := range v.Status.Counters.All() {
			a.IPv4.Counters[name] = n
		}
		for r, n := range v.refused {
			a.IPv4.Counters["rejected."+packet.Refusal(r).String()] = n //nolint:gosec // they are few
		}
		for name, n := range v.Events.All() {
			a.IPv4.Counters[name] = n
		}
		a.IPv4.Counters["records.unreadable"] = v.Unreadable
	}
	return a
}

func (d *Driver) describeLease(v *lessee.IPv4, l *dhcp4.Lease) {
	v.Address = l.Address
	v.Server = l.Server
	v.Routers = l.Routers
	for _, r := range l.Routes {
		route := lessee.Route{Destination: r.Destination}
		if !r.Router.IsUnspecified() {
			route.Router = r.Router
		}
		v.Routes = append(v.Routes, route)
	}
	if l.More != nil {
		v.Servers, v.Parameters = l.More.Servers, parameters(l.More)
	}
	v.DNS, v.HostName, v.Domain, v.Search, v.MTU = l.DNS, l.HostName, l.Domain, l.Search, l.MTU
	v.ClientID = hex.EncodeToString(l.ClientID)
	v.Obtained = d.wall(l.Start)
	v.Infinite = l.Infinite
	if at, ok := l.RenewsAt(); ok {
		v.Renews = d.wall(at)
	}
	if at, ok := l.RebindsAt(); ok {
		v.Rebinds = d.wall(at)
	}
	if at, ok := l.Expires(); ok {
		v.Expires = d.wall(at)
	}
}
