package simulation

import (
	"errors"
	"net/netip"
	"slices"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
)

// A kernel holds addresses until their time is over, as Linux does: its timers
// stand still while the machine is suspended.
type kernel struct {
	addresses []configured
	mtu       int
	// refusing has every Apply fail, in one of the ways of refusal.
	refusing refusal
	// stuck says that the last Apply did not do all: what is there may be
	// neither what is wanted nor what was.
	stuck bool
}

type configured struct {
	prefix netip.Prefix
	until  boottime.Instant
	ends   bool
}

// A refusal is a way in which the kernel does not do as it is told.
type refusal uint8

const (
	willing refusal = iota
	refusesAll
	refusesNew // takes away, adds nothing
	refusesOld // adds, takes nothing away
	refusesMTU // the addresses are right
	refusals
)

var errRefused = errors.New("operation not permitted")

// apply is what the host does: it takes away those of ours that are not wanted
// and adds or renews the one that is.
func (k *kernel) apply(ours []netip.Prefix, want netconf.Desired) (err error, partly bool) { //nolint:revive // the error comes with it
	if k.refusing == refusesAll {
		k.stuck = true
		return errRefused, false
	}
	address := want.IPv4()
	extra := func(c configured) bool { return c.prefix != address.Prefix && slices.Contains(ours, c.prefix) }
	k.stuck = k.refusing == refusesNew && address.Prefix.IsValid() || k.refusing == refusesOld && slices.ContainsFunc(k.addresses, extra)
	if k.refusing != refusesOld {
		k.addresses = slices.DeleteFunc(k.addresses, extra)
	}
	if address.Prefix.IsValid() && k.refusing != refusesNew {
		k.set(configured{address.Prefix, address.Lifetime.ValidUntil, !address.Lifetime.Forever})
	}
	switch {
	case k.stuck:
		return errRefused, false
	case k.refusing == refusesMTU:
		return errRefused, true
	}
	if want.MTU != 0 {
		k.mtu = want.MTU
	}
	return nil, false
}

func (k *kernel) set(c configured) {
	for i := range k.addresses {
		if k.addresses[i].prefix == c.prefix {
			k.addresses[i] = c
			return
		}
	}
	k.addresses = append(k.addresses, c)
}

// expire takes away what is over.
func (k *kernel) expire(now boottime.Instant) {
	k.addresses = slices.DeleteFunc(k.addresses, func(c configured) bool { return c.ends && !now.Before(c.until) })
}

// next returns when the next address ends.
func (k *kernel) next() (at boottime.Instant, ok bool) {
	for _, c := range k.addresses {
		if c.ends && (!ok || c.until.Before(at)) {
			at, ok = c.until, true
		}
	}
	return at, ok
}

func (k *kernel) has(a netip.Addr) bool {
	return slices.ContainsFunc(k.addresses, func(c configured) bool { return c.prefix.Addr() == a })
}

func (k *kernel) prefixes() []netip.Prefix {
	all := make([]netip.Prefix, 0, len(k.addresses))
	for _, c := range k.addresses {
		all = append(all, c.prefix)
	}
	return all
}

// A disk holds the adapter's record in two copies: one that survives the program,
// and one that follows it a while later and survives a power failure.
type disk struct {
	// seen is what a program reads, kept what a power failure leaves.
	seen, kept tenancy.Record
	version    int // of seen
	broken     bool
}

var errDisk = errors.New("no space left on device")

func (d *disk) save(r tenancy.Record) error {
	if d.broken {
		return errDisk
	}
	d.seen = r
	d.version++
	return nil
}

// reboot is what a program reads after a reboot: what was done by calls and to
// the kernel ends with the boot.
func (d *disk) reboot() {
	r := d.kept
	if r.Release != tenancy.NotReleased {
		r.Lease = nil
	}
	r.Release, r.Up, r.Ours, r.BaseMTU = tenancy.NotReleased, false, nil, 0
	d.seen, d.kept = r, r
	d.version++
}
