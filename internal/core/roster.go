package core

import (
	"cmp"
	"maps"
	"slices"
)

// A roster is the adapters, by number, by name, and where their link is.
type roster struct {
	last     Number
	byNumber map[Number]*adapter
	named    map[place]*adapter
	at       map[ID]*adapter
}

func newRoster() roster {
	return roster{byNumber: make(map[Number]*adapter), named: make(map[place]*adapter), at: make(map[ID]*adapter)}
}

func (r *roster) add(a *adapter) {
	r.last++
	a.number = r.last
	r.byNumber[a.number] = a
	r.named[place{a.ns, a.name}] = a
}

func (r *roster) remove(a *adapter) {
	delete(r.byNumber, a.number)
	if at := (place{a.ns, a.name}); r.named[at] == a {
		delete(r.named, at)
	}
	if at := (ID{a.ns, a.index()}); r.at[at] == a {
		delete(r.at, at)
	}
}

func (r *roster) numbered(n Number) *adapter { return r.byNumber[n] }

// rename gives an adapter another name. While names are swapped two have the same
// for a moment: who got it last is found by it.
func (r *roster) rename(a *adapter, name string) {
	if at := (place{a.ns, a.name}); r.named[at] == a {
		delete(r.named, at)
	}
	a.name = name
	r.named[place{a.ns, name}] = a
}

// inOrder returns all adapters in the order in which they came.
func (r *roster) inOrder() []*adapter {
	return slices.SortedFunc(maps.Values(r.byNumber), func(a, b *adapter) int { return cmp.Compare(a.number, b.number) })
}
