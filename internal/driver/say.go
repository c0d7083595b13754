package driver

import (
	"context"
	"log/slog"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/internal/event"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"github.com/lessee/lessee/reason"
)

// say reports what a tenancy notes to subscribers and to the log.
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
		e.Cause = &n.Cause
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
			e.Expires = d.wall(end)
		}
	}
	d.hub.publish(e)
	d.log(row, e)
}

// announce reports to journal, subscribers and log what happened to a managed
// adapter itself. Of the arguments, detail is for subscribers and attrs for the
// log. It belongs to the driver's goroutine.
func (d *Driver) announce(a *adapter, k event.Kind, link netconf.Link, detail string, attrs ...slog.Attr) {
	d.remember(a, v4.Note{Kind: k})
	row := k.Row()
	e := lessee.Event{Time: d.cfg.Wall(), Kind: lessee.EventKind(row.Stream), Index: link.Index, Adapter: link.Name, Detail: detail}
	d.hub.publish(e)
	e.Detail = ""
	d.log(row, e, attrs...)
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
