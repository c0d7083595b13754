package simulation

import (
	"maps"
	"slices"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcptest"
	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/netconf"
)

// away is the namespace that is not the program's own.
const away core.NS = 1

// A socket brings what happens to the links of a namespace to the program: in order,
// late by chance, and where it was lost all links anew. It is what linux/netlink does.
type socket struct {
	m       *machine
	ns      core.NS
	reports reporting
	told    map[int]news // what the program knows, by index
	queue   []news       // what it has not been told yet
	last    boottime.Instant
	lost    bool // something was, and the program has not been told yet
	serial  int
}

// news is what became of a link.
type news struct {
	link   netconf.Link
	gone   bool
	losses uint64 // of the carrier so far
	serial int    // when it was told
}

func (m *machine) socket(ns core.NS) *socket {
	k := m.sockets[ns]
	if k == nil {
		k = &socket{m: m, ns: ns, told: map[int]news{}}
		m.sockets[ns] = k
	}
	return k
}

// behind reports whether there is something that the program has not been told yet.
func (k *socket) behind() bool { return len(k.queue) > 0 || k.lost }

// here yields the adapters of the namespace that there are, by index.
func (k *socket) here() (list []*nic) {
	for x := range k.m.sides() {
		if n := x.card(); n.ns == k.ns && n.present {
			list = append(list, n)
		}
	}
	slices.SortFunc(list, func(a, b *nic) int { return a.kernel.Link.Index - b.kernel.Link.Index })
	return list
}

// list tells a program that has just started which links there are.
func (k *socket) list() {
	clear(k.told)
	k.queue, k.lost, k.last = nil, false, 0
	for _, n := range k.here() {
		k.tell(newsOf(n))
	}
}

func newsOf(n *nic) news { return news{link: n.kernel.Link, losses: n.losses} }

// changed reports how an adapter's link is now.
func (k *socket) changed(n *nic) {
	if n.present {
		k.push(newsOf(n))
	}
}

// gone reports that a link went.
func (k *socket) gone(l netconf.Link) { k.push(news{link: l, gone: true}) }

func (k *socket) push(n news) {
	if k.m.core == nil || k.lost {
		return
	}
	now := k.m.s.now()
	at := now
	switch k.reports {
	case promptly, reporters:
	case delayed:
		at = now.Add(dhcptest.Between(k.m.s.chance, 0, 3*time.Second))
	case lost:
		k.overrun()
		return
	}
	if at = max(at, k.last); at == now && len(k.queue) == 0 {
		k.tell(n)
		return
	}
	k.queue, k.last = append(k.queue, n), at
	k.later(at, func() {
		n := k.queue[0]
		k.queue = k.queue[1:]
		k.tell(n)
	})
}

// overrun has what comes now lost, until the program is told all links anew.
func (k *socket) overrun() {
	if k.m.core == nil || k.lost {
		return
	}
	k.lost = true
	now := k.m.s.now()
	k.later(max(k.last, now.Add(dhcptest.Between(k.m.s.chance, 0, 3*time.Second))), func() {
		k.lost = false
		k.m.s.tally["links told anew"]++
		here := k.here()
		for _, index := range slices.Sorted(maps.Keys(k.told)) {
			if !slices.ContainsFunc(here, func(n *nic) bool { return n.kernel.Link.Index == index }) {
				k.tell(news{link: k.told[index].link, gone: true})
			}
		}
		for _, n := range here {
			k.tell(newsOf(n))
		}
	})
}

// later has something done in this life of the program.
func (k *socket) later(at boottime.Instant, do func()) {
	life := k.m.life
	k.m.s.world.At(at, func() {
		if k.m.life == life {
			do()
		}
	})
}

// tell tells the program. A carrier that was lost and is back already is reported as
// lost first: the kernel counts that.
func (k *socket) tell(n news) {
	if k.m.asleep {
		k.m.awake(func() { k.tell(n) })
		return
	}
	k.m.unchecked = true
	life, index := k.m.life, n.link.Index
	was, known := k.told[index]
	if x := k.m.owners[core.ID{NS: k.ns, Index: index}]; x != nil {
		x.heardOfLink()
		if c := x.card(); !n.gone && n.link.Name != c.filed && !c.managed() && c.reads == "" {
			c.strayed = true
		}
	}
	k.serial++
	n.serial = k.serial
	if n.gone {
		if known {
			n.link = was.link
		}
		n.link.Up, n.link.Carrier = false, false
		delete(k.told, index)
		k.m.input(core.LinkChanged{NS: k.ns, Link: n.link, Gone: true})
		return
	}
	k.told[index] = n
	if known && was.losses != n.losses && was.link.Carrier && n.link.Carrier {
		down := n.link
		down.Carrier = false
		k.m.input(core.LinkChanged{NS: k.ns, Link: down})
		if k.m.life != life {
			return
		}
	}
	k.m.input(core.LinkChanged{NS: k.ns, Link: n.link})
}

// seen notes that a caller tells the program of a link, which it may not know yet.
func (k *socket) seen(n *nic) {
	if _, known := k.told[n.kernel.Link.Index]; !known {
		k.serial++
		k.told[n.kernel.Link.Index] = news{link: n.kernel.Link, losses: n.losses, serial: k.serial}
	}
}

// called returns the adapter that the program knows by a name, nil if there is none.
func (k *socket) called(name string) side {
	best := -1
	var found side
	for index, n := range k.told {
		if n.link.Name == name && n.serial > best {
			best, found = n.serial, k.m.owners[core.ID{NS: k.ns, Index: index}]
		}
	}
	return found
}
