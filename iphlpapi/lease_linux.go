package iphlpapi

import (
	"context"
	"math"
	"net"
	"slices"
	"time"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/internal/linux/clients"
	"github.com/lessee/lessee/internal/netconf"
)

// patience is how long the daemon may take to list what it has in memory.
const patience = 2 * time.Second

// addLeases completes the list by what the daemon tells of leases and other
// programs. Where it does not run, or not in this network namespace, it is
// looked who else manages an adapter.
func addLeases(list []details) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	told, err := lessee.New().Adapters(ctx)
	if err != nil {
		told = nil // The kernel has told its part.
	}
	var finder *clients.Finder
	for i := range list {
		d := &list[i]
		if t := same(told, d); t != nil {
			d.take(t)
			continue
		}
		if finder == nil {
			finder = clients.New()
		}
		if _, _, ok := finder.Manager(d.link()); ok {
			d.takeKernels()
		}
	}
}

// same finds the daemon's view of an adapter; nil if it has none. Names and
// indices are those of a network namespace, and the daemon may be in another one.
func same(told []lessee.Adapter, d *details) *lessee.Adapter {
	i := slices.IndexFunc(told, func(t lessee.Adapter) bool {
		return t.Index == d.index && t.Name == d.name && t.MAC == net.HardwareAddr(d.hardware).String()
	})
	if i < 0 {
		return nil
	}
	return &told[i]
}

// take takes over what the daemon tells.
func (d *details) take(t *lessee.Adapter) {
	switch {
	case t.Manager == "none" || t.Manager == "":
		return
	case t.Manager != "lessee" || t.IPv4 == nil:
		d.takeKernels()
		return
	}
	d.dhcp = true
	d.server, d.wins, d.dns = t.IPv4.Server, t.IPv4.WINS, t.IPv4.DNS
	if !t.IPv4.Obtained.IsZero() {
		d.obtained = t.IPv4.Obtained.Unix()
	}
	switch {
	case t.IPv4.Infinite:
		d.expires = math.MaxInt32
	case !t.IPv4.Expires.IsZero():
		d.expires = t.IPv4.Expires.Unix()
	}
}

// takeKernels notes that another program manages the adapter. What is known of
// its lease is what it has told the kernel.
func (d *details) takeKernels() {
	d.dhcp = true
	if !d.until.IsZero() {
		d.obtained, d.expires = d.since.Unix(), d.until.Unix()
	}
}

func (d *details) link() netconf.Link {
	return netconf.Link{
		Index: d.index, Name: d.name, AltNames: d.altNames,
		HardwareType: d.hardwareType, HardwareAddr: d.hardware, Up: true,
	}
}
