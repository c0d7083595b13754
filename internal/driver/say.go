package driver

import (
	"context"
	"log/slog"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
)

// say tells subscribers and the log what happened.
func (d *Driver) say(link netconf.Link, n tenancy.Note) {
	e := lessee.Event{
		Time:    d.cfg.Wall(),
		Kind:    eventKind(n.Kind),
		Index:   link.Index,
		Adapter: link.Name,
		State:   n.State.String(),
		Server:  n.Server,
		Detail:  n.Detail,
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
	d.log(n.Kind, e)
}

func eventKind(k tenancy.NoteKind) lessee.EventKind {
	switch k {
	case tenancy.NoteState:
		return lessee.EventState
	case tenancy.NoteBound, tenancy.NoteResumed:
		return lessee.EventBound
	case tenancy.NoteRenewed:
		return lessee.EventRenewed
	case tenancy.NoteReleased:
		return lessee.EventReleased
	case tenancy.NoteExpired:
		return lessee.EventExpired
	case tenancy.NoteNAK:
		return lessee.EventNAK
	case tenancy.NoteConflict:
		return lessee.EventConflict
	case tenancy.NoteDefended:
		return lessee.EventDefended
	case tenancy.NoteRecognised:
		return lessee.EventRecognised
	case tenancy.NoteLinkLocal:
		return lessee.EventLinkLocal
	case tenancy.NoteInformed:
		return lessee.EventInformed
	case tenancy.NoteSent:
		return lessee.EventSent
	case tenancy.NoteReceived:
		return lessee.EventReceived
	case tenancy.NoteRejected:
		return lessee.EventRejected
	case tenancy.NoteProblem:
		return lessee.EventProblem
	case tenancy.NoteTaken:
		return lessee.EventProblem
	case tenancy.NotePutBack:
		return lessee.EventProblem
	case tenancy.NoteCarrier:
		return lessee.EventCarrier
	case tenancy.NoteNoCarrier:
		return lessee.EventNoCarrier
	}
	return lessee.EventProblem
}

// log writes one line per fact that an administrator wants; packets and states
// are details.
func (d *Driver) log(k tenancy.NoteKind, e lessee.Event) {
	level, text := slog.LevelInfo, ""
	switch k {
	case tenancy.NoteBound:
		text = "lease obtained"
	case tenancy.NoteResumed:
		text = "lease resumed"
	case tenancy.NoteRenewed:
		text = "lease renewed"
	case tenancy.NoteReleased:
		text = "lease released"
	case tenancy.NoteExpired:
		level, text = slog.LevelWarn, "lease expired"
	case tenancy.NoteNAK:
		level, text = slog.LevelWarn, "the server took the lease away"
	case tenancy.NoteConflict:
		level, text = slog.LevelWarn, "another host uses the address"
	case tenancy.NoteDefended:
		level, text = slog.LevelWarn, "another host claimed the address, which was defended"
	case tenancy.NoteRecognised:
		text = "the network is a known one"
	case tenancy.NoteLinkLocal:
		level, text = slog.LevelWarn, "no server answers: a link-local address is used"
	case tenancy.NoteInformed:
		text = "parameters obtained"
	case tenancy.NoteProblem:
		level, text = slog.LevelError, "problem"
	case tenancy.NoteTaken:
		level, text = slog.LevelWarn, "another program took away what is ours"
	case tenancy.NotePutBack:
		text = "what was taken away is put back"
	case tenancy.NoteCarrier:
		text = "link is up"
	case tenancy.NoteNoCarrier:
		text = "link is down"
	case tenancy.NoteState:
		level, text = slog.LevelDebug, "state"
	case tenancy.NoteSent:
		level, text = slog.LevelDebug, "sent"
	case tenancy.NoteReceived:
		level, text = slog.LevelDebug, "received"
	case tenancy.NoteRejected:
		level, text = slog.LevelDebug, "packet not used"
	}
	ctx := context.Background()
	if !d.cfg.Log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{slog.String("adapter", e.Adapter)}
	if e.Message != "" {
		attrs = append(attrs, slog.String("message", e.Message))
	}
	if k == tenancy.NoteState {
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
	d.cfg.Log.LogAttrs(ctx, level, text, attrs...)
}
