package core

import (
	"bytes"
	"iter"
	"slices"

	"github.com/lessee/lessee/internal/netconf"
)

// A place is a name within a namespace.
type place struct {
	ns   NS
	name string
}

// links are all links that exist.
type links struct {
	all map[ID]*netconf.Link
	// named has who has a name or alternative name. While names are swapped two
	// may have the same for a moment: the last one counts.
	named map[place]ID
	// of has the indexes of each namespace's.
	of map[NS]map[int]struct{}
	// macs counts the links of each hardware address.
	macs map[netMAC]int
}

func newLinks() links {
	return links{all: make(map[ID]*netconf.Link), named: make(map[place]ID), of: make(map[NS]map[int]struct{}), macs: make(map[netMAC]int)}
}

// at returns a link, the zero Link if there is none.
func (l *links) at(id ID) netconf.Link {
	if link := l.all[id]; link != nil {
		return *link
	}
	return netconf.Link{}
}

// set takes what a link is now, and returns what it was.
func (l *links) set(id ID, link netconf.Link) (was netconf.Link, known bool) {
	old := l.all[id]
	if known = old != nil; known {
		was = *old
	}
	if known && (was.Name != link.Name || !slices.Equal(was.AltNames, link.AltNames)) {
		l.unname(id, was)
	}
	if !known || !bytes.Equal(was.HardwareAddr, link.HardwareAddr) {
		l.unaddress(was)
		if m, ok := macOf(link); ok {
			l.macs[m]++
		}
	}
	if known {
		*old = link
	} else {
		l.all[id] = &link
	}
	if l.of[id.NS] == nil {
		l.of[id.NS] = make(map[int]struct{})
	}
	l.of[id.NS][id.Index] = struct{}{}
	for name := range namesOf(link) {
		l.named[place{id.NS, name}] = id
	}
	return was, known
}

// remove forgets a link.
func (l *links) remove(id ID) {
	if was := l.all[id]; was != nil {
		l.unname(id, *was)
		l.unaddress(*was)
		delete(l.all, id)
		if delete(l.of[id.NS], id.Index); len(l.of[id.NS]) == 0 {
			delete(l.of, id.NS)
		}
	}
}

func (l *links) unaddress(was netconf.Link) {
	m, ok := macOf(was)
	if !ok {
		return
	}
	if l.macs[m]--; l.macs[m] == 0 {
		delete(l.macs, m)
	}
}

func (l *links) unname(id ID, was netconf.Link) {
	for name := range namesOf(was) {
		if at := (place{id.NS, name}); l.named[at] == id {
			delete(l.named, at)
		}
	}
}

// find returns the link of a name or alternative name.
func (l *links) find(ns NS, name string) (ID, netconf.Link, bool) {
	id, ok := l.named[place{ns, name}]
	return id, l.at(id), ok
}

// namesOf yields a link's name and its alternative names.
func namesOf(l netconf.Link) iter.Seq[string] {
	return func(yield func(string) bool) {
		if !yield(l.Name) {
			return
		}
		for _, name := range l.AltNames {
			if !yield(name) {
				return
			}
		}
	}
}
