package driver

import (
	"context"
	"net"
	"time"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/event"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/reason"
)

// Why explains the state of an adapter; see control.Engine.
func (d *Driver) Why(_ context.Context, name string) (lessee.Story, error) {
	var (
		p    event.Present
		j    event.Journal
		link netconf.Link
	)
	if !d.do(func() {
		p, j, link = d.loop.Core().Present(d.loop.Now(), core.Home, name)
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
