package core

import (
	"cmp"
	"slices"
)

// A roster is the adapters. Each is either where its link is, or waits under a name.
type roster struct {
	last  Number
	order []*adapter // in which they came: by number
	at    map[ID]*adapter
	waits map[place]*adapter
	// records has whose record was read or saved under a name last.
	records map[place]Number
}

func newRoster() roster {
	return roster{at: make(map[ID]*adapter), waits: make(map[place]*adapter), records: make(map[place]Number)}
}

// add begins with an adapter, which is nowhere yet.
func (r *roster) add(ns NS, name string) *adapter {
	r.last++
	a := &adapter{number: r.last, id: ID{NS: ns}, name: name}
	r.order = append(r.order, a)
	return a
}

// numbered returns the adapter of a number, nil if there is none any more.
func (r *roster) numbered(n Number) *adapter {
	if i, there := r.search(n); there {
		return r.order[i]
	}
	return nil
}

func (r *roster) search(n Number) (int, bool) {
	return slices.BinarySearchFunc(r.order, n, func(a *adapter, n Number) int { return cmp.Compare(a.number, n) })
}

// put says that an adapter is where a link is.
func (r *roster) put(a *adapter, id ID) {
	r.lift(a)
	a.id = id
	r.at[id] = a
}

// wait has an adapter wait for a link of its name. It returns the one that did so
// before, which then waits no more.
func (r *roster) wait(a *adapter) (before *adapter) {
	r.lift(a)
	at := place{a.id.NS, a.name}
	before = r.waits[at]
	r.waits[at] = a
	return before
}

// lift takes an adapter from where it is.
func (r *roster) lift(a *adapter) {
	if at := (place{a.id.NS, a.name}); r.waits[at] == a {
		delete(r.waits, at)
	}
	if r.at[a.id] == a {
		delete(r.at, a.id)
	}
	a.id.Index = 0
}

// remove ends with an adapter.
func (r *roster) remove(a *adapter) {
	r.lift(a)
	if i, there := r.search(a.number); there {
		r.order = slices.Delete(r.order, i, i+1)
	}
	for _, name := range append(a.former, a.name) {
		if at := (place{a.id.NS, name}); r.records[at] == a.number {
			delete(r.records, at)
		}
	}
}

// inOrder returns all adapters in the order in which they came. They may change while
// one looks at them.
func (r *roster) inOrder() []*adapter { return slices.Clone(r.order) }
