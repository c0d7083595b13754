package driver

import (
	"encoding/hex"
	"net"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/event"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"github.com/lessee/lessee/reason"
)

// A view is what the driver knows of a link at one moment.
type view struct {
	link    netconf.Link
	managed bool
	status  v4.Status
	// refused is why an adapter that we were told to manage is not.
	refused reason.Cause
	events  event.Tally
	// unreadable counts records that could not be used.
	unreadable uint64
	// rejected counts on while it is read.
	rejected *refused
}

// views returns the wanted links but loopback.
func (d *Driver) views(wanted func(netconf.Link) bool) ([]view, error) {
	var all []view
	if !d.do(func() {
		for _, l := range d.links {
			if l.Loopback || !wanted(*l) {
				continue
			}
			v := view{link: *l}
			if a := d.present(l.Index); a != nil {
				v.managed, v.status, v.events, v.rejected, v.unreadable = true, a.tenancy.Status(), a.events, &a.rejected, a.unreadable
				if v.status.Problem.Reason == reason.None && d.resolver != "" && resolves(v.status) {
					v.status.Problem = d.resolverChanged()
				}
			} else if a := d.absent(*l); a != nil && a.refused != nil {
				v.refused = causeOf(a.refused)
			}
			all = append(all, v)
		}
	}) {
		return nil, stopped("list", "")
	}
	return all, nil
}

// describe puts a view into the form of the API.
func (d *Driver) describe(v view, counters bool) lessee.Adapter {
	a := lessee.Adapter{
		Index:    v.link.Index,
		Name:     v.link.Name,
		AltNames: v.link.AltNames,
		MAC:      net.HardwareAddr(v.link.HardwareAddr).String(),
		MTU:      v.link.MTU,
		Up:       v.link.Up,
		Carrier:  v.link.Carrier,
		Manager:  "lessee",
		IPv4:     &lessee.IPv4{State: v.status.State.String()},
	}
	problem := v.status.Problem
	if !v.managed {
		problem = v.refused
	}
	if problem.Reason != reason.None {
		a.IPv4.ProblemCause = &problem
		a.IPv4.Problem, _ = lessee.English(problem, a.Name)
	}
	if !v.managed {
		a.Manager = "none"
		if who, _, yes := d.cfg.Others.Manager(v.link); yes {
			a.Manager = who
		}
		a.IPv4.State = "disabled"
		if have, err := d.cfg.Kernel.Addresses(v.link.Index); err == nil && len(have) > 0 {
			a.IPv4.Address = have[0].Prefix
		}
		return a
	}
	if v.status.Lease != nil {
		d.describeLease(a.IPv4, v.status.Lease)
	} else if local := v.status.LinkLocal; local.IsValid() {
		a.IPv4.State, a.IPv4.Address = "link-local", local
	}
	if counters {
		a.IPv4.Counters = make(map[string]uint64)
		for name, n := range v.status.Counters.All() {
			a.IPv4.Counters[name] = n
		}
		for name, n := range v.rejected.all() {
			a.IPv4.Counters[name] = n
		}
		for name, n := range v.events.All() {
			a.IPv4.Counters[name] = n
		}
		a.IPv4.Counters["records.unreadable"] = v.unreadable
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
