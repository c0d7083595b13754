package driver

import (
	"context"
	"encoding/binary"

	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/loop"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy/v4"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// Manage begins to manage an adapter that the configuration names. One that
// does not exist yet is managed when it comes. The error says why the adapter
// cannot be managed now; it is of type [*lessee.Error].
func (d *Driver) Manage(name string) error {
	a, err := d.ask(context.Background(), "up", name, loop.Cancelled, func(id uint64) core.Input {
		if _, _, there := d.loop.Core().Link(core.Home, name); !there {
			d.cfg.Log.Warn("the adapter does not exist yet", "adapter", name)
		}
		return core.Manage{Call: id, Name: name}
	})
	if err != nil {
		return err
	}
	return refusalError("up", name, core.Refusal{Code: a.Code, Cause: a.Cause, Err: a.err})
}

// refusalError is the error of a call on an adapter that cannot be managed, nil
// where it can.
func refusalError(op, name string, why core.Refusal) error {
	if why.Code == errno.NO_ERROR {
		return nil
	}
	e := failed(op, name, why.Code, why.Cause)
	e.Err = why.Err
	return e
}

// tenancyConfig is how the adapter of a link is managed.
func (d *Driver) tenancyConfig(_ core.NS, link netconf.Link) v4.Config {
	c := d.cfg.Adapter(link.Name)
	metric := c.Metric
	if metric == 0 {
		metric = 1000 + uint32(link.Index) //nolint:gosec // an interface index is positive and 31 bits
	}
	return v4.Config{
		DHCP4:     d.clientConfig(link),
		Policy:    v4.Policy{Metric: metric, Table: c.Table, Routes: c.Routes, MTU: c.MTU, DNS: c.DNS},
		Conflict:  c.Conflict,
		LinkLocal: c.LinkLocal,
		Inform:    c.Inform,
	}
}

// clientConfig is who a client is on that link.
func (d *Driver) clientConfig(link netconf.Link) dhcp4.Config {
	c := d.cfg.Adapter(link.Name)
	id := c.ClientID
	if len(c.DUID) > 0 {
		id = wire.NodeClientID(iaid(link, c.IAID), c.DUID)
	}
	return dhcp4.Config{
		HardwareType:  uint8(link.HardwareType), //nolint:gosec // Ethernet
		HardwareAddr:  link.HardwareAddr,
		ClientID:      id,
		HostName:      c.HostName,
		Profile:       c.Profile,
		Parameters:    c.Request,
		NoParameters:  c.NoRequest,
		RapidCommit:   c.RapidCommit,
		IPv6Only:      c.IPv6Only,
		ForceRenew:    c.ForceRenew,
		Anonymous:     c.Anonymous,
		AutoConfigure: c.LinkLocal,
		Broadcast:     c.Broadcast,
		Timing:        c.Timing,
		Seed:          d.cfg.Seed(),
	}
}

// iaid tells the adapters of one machine apart. It is to stay the same for an
// adapter (RFC 4361 section 6.1), as its hardware address does.
func iaid(link netconf.Link, configured *uint32) uint32 {
	if configured != nil {
		return *configured
	}
	a := link.HardwareAddr
	if len(a) < 4 {
		return uint32(link.Index) //nolint:gosec // an interface index is positive and 31 bits
	}
	return binary.BigEndian.Uint32(a[len(a)-4:])
}

// ResolverChanged reports that another program has changed the resolver's file, or
// with "" that the file is ours again. The adapters whose leases have name servers
// show it.
func (d *Driver) ResolverChanged(file string) { d.loop.Tell(core.ResolverChanged{File: file}) }
