package driver

import (
	"context"
	"net"
	"net/netip"
	"time"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/internal/event"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"github.com/lessee/lessee/reason"
)

// remember counts an event and enters it into the adapter's journal. It belongs
// to the driver's goroutine.
func (d *Driver) remember(a *adapter, n v4.Note) {
	a.events.Count(n.Kind)
	e := event.Entry{
		Kind: n.Kind, State: n.State, Message: n.Message, Why: n.Why, Server: n.Server,
		Address: n.Address, Link: n.Link, XID: n.XID, Detail: n.Text,
	}
	if n.Cause.Reason != reason.None {
		e.Detail = n.Cause.Pack()
	}
	if n.Lease != nil {
		switch n.Kind.Row().Subject {
		case event.OfNothing:
		case event.OfLease:
			if !e.Server.IsValid() {
				e.Server = n.Lease.Server
			}
			fallthrough
		case event.OfAddress:
			if !e.Address.IsValid() {
				e.Address = n.Lease.Address.Addr()
			}
		}
	}
	if e.Address.IsUnspecified() {
		e.Address = netip.Addr{}
	}
	a.journal.Add(d.cfg.Clock.Now(), e)
}

// Why explains the state of an adapter; see control.Engine.
func (d *Driver) Why(_ context.Context, name string) (lessee.Story, error) {
	var (
		p    event.Present
		j    event.Journal
		link netconf.Link
	)
	if !d.do(func() {
		p.Now = d.cfg.Clock.Now()
		for _, l := range d.links {
			if named(*l, name) && !l.Loopback {
				link, p.Exists = *l, true
			}
		}
		p.Up, p.Carrier = link.Up, link.Carrier
		a := d.find(name)
		if a == nil && p.Exists {
			a = d.absent(link)
		}
		if a == nil {
			a = d.adapters[name]
		}
		if a == nil {
			return
		}
		p.Expected = true
		j = a.journal.Clone()
		if a.refused != nil {
			hindrance := causeOf(a.refused)
			p.Hindrance = hindrance.Pack()
		}
		if a.tenancy == nil {
			return
		}
		s := a.tenancy.Status()
		p.Managed, p.State, p.Lease, p.LinkLocal, p.Problem = true, s.State, s.Lease, s.LinkLocal.Addr(), s.Problem.Pack()
		p.TakenAway = s.TakenAway
		if s.Next != nil {
			p.Next = &event.Next{At: s.Next.At, Timer: s.Next.Timer}
		}
	}) {
		return lessee.Story{}, stopped("why", name)
	}
	s := lessee.Story{Adapter: name, Index: link.Index, Manager: "none", State: "disabled"}
	if p.Exists {
		s.Adapter = link.Name
	}
	switch {
	case p.Managed:
		s.Manager, s.State = "lessee", p.State.String()
		if p.LinkLocal.IsValid() && p.Lease == nil {
			s.State = "link-local"
		}
	case p.Exists:
		if who, how, yes := d.cfg.Others.ManagerNow(link); yes {
			p.Manager, p.How, s.Manager = who, how, who
		}
	}
	d.tellStory(&s, event.Tell(&j, p), p.Now)
	return s, nil
}

// tellStory puts a story into the form of the API.
func (d *Driver) tellStory(s *lessee.Story, t event.Story, now boottime.Instant) {
	wall := d.cfg.Wall().UTC()
	s.Time = wall.Truncate(time.Millisecond)
	fact := func(f event.Fact) lessee.Fact {
		out := lessee.Fact{Code: string(f.Code), Server: f.Server, Address: f.Address, Detail: f.Detail}
		if f.When != nil {
			out.Time = wall.Add(f.When.Last.Sub(now)).Truncate(time.Millisecond)
		}
		if f.Count > 1 {
			out.Count = uint64(f.Count)
			if f.When != nil {
				out.Since = wall.Add(f.When.First.Sub(now)).Truncate(time.Millisecond)
			}
		}
		if f.Message != 0 {
			out.Message = f.Message.String()
		}
		if f.XID != 0 {
			out.XID = hexID(f.XID)
		}
		if len(f.Link) > 0 {
			out.MAC = net.HardwareAddr(f.Link).String()
		}
		if c := f.Code; c == event.Problem.Row().Fact || c == event.VerdictHindered || c == event.VerdictTakenAway || c == event.AdviceProblem {
			cause := reason.Unpack(f.Detail)
			out.Cause = &cause
			out.Detail, _ = lessee.English(cause, s.Adapter)
		}
		if f.Why != 0 {
			out.Reason = f.Why.Name()
			if out.Detail == "" {
				out.Detail = f.Why.String()
			}
		}
		return out
	}
	facts := func(list []event.Fact) []lessee.Fact {
		var out []lessee.Fact
		for _, f := range list {
			out = append(out, fact(f))
		}
		return out
	}
	s.Verdict = fact(t.Verdict)
	s.Facts, s.Next, s.Advice = facts(t.Facts), facts(t.Next), facts(t.Advice)
}

// hexID writes a transaction as packet analyzers do.
func hexID(xid uint32) string {
	const digits = "0123456789abcdef"
	b := [8]byte{}
	for i := range b {
		b[i] = digits[xid>>(28-4*i)&15]
	}
	return string(b[:])
}
