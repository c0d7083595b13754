package driver

import (
	"context"
	"log/slog"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/event"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"github.com/lessee/lessee/reason"
)

// Say implements [core.Hooks]: it reports to subscribers and to the log.
func (d *Driver) Say(a core.Adapter, s core.Said) {
	switch s.Kind {
	case event.Managed, event.Unmanaged, event.Renamed, event.Removed:
		d.announce(a, s)
	default:
		a.Link.Name = a.Name // which it has without a link, too
		d.say(a.Link, s.Note)
	}
}

// Unmanageable implements [core.Hooks].
func (d *Driver) Unmanageable(a core.Adapter, why core.Refusal) {
	d.cfg.Log.Error("the adapter cannot be managed", "adapter", a.Name, "error", refusalError("up", a.Name, why))
}

// Dropped implements [core.Hooks].
func (d *Driver) Dropped(core.Adapter) {}

// Gone implements [core.Hooks].
func (d *Driver) Gone(id core.ID) {
	if id.NS == core.Home {
		d.traces.endAll(id.Index)
	}
}

// say reports what a tenancy notes.
func (d *Driver) say(link netconf.Link, n v4.Note) {
	row := n.Kind.Row()
	e := lessee.Event{
		Time:    d.cfg.Wall(),
		Kind:    lessee.EventKind(row.Stream),
		Index:   link.Index,
		Adapter: link.Name,
		State:   n.State.String(),
		Server:  n.Server,
		Detail:  n.Text,
	}
	if n.Why != 0 {
		e.Reason, e.Detail = n.Why.Name(), n.Why.String()
	}
	if n.Cause.Reason != reason.None {
		cause := n.Cause // the note itself stays off the heap
		e.Cause = &cause
		e.Detail, _ = lessee.English(n.Cause, link.Name)
	}
	if n.Message != 0 {
		e.Message = n.Message.String()
	}
	if n.Lease != nil {
		e.Address = n.Lease.Address
		if !e.Server.IsValid() {
			e.Server = n.Lease.Server
		}
		if end, ok := n.Lease.Expires(); ok {
			e.Expires = wallAt(e.Time, end, d.loop.Now())
		}
	}
	d.hub.publish(e)
	d.log(row, e)
}

// announce reports what happened to a managed adapter itself.
func (d *Driver) announce(a core.Adapter, s core.Said) {
	row := s.Kind.Row()
	e := lessee.Event{Time: d.cfg.Wall(), Kind: lessee.EventKind(row.Stream), Index: a.Link.Index, Adapter: a.Name, Detail: s.From}
	d.hub.publish(e)
	e.Detail = ""
	var more []slog.Attr
	if s.Kind == event.Renamed {
		more = append(more, slog.String("from", s.From))
	}
	if s.Kind == event.Unmanaged {
		more = append(more, slog.Bool("kept", s.Verb == tenancy.EndKeep))
	}
	d.log(row, e, more...)
}

// log writes the line that an event has in the log, if it has one.
func (d *Driver) log(row event.Row, e lessee.Event, more ...slog.Attr) {
	ctx, level := context.Background(), slog.Level(row.Level)
	if row.Level == event.Unlogged || !d.cfg.Log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{slog.String("adapter", e.Adapter)}
	if e.Message != "" {
		attrs = append(attrs, slog.String("message", e.Message))
	}
	if e.Kind == lessee.EventState {
		attrs = append(attrs, slog.String("state", e.State))
	}
	if e.Address.IsValid() {
		attrs = append(attrs, slog.String("address", e.Address.String()))
	}
	if e.Server.IsValid() {
		attrs = append(attrs, slog.String("server", e.Server.String()))
	}
	if !e.Expires.IsZero() {
		attrs = append(attrs, slog.Time("expires", e.Expires))
	}
	if e.Detail != "" {
		attrs = append(attrs, slog.String("detail", e.Detail))
	}
	if e.Cause != nil {
		attrs = append(attrs, slog.String("reason", e.Cause.Reason.String()))
	}
	d.cfg.Log.LogAttrs(ctx, level, row.Text, append(attrs, more...)...)
}
