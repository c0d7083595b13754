package driver

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"github.com/lessee/lessee/reason"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// Manage begins to manage an adapter that the configuration names. One that
// does not exist yet is managed when it comes. The error says why the adapter
// cannot be managed now; it is of type [*lessee.Error].
func (d *Driver) Manage(name string) error {
	result, err := d.ask("up", name, func(id uint64) core.Input {
		if _, there := d.core.Link(core.Home, name); !there {
			d.cfg.Log.Warn("the adapter does not exist yet", "adapter", name)
		}
		return core.Manage{Call: id, Name: name}
	})
	if err != nil {
		return err
	}
	select {
	case r := <-result:
		return refusalError("up", name, core.Refusal{Code: r.Code, Cause: r.Cause})
	case <-d.done:
		return stopped("up", name)
	}
}

// refusalError is the error of a call on an adapter that cannot be managed, nil
// where it can.
func refusalError(op, name string, why core.Refusal) error {
	if why.Code == errno.NO_ERROR {
		return nil
	}
	return failed(op, name, why.Code, why.Cause)
}

// prepare finds out whether an adapter can be managed, and what there is of it.
func (d *Driver) prepare(o core.Prepare) {
	d.preparing.Lock()
	defer d.preparing.Unlock()
	wanted := false
	if d.do(func() { wanted = d.core.Prepares(o.Of, o.Turn) }); !wanted {
		return // it was given up, or went, meanwhile
	}
	in := core.Prepared{Of: o.Of, Turn: o.Turn, Link: o.Link}
	err := d.look(o, &in)
	if err != nil {
		in.Refusal = core.Refusal{Code: err.Code, Cause: err.Cause}
	}
	now, gone := d.cfg.Kernel.LinkByIndex(o.Link.Index)
	switch {
	case gone == nil:
		in.Link = now
	case errors.Is(gone, netconf.ErrNoLink):
		// If it went before the core knew of it, nobody told.
		d.tell(core.LinkChanged{Link: o.Link, Gone: true})
	}
	lives := false
	d.do(func() {
		d.handle(in)
		lives = d.core.Lives(o.Of, o.Turn)
	})
	if !lives && err == nil {
		d.cfg.Kernel.Unclaim(o.Link)
	}
}

// look fills in what there is of an adapter, and claims it.
func (d *Driver) look(o core.Prepare, in *core.Prepared) *lessee.Error {
	link := o.Link
	if who, how, yes := d.cfg.Others.ManagerNow(link); yes {
		return failed("up", link.Name, errno.ERROR_BUSY, reason.Cause{Reason: reason.AnotherClient, Manager: who, How: how})
	}
	if in.Record, _, in.Unreadable = d.cfg.Store.Load(link.Name); in.Unreadable != nil {
		d.complain(o.Adapter, problem(reason.RecordUnreadable, in.Unreadable))
	}
	if !link.Up && o.SetUp {
		if err := d.cfg.Kernel.SetUp(link.Index); err != nil {
			return systemFailed("up", link.Name, err)
		}
	}
	addresses, err := d.cfg.Kernel.Addresses(link.Index)
	if err != nil {
		return systemFailed("up", link.Name, err)
	}
	in.Configured = make([]netip.Prefix, len(addresses))
	for i, have := range addresses {
		in.Configured[i] = have.Prefix
	}
	// Other daemons of ours are kept off, and the one that is there is found.
	if err := d.cfg.Kernel.Claim(link); err != nil {
		return failed("up", link.Name, errno.ERROR_BUSY, reason.Cause{Reason: reason.AnotherDaemon})
	}
	return nil
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
func (d *Driver) ResolverChanged(file string) { d.tell(core.ResolverChanged{File: file}) }

// rename has a record follow its adapter's name.
func (d *Driver) rename(o core.Rename) {
	// Where adapters swap their names, one after the other: a record must have
	// left a name before another one comes to it.
	before, done := d.renames, make(chan struct{})
	d.renames = done
	d.worker(o.Adapter).enqueue(d, effect{kind: effectDo, do: func() {
		defer close(done)
		if before != nil {
			<-before
		}
		if err := d.cfg.Store.Rename(o.From, o.Name); err != nil {
			d.cfg.Log.Error("the lease file could not be renamed", "adapter", o.Name, "from", o.From, "error", err)
		}
		d.keeper.rename(o.From, o.Name)
	}})
}
