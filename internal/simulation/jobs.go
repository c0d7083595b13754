package simulation

import (
	"time"

	"github.com/lessee/lessee/dhcptest"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/netconf"
)

// What follows is what the kernel does for an adapter in its own time.

// answer has an input told later.
func (n *nic) answer(d time.Duration, in func() core.Input) {
	life := n.m.life
	n.pending++
	n.s.world.After(d, func() {
		if n.m.life == life {
			n.m.awake(func() {
				n.pending--
				n.m.input(in())
			})
		}
	})
}

// job has the kernel do something when it has done what it was told before.
func (n *nic) job(do func()) {
	n.jobs = append(n.jobs, do)
	if len(n.jobs) == 1 {
		n.work()
	}
}

// work begins with the first job.
func (n *nic) work() {
	var d time.Duration
	if n.slowly {
		d = dhcptest.Between(n.s.chance, 0, 3*time.Millisecond)
	}
	n.busy = n.s.world.After(d, func() {
		if n.m.asleep {
			n.busy = n.s.world.After(time.Second, n.work)
			return
		}
		n.jobs[0]()
		if n.jobs = n.jobs[1:]; len(n.jobs) > 0 {
			n.work()
		}
	})
}

// late is how long after the kernel did something the core is told.
func (n *nic) late() time.Duration {
	switch {
	case n.kernel.reports == delayed:
		return dhcptest.Between(n.s.chance, 0, 3*time.Second)
	case n.slowly:
		return dhcptest.Between(n.s.chance, 0, time.Millisecond)
	}
	return 0
}

// prompt: the kernel answers at once.
func (n *nic) prompt() bool {
	return !n.slowly && n.kernel.reports != delayed && len(n.jobs) == 0
}

// prepare answers [core.Kernel.Prepare]. It takes a while by chance. setUp sets the
// link up.
func (n *nic) prepare(a core.Adapter, how core.Prepare, setUp, began func()) {
	n.asked, n.reads = a, how.Record
	n.job(func() {
		in := core.Prepared{Of: a.Of, Turn: a.Turn, ID: a.ID, Link: n.kernel.Link}
		if a.ID != n.id() || !n.present {
			in.Link = netconf.Link{}
			in.Refusal.Code = errno.ERROR_GEN_FAILURE
			n.answer(0, func() core.Input {
				n.m.socket(n.ns).tell(news{link: a.Link, gone: true})
				return in
			})
			return
		}
		n.forgetUnsaved()
		n.advance()
		if how.SetUp == core.SetUpIfDown {
			setUp()
			in.Link = n.kernel.Link
		}
		d := n.late()
		if dhcptest.Chance(n.s.chance, 0.1) {
			d += dhcptest.Between(n.s.chance, 0, 3*time.Second)
		}
		n.answer(d, func() core.Input {
			current := n.asked.Of == a.Of && n.asked.Turn == a.Turn // else it begins anew
			if current {
				n.reads = ""
				n.astray(how.Record)
			}
			in.Record = n.disk.load(how.Record)
			in.Configured = n.kernel.prefixes()
			if current {
				n.last, n.saved, n.filed, n.entry = a, in.Record, how.Record, n.disk.file(how.Record).entry
				began()
			}
			return in
		})
	})
}

// astray: the record of that name is to be read. It may not be the adapter's own if that
// was renamed while nobody managed it.
func (n *nic) astray(name string) {
	if recordText(n.disk.file(name).last) == recordText(n.saved) {
		return
	}
	if !n.unsaved && !n.strayed {
		n.s.broke("record", "the record of %s is not what was saved last", name)
	}
	n.s.tally["record astray"]++
	n.unsaved = true
	n.disown()
}
