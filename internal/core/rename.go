package core

import (
	"slices"

	"github.com/lessee/lessee/internal/event"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/internal/tenancy/v4"
)

// renamed follows an adapter to its new name, with its record.
func (c *Core) renamed(a *adapter, link netconf.Link) {
	from := a.name
	if from == link.Name {
		return
	}
	if p, is := a.phase.(*preparing); is {
		// Its record is read under the name that it had.
		a.name = link.Name
		c.prepare(a, a.id, p.how, p.fails, p.waits...)
		return
	}
	if p := c.reads(a.id.NS, link.Name); p != nil {
		if again := (rename{a.id}); !slices.Contains(p.waits, Input(again)) {
			p.waits = append(p.waits, again)
		}
		return
	}
	a.name = link.Name
	c.say(a, Said{Note: v4.Note{Kind: event.Renamed}, From: from})
	c.moveRecord(a, from)
}

// A rename has an adapter follow its link to the name that it has by then.
type rename struct{ id ID }

func (rename) input() {}

func (c *Core) rename(in rename) {
	if a := c.adapters.at[in.id]; a != nil {
		c.renamed(a, c.links.at(in.id))
	}
}

// reads returns the adapter that has yet to read its record under a name, nil if there
// is none: until then nobody else's may be put there.
func (c *Core) reads(ns NS, name string) *preparing {
	a := c.adapters.numbered(c.adapters.records[place{ns, name}])
	if a == nil {
		return nil
	}
	if p, is := a.phase.(*preparing); is && p.how.Record == name {
		return p
	}
	return nil
}

// moveRecord puts what an adapter knows on record under its name. What it had on record
// under the one before is removed when that is done.
func (c *Core) moveRecord(a *adapter, from string) {
	a.former = append(a.former, from)
	if l := a.living(); l != nil {
		l.tenancy.Save()
		c.tell(a, tenancy.PersistFailed{}) // nothing is known of the new one yet
	}
}

// forgetFormer removes what an adapter has on record under names that it had, unless
// that is another adapter's by now.
func (c *Core) forgetFormer(a *adapter) {
	former := a.former
	a.former = nil
	for _, name := range former {
		at := place{a.id.NS, name}
		if name == a.name || c.adapters.records[at] != a.number {
			continue // it is in use
		}
		delete(c.adapters.records, at)
		id, _, there := c.links.find(a.id.NS, name)
		if owner := c.adapters.at[id]; !there || owner == nil || owner == a {
			c.cfg.Store.Forget(c.about(a), name)
		}
	}
}
