package driver

import (
	"bytes"
	"encoding/binary"
	"errors"
	"log/slog"
	"net/netip"

	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/event"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"github.com/lessee/lessee/reason"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// ethernet is the ARP hardware type of Ethernet.
const ethernet = 1

// Manage begins to manage an adapter that the configuration names. One that
// does not exist yet is managed when it comes. The error says why the adapter
// cannot be managed now; it is of type [*lessee.Error].
func (d *Driver) Manage(name string) error {
	d.managing.Lock()
	defer d.managing.Unlock()
	link, err := d.cfg.Kernel.LinkByName(name)
	if errors.Is(err, netconf.ErrNoLink) {
		d.cfg.Log.Warn("the adapter does not exist yet", "adapter", name)
		return d.add(&adapter{name: name, position: notQueued})
	}
	if err != nil {
		return systemFailed("up", name, err)
	}
	return d.manage(link, false)
}

// manage begins the tenancy of a link that exists. managing is held.
func (d *Driver) manage(link netconf.Link, byCall bool) error {
	a := &adapter{name: link.Name, byCall: byCall, position: notQueued}
	if err := d.add(a); err != nil {
		return err
	}
	if err := d.begin(a, link, true); err != nil {
		d.do(func() { d.drop(a) })
		return err
	}
	return nil
}

func (d *Driver) add(a *adapter) error {
	var err error
	if !d.do(func() {
		if _, there := d.adapters[a.name]; !there {
			d.adapters[a.name] = a
		}
	}) {
		err = stopped("up", a.name)
	}
	return err
}

// drop ends the management of an adapter, present or not.
func (d *Driver) drop(a *adapter) {
	d.deadlines.remove(a)
	if d.adapters[a.name] == a {
		delete(d.adapters, a.name)
	}
}

// begin gives a managed adapter that exists its tenancy; with setUp it is set up
// if it is down.
func (d *Driver) begin(a *adapter, link netconf.Link, setUp bool) error {
	if err := d.acceptable(link); err != nil {
		return err
	}
	record, _, err := d.cfg.Store.Load(link.Name)
	if err != nil {
		trouble := problem(reason.RecordUnreadable, err)
		d.say(link, trouble)
		d.do(func() {
			a.unreadable++
			d.remember(a, trouble)
		})
	}
	if !link.Up && setUp {
		if err := d.cfg.Kernel.SetUp(link.Index); err != nil {
			return systemFailed("up", link.Name, err)
		}
	}
	addresses, err := d.cfg.Kernel.Addresses(link.Index)
	if err != nil {
		return systemFailed("up", link.Name, err)
	}
	configured := make([]netip.Prefix, len(addresses))
	for i, have := range addresses {
		configured[i] = have.Prefix
	}
	// What a call began outlives us: the record says so.
	byCall := a.byCall || record.Up
	t, err := d.newTenancy(link, byCall)
	if err != nil {
		return misconfigured("up", link.Name, err)
	}
	if err := d.claim(link); err != nil {
		return err
	}
	var began bool
	d.do(func() {
		if d.adapters[a.name] != a || a.tenancy != nil {
			began = a.tenancy != nil
			return
		}
		if now, ok := d.links[link.Index]; ok {
			link = *now // what the watch told since
		} else {
			d.links[link.Index] = &link
		}
		a.present, a.tenancy, a.byCall, a.refused, began = d.links[link.Index], t, byCall, nil, true
		d.announce(a, event.Managed, link, "")
		d.tell(a, v4.Begin{
			Record:     record,
			Configured: configured,
			Link:       tenancy.Link{Usable: link.Usable(), MTU: link.MTU},
		})
	})
	if !began {
		d.cfg.Kernel.Unclaim(link)
		return stopped("up", link.Name)
	}
	// If the interface went before the tenancy was there, nobody told it.
	if _, err := d.cfg.Kernel.LinkByIndex(link.Index); errors.Is(err, netconf.ErrNoLink) {
		d.do(func() { d.linkChanged(netconf.LinkChange{Link: link, Gone: true}) })
	}
	return nil
}

// acceptable refuses what cannot or must not be managed.
func (d *Driver) acceptable(link netconf.Link) error {
	if link.Loopback || link.HardwareType != ethernet || len(link.HardwareAddr) != 6 {
		return failed("up", link.Name, errno.ERROR_NOT_SUPPORTED, reason.Cause{Reason: reason.NoEthernet})
	}
	if who, how, yes := d.cfg.Others.ManagerNow(link); yes {
		return failed("up", link.Name, errno.ERROR_BUSY, reason.Cause{Reason: reason.AnotherClient, Manager: who, How: how})
	}
	return nil
}

// claim keeps other daemons of ours off the adapter, and finds the one that is
// there already.
func (d *Driver) claim(link netconf.Link) error {
	if err := d.cfg.Kernel.Claim(link); err != nil {
		return failed("up", link.Name, errno.ERROR_BUSY, reason.Cause{Reason: reason.AnotherDaemon})
	}
	return nil
}

func (d *Driver) newTenancy(link netconf.Link, byCall bool) (*v4.Tenancy, error) {
	c := d.cfg.Adapter(link.Name)
	metric := c.Metric
	if metric == 0 {
		metric = 1000 + uint32(link.Index) //nolint:gosec // an interface index is positive and 31 bits
	}
	return v4.New(v4.Config{
		DHCP4:     d.clientConfig(link),
		Policy:    v4.Policy{Metric: metric, Table: c.Table, Routes: c.Routes, MTU: c.MTU, DNS: c.DNS},
		Conflict:  c.Conflict,
		LinkLocal: c.LinkLocal,
		Inform:    c.Inform,
		Up:        byCall,
	})
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

// linkChanged takes what the kernel says of a link.
func (d *Driver) linkChanged(c netconf.LinkChange) {
	was, known := d.links[c.Link.Index]
	if c.Gone {
		delete(d.links, c.Link.Index)
		d.traces.endAll(c.Link.Index)
	} else {
		d.links[c.Link.Index] = &c.Link
	}
	a := d.present(c.Link.Index)
	switch {
	case a != nil && c.Gone:
		d.tell(a, tenancy.Gone{})
		a.present = nil
		d.announce(a, event.Removed, netconf.Link{Index: c.Link.Index, Name: a.name}, "")
	case a != nil && known && !bytes.Equal(was.HardwareAddr, c.Link.HardwareAddr):
		// Another hardware address is another client to every server. Who
		// changed it may have set the adapter down for it, and sets it up again.
		d.tell(a, tenancy.Gone{})
		d.renamed(a, c.Link)
		go d.resume(a, c.Link, false)
	case a != nil:
		d.renamed(a, c.Link)
		a.present = d.links[c.Link.Index]
		if !known || was.MTU != c.Link.MTU || was.Usable() != c.Link.Usable() {
			d.tell(a, tenancy.Link{Usable: c.Link.Usable(), MTU: c.Link.MTU})
		}
	case !c.Gone:
		if a := d.absent(c.Link); a != nil {
			go d.resume(a, c.Link, true)
		}
	}
}

// disturbed passes on that the kernel may lack something of an adapter.
func (d *Driver) disturbed(n netconf.Disturbed) {
	for _, a := range d.adapters {
		if a.tenancy != nil && (n.Index == 0 || a.link().Index == n.Index) {
			d.tell(a, tenancy.Disturbed{Object: n.Object})
		}
	}
}

// ResolverChanged reports that another program has changed the resolver's file, or
// with "" that the file is ours again. The adapters whose leases have name servers
// show it.
func (d *Driver) ResolverChanged(file string) {
	d.do(func() {
		d.resolver = file
		if file == "" {
			return
		}
		for _, a := range d.adapters {
			if a.tenancy != nil && resolves(a.tenancy.Status()) {
				trouble := v4.Note{Kind: event.Problem, Cause: d.resolverChanged()}
				d.say(a.link(), trouble)
				d.remember(a, trouble)
			}
		}
	})
}

// resolverChanged is the problem of an adapter whose name servers another program
// replaced.
func (d *Driver) resolverChanged() reason.Cause {
	return reason.Cause{Reason: reason.ResolverChanged, Path: d.resolver}
}

// resolves reports whether the adapter has name servers from its lease.
func resolves(s v4.Status) bool { return s.Lease != nil && len(s.Lease.DNS) > 0 }

// present returns the managed adapter with that interface index.
func (d *Driver) present(index int) *adapter {
	for _, a := range d.adapters {
		if a.tenancy != nil && a.link().Index == index {
			return a
		}
	}
	return nil
}

// absent returns the managed adapter that waits for a link of that name.
func (d *Driver) absent(l netconf.Link) *adapter {
	for _, name := range append([]string{l.Name}, l.AltNames...) {
		if a, ok := d.adapters[name]; ok && a.tenancy == nil {
			return a
		}
	}
	return nil
}

// resume begins the tenancy of a managed adapter that has come (back).
func (d *Driver) resume(a *adapter, link netconf.Link, setUp bool) {
	d.managing.Lock()
	defer d.managing.Unlock()
	waits := false // still: it may have been given up, or taken up, meanwhile
	d.do(func() {
		if waits = d.adapters[a.name] == a && a.tenancy == nil; waits {
			d.rename(a, link.Name)
		}
	})
	if !waits {
		return
	}
	if err := d.begin(a, link, setUp); err != nil {
		d.cfg.Log.Error("the adapter cannot be managed", "adapter", link.Name, "error", err)
		d.do(func() { a.refused = err })
	}
}

// renamed follows an adapter to its new name, with its record.
func (d *Driver) renamed(a *adapter, link netconf.Link) {
	old := a.name
	if old == link.Name {
		return
	}
	d.rename(a, link.Name)
	// Where adapters swap their names, one after the other: a record must have
	// left a name before another one comes to it.
	before, done := d.renames, make(chan struct{})
	d.renames = done
	a.enqueue(d, effect{kind: effectDo, do: func() {
		defer close(done)
		if before != nil {
			<-before
		}
		if err := d.cfg.Store.Rename(old, link.Name); err != nil {
			d.cfg.Log.Error("the lease file could not be renamed", "adapter", link.Name, "from", old, "error", err)
		}
		d.keeper.rename(old, link.Name)
	}})
	d.announce(a, event.Renamed, link, old, slog.String("from", old))
}

func (d *Driver) rename(a *adapter, name string) {
	if a.name == name || d.adapters[a.name] != a {
		return
	}
	delete(d.adapters, a.name)
	a.name = name
	d.adapters[name] = a
}
