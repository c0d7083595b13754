package cli

import (
	"net/netip"
	"strings"
	"time"
	"unicode"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/internal/text"
)

// A speaker words what a person reads, in the person's language.
type speaker struct {
	*text.Printer
	// now is the present time, in the zone that times are shown in.
	now func() time.Time
}

// clean makes text safe for a terminal: a name, a domain or a server's message
// may hold control characters.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

// remaining writes a time to go. A started second counts: the daemon tells
// times in whole ones.
func (s speaker) remaining(d time.Duration) string {
	return s.Span((d + time.Second - 1).Truncate(time.Second))
}

// took writes how long something took, as "0.4 ms" or "12 ms" or "1.2 s".
func (s speaker) took(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	switch {
	case d < 0:
		return "0 ms"
	case ms < 9.95:
		return s.Decimal(ms, 1) + " ms"
	case ms < 999.5:
		return s.Decimal(ms, 0) + " ms"
	default:
		return s.Decimal(d.Seconds(), 1) + " s"
	}
}

// left writes how long a lease has to go: "forever", "1m58s", or "-" for none.
func (s speaker) left(v *lessee.IPv4, now time.Time) string {
	switch {
	case v == nil || !v.Address.IsValid():
		return "-"
	case v.Infinite:
		return s.Text("forever")
	case v.Expires.IsZero():
		return "-"
	default:
		return s.remaining(v.Expires.Sub(now))
	}
}

// leaseText describes an address, where it came from, and how long it lasts.
func (s speaker) leaseText(address netip.Prefix, server netip.Addr, infinite bool, expires, now time.Time) string {
	if !address.IsValid() {
		return s.Text("no address")
	}
	text := address.String()
	if server.IsValid() {
		text += " " + s.Sprintf("from %s", server)
	}
	switch {
	case infinite:
		text += ", " + s.Text("never expires")
	case !expires.IsZero():
		text += ", " + s.Sprintf("expires in %s", s.remaining(expires.Sub(now)))
	}
	return text
}

// state names a state of the DHCP client.
func (s speaker) state(state string) string {
	switch state {
	case "init":
		return s.Text("state|init")
	case "selecting":
		return s.Text("state|selecting")
	case "requesting":
		return s.Text("state|requesting")
	case "bound":
		return s.Text("state|bound")
	case "renewing":
		return s.Text("state|renewing")
	case "rebinding":
		return s.Text("state|rebinding")
	case "init-reboot":
		return s.Text("state|init-reboot")
	case "rebooting":
		return s.Text("state|rebooting")
	case "released":
		return s.Text("state|released")
	case "informing":
		return s.Text("state|informing")
	case "informed":
		return s.Text("state|informed")
	case "ipv6-only":
		return s.Text("state|ipv6-only")
	case "link-local":
		return s.Text("state|link-local")
	case "disabled":
		return s.Text("state|disabled")
	}
	return state // a newer daemon's
}

// manager names who manages an adapter: a program, or nobody.
func (s speaker) manager(name string) string {
	switch name {
	case "none":
		return s.Text("manager|none")
	case "unknown":
		return s.Text("manager|unknown")
	}
	return name
}

// kind names a kind of event; a newer daemon's has its own name.
func (s speaker) kind(k lessee.EventKind) string { return s.Text("event|" + string(k)) }

// summary describes an adapter in a few words, for shell completion.
func (s speaker) summary(a lessee.Adapter) string {
	if a.IPv4 == nil {
		return s.manager(a.Manager)
	}
	text := s.state(a.IPv4.State)
	if a.IPv4.Address.IsValid() {
		text += " " + a.IPv4.Address.String()
	}
	return text
}

// moment writes a time with its distance from now.
func (s speaker) moment(t, now time.Time) string {
	text := s.Moment(t.In(now.Location()))
	if d := t.Sub(now); d >= 0 {
		return s.Sprintf("%s (in %s)", text, s.remaining(d))
	}
	return s.Sprintf("%s (%s ago)", text, now.Sub(t))
}

// eventText describes what happened, without time, adapter and kind.
func (s speaker) eventText(e lessee.Event) string {
	var parts []string
	add := func(text string) { parts = append(parts, text) }
	switch e.Kind {
	case lessee.EventBound, lessee.EventRenewed:
		add(s.leaseText(e.Address, e.Server, e.Expires.IsZero(), e.Expires, e.Time))
	case lessee.EventReleased:
		if e.Address.IsValid() {
			add(e.Address.String())
		}
		if e.Server.IsValid() {
			add(s.Sprintf("to %s", e.Server))
		}
	case lessee.EventNAK, lessee.EventInformed:
		if e.Server.IsValid() {
			add(s.Sprintf("from %s", e.Server))
		}
	case lessee.EventReceived:
		add(e.Message)
		if e.Server.IsValid() {
			add(s.Sprintf("from %s", e.Server))
		}
	case lessee.EventSent:
		add(e.Message)
		if e.Server.IsValid() {
			add(s.Sprintf("to %s", e.Server))
		}
	case lessee.EventRejected:
		if e.Message != "" {
			add(e.Message)
		}
	case lessee.EventState:
		add(s.state(e.State))
	case lessee.EventRenamed:
		return clean(s.Sprintf("was %s", e.Detail))
	case lessee.EventLost:
		return s.Sprintf("%d events are missing: read faster", e.Count)
	case lessee.EventManaged, lessee.EventUnmanaged, lessee.EventCarrier, lessee.EventNoCarrier,
		lessee.EventRemoved, lessee.EventProblem:
	default:
		if e.Address.IsValid() {
			add(e.Address.String())
		}
	}
	text := strings.Join(parts, " ")
	if e.Detail != "" {
		if text != "" {
			text += ": "
		}
		text += s.detail(e)
	}
	return clean(text)
}

// detail words the detail of an event.
func (s speaker) detail(e lessee.Event) string {
	if e.Kind == lessee.EventRejected {
		return s.Rejection(e.Reason, e.Detail)
	}
	return s.hindrance(e.Cause, e.Adapter, e.Detail)
}

// progressText says what an event means for somebody who waits; "" for nothing.
func (s speaker) progressText(e lessee.Event) string {
	switch e.Kind {
	case lessee.EventSent:
		return s.Sprintf("%s sent", e.Message)
	case lessee.EventReceived:
		return s.eventText(e)
	case lessee.EventNAK, lessee.EventConflict, lessee.EventProblem, lessee.EventNoCarrier:
		return strings.TrimSpace(s.kind(e.Kind) + " " + s.eventText(e))
	default:
		return ""
	}
}

// version describes a build in one line.
func version(v lessee.VersionInfo) string {
	text := "lessee " + v.Version
	if v.Commit != "" {
		text += " (" + v.Commit[:min(12, len(v.Commit))]
		if strings.HasSuffix(v.Commit, "+") && len(v.Commit) > 12 {
			text += "+"
		}
		text += ")"
	}
	if v.Go != "" {
		text += ", " + v.Go
	}
	if v.OS != "" && v.Arch != "" {
		text += " " + v.OS + "/" + v.Arch
	}
	return text
}
