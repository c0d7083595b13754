package simulation

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/dhcptest"
	"github.com/lessee/lessee/internal/leases"
	"github.com/lessee/lessee/internal/leases/leasestest"
	"github.com/lessee/lessee/internal/tenancy/v4"
)

// A disk holds the records of a namespace's adapters in two copies: one that survives
// the program, and one that follows it a while later and survives a power failure. It
// is package leases on disks in memory.
type disk struct {
	s          *simulation
	store      *leases.Store // of the program that runs
	run, state *leasestest.Memory
	damaged    bool // the file system has damaged a file
	left       int  // operations until the power fails; below 0: it does not
	boots      int
	files      map[string]*file // by the adapter's name
	entries    uint64           // how often something was put on record
}

// A file is what is known of one record.
type file struct {
	// seen is what the next program must read.
	seen v4.Record
	// unsure are records of which only the second copy may be there; past are
	// those from the one that would survive a power failure: it leaves one of them.
	unsure, past []v4.Record
	last         v4.Record // that the program saved or read
	entry        uint64    // when it was put there
}

var errDisk = errors.New("no space left on device")

func newDisk(s *simulation) *disk {
	d := &disk{s: s, left: -1, files: map[string]*file{}}
	d.run, d.state = leasestest.New(&d.left), leasestest.New(&d.left)
	return d
}

// file returns what is known of the record of that name.
func (d *disk) file(name string) *file {
	f := d.files[name]
	if f == nil {
		f = &file{past: []v4.Record{{}}}
		d.files[name] = f
	}
	return f
}

// open is the beginning of a program.
func (d *disk) open() {
	d.store = leases.OpenOn(d.run, d.state, leases.Clock{
		Boot:   d.s.now,
		BootID: strconv.Itoa(d.boots),
		Wall:   func() time.Time { return time.Unix(1_700_000_000, 0).Add(d.s.now().Sub(boottime.Instant(0))) },
	})
	for _, name := range d.pending() {
		d.persist(name)
	}
}

// pending are the names of the records whose second copy is not as the first one.
func (d *disk) pending() []string { return slices.Sorted(slices.Values(d.store.Pending())) }

// full has every write fail with an error, nil to end that.
func (d *disk) full(err error) { d.run.Full, d.state.Full = err, err }

func (d *disk) save(name string, r v4.Record) error {
	defer d.persist(name)
	return d.note(name, r, d.store.Save(name, r))
}

func (d *disk) forget(name string) {
	defer d.persist(name)
	_ = d.note(name, v4.Record{}, d.store.Remove(name))
}

// note remembers what was put on record.
func (d *disk) note(name string, r v4.Record, err error) error {
	d.entries++
	f := d.file(name)
	f.past, f.last, f.entry = append(f.past, r), r, d.entries
	if err != nil {
		f.unsure = append(f.unsure, r)
		return err
	}
	f.seen, f.unsure = r, nil
	return nil
}

// persist has the second copy follow the first one: the latest wins, and nothing
// waits for it.
func (d *disk) persist(name string) {
	store := d.store
	d.s.world.After(dhcptest.Between(d.s.chance, 0, time.Second), func() {
		if d.store == store && slices.Contains(store.Pending(), name) && store.Persist(name) == nil {
			f := d.file(name)
			f.past = []v4.Record{f.last}
		}
	})
}

// load is what a program reads: what was saved last.
func (d *disk) load(name string) v4.Record {
	r, _, err := d.store.Load(name)
	if err != nil && !d.damaged {
		d.s.broke("record", "%v", err)
	}
	f := d.file(name)
	may := append(f.unsure, f.seen)
	if among(v4.Record{}, f.unsure) {
		may = append(may, f.past...) // where it could not be removed, the second copy may be older
	}
	if !among(r, may) {
		d.s.broke("record", "%s is read, and %s was saved last", recordText(r), recordText(f.seen))
	}
	if recordText(r) != recordText(f.seen) {
		f.unsure = append(f.unsure, f.seen)
		f.seen = r
	}
	f.last = r
	return r
}

// powerFails loses what was not flushed. By chance a second copy was just
// being written, or the file system damages it.
func (d *disk) powerFails() {
	r := d.s.chance
	d.left = r.IntN(6)
	if waits := d.pending(); len(waits) > 0 && dhcptest.Chance(r, 0.5) {
		d.killed(func() { _ = d.store.Persist(waits[r.IntN(len(waits))]) })
	}
	d.left = -1
	d.boots++
	d.run.Clear()
	d.state.PowerFails(r)
	names := slices.Sorted(maps.Keys(d.files))
	if len(names) > 0 && dhcptest.Chance(r, 0.5) {
		d.damaged = d.state.Damage(names[r.IntN(len(names))]+".json", r) || d.damaged
	}
	d.open()
	for _, name := range names {
		d.recover(name)
	}
}

// recover checks what a power failure has left of a record.
func (d *disk) recover(name string) {
	f := d.file(name)
	got, _, err := d.store.Load(name)
	if err != nil && !d.damaged {
		d.s.broke("record", "after a power failure: %v", err)
	}
	may := rebooted(f.past)
	if d.damaged {
		may = append(may, v4.Record{}) // or an older one, if the power fails again
	}
	if !among(got, may) {
		d.s.broke("record", "a power failure leaves %s of %s, which was not saved", recordText(got), name)
	}
	f.seen, f.unsure, f.past, f.last = got, nil, []v4.Record{got}, got
}

// killed does something until the power fails.
func (d *disk) killed(do func()) {
	defer func() {
		if p := recover(); p != nil && p != leasestest.ErrKilled { //nolint:errorlint // it is what the disk panics with
			panic(p)
		}
	}()
	do()
}

// rebooted returns what is left of records in the next boot: what was done by calls
// and to the kernel ends with the boot.
func rebooted(list []v4.Record) []v4.Record {
	out := make([]v4.Record, 0, len(list))
	for _, r := range list {
		if r.Release != v4.NotReleased {
			r.Lease = nil
		}
		r.Release, r.Up, r.Ours, r.BaseMTU = v4.NotReleased, false, nil, 0
		out = append(out, r)
	}
	return out
}

func among(r v4.Record, list []v4.Record) bool {
	text := recordText(r)
	return slices.ContainsFunc(list, func(o v4.Record) bool { return recordText(o) == text })
}

// recordText has what the tenancy acts on.
func recordText(r v4.Record) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, release %d, ours %v, up %v, MTU %d, link-local %v", wholeLease(r.Lease), r.Release, r.Ours, r.Up, r.BaseMTU, r.LinkLocal)
	for _, n := range r.Networks {
		if n.Lease != nil {
			fmt.Fprintf(&b, ", %v %x %s", n.Router, n.RouterLink, wholeLease(n.Lease))
		}
	}
	return b.String()
}

func wholeLease(l *dhcp4.Lease) string {
	if l == nil {
		return "no lease"
	}
	return fmt.Sprintf("%v of %v since %v, %v %v %v %v, routers %v", l.Address, l.Server, l.Start, l.T1, l.T2, l.Duration, l.Infinite, l.Routers)
}
