//go:build linux

package cli

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/lessee/lessee"
)

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

// human writes a time span with its two largest units, as "1m58s" or "6d23h".
func human(d time.Duration) string {
	if d < 0 {
		return "0s"
	}
	if d < time.Second && d > 0 {
		return strconv.FormatInt(max(1, d.Milliseconds()), 10) + "ms"
	}
	d = d.Round(time.Second)
	s := int64(d / time.Second)
	parts := []struct {
		unit string
		n    int64
	}{{"d", s / 86400}, {"h", s / 3600 % 24}, {"m", s / 60 % 60}, {"s", s % 60}}
	for i, p := range parts {
		if p.n == 0 {
			continue
		}
		text := strconv.FormatInt(p.n, 10) + p.unit
		if i+1 < len(parts) && parts[i+1].n > 0 {
			text += strconv.FormatInt(parts[i+1].n, 10) + parts[i+1].unit
		}
		return text
	}
	return "0s"
}

// remaining writes a time to go. A started second counts: the daemon tells
// times in whole ones.
func remaining(d time.Duration) string { return human((d + time.Second - 1).Truncate(time.Second)) }

// took writes how long something took, as "0.4 ms" or "12 ms" or "1.2 s".
func took(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	switch {
	case d < 0:
		return "0 ms"
	case ms < 9.95:
		return strconv.FormatFloat(ms, 'f', 1, 64) + " ms"
	case ms < 999.5:
		return strconv.FormatFloat(ms, 'f', 0, 64) + " ms"
	default:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	}
}

// left writes how long a lease has to go: "forever", "1m58s", or "-" for none.
func left(v *lessee.IPv4, now time.Time) string {
	switch {
	case v == nil || !v.Address.IsValid():
		return "-"
	case v.Infinite:
		return "forever"
	case v.Expires.IsZero():
		return "-"
	default:
		return remaining(v.Expires.Sub(now))
	}
}

// lasts says how long a lease lasts, for the end of a sentence.
func lasts(infinite bool, expires, now time.Time) string {
	switch {
	case infinite:
		return ", never expires"
	case expires.IsZero():
		return ""
	default:
		return ", expires in " + remaining(expires.Sub(now))
	}
}

// leaseText describes an address and where it came from.
func leaseText(address netip.Prefix, server netip.Addr, infinite bool, expires, now time.Time) string {
	if !address.IsValid() {
		return "no address"
	}
	text := address.String()
	if server.IsValid() {
		text += " from " + server.String()
	}
	return text + lasts(infinite, expires, now)
}

// summary describes an adapter in a few words, for shell completion.
func summary(a lessee.Adapter) string {
	if a.IPv4 == nil {
		return a.Manager
	}
	text := a.IPv4.State
	if a.IPv4.Address.IsValid() {
		text += " " + a.IPv4.Address.String()
	}
	return text
}

// moment writes a time with its distance from now.
func moment(t, now time.Time) string {
	text := t.In(now.Location()).Format("2006-01-02 15:04:05")
	if d := t.Sub(now); d >= 0 {
		return text + " (in " + remaining(d) + ")"
	}
	return text + " (" + human(now.Sub(t)) + " ago)"
}

// clock writes the hour of a time, with the date where that is another day's.
func clock(t, now time.Time) string {
	t = t.In(now.Location())
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format("15:04:05")
	}
	return t.Format("2006-01-02 15:04:05")
}

// eventText describes what happened, without time, adapter and kind.
func eventText(e lessee.Event) string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	switch e.Kind {
	case lessee.EventBound, lessee.EventRenewed:
		parts = append(parts, leaseText(e.Address, e.Server, e.Expires.IsZero(), e.Expires, e.Time))
	case lessee.EventReleased:
		if e.Address.IsValid() {
			add("%s", e.Address)
		}
		if e.Server.IsValid() {
			add("to %s", e.Server)
		}
	case lessee.EventExpired, lessee.EventConflict:
		if e.Address.IsValid() {
			add("%s", e.Address)
		}
	case lessee.EventNAK:
		if e.Server.IsValid() {
			add("from %s", e.Server)
		}
	case lessee.EventReceived:
		add("%s", e.Message)
		if e.Server.IsValid() {
			add("from %s", e.Server)
		}
	case lessee.EventSent:
		add("%s", e.Message)
		if e.Server.IsValid() {
			add("to %s", e.Server)
		}
	case lessee.EventRejected:
		if e.Message != "" {
			add("%s", e.Message)
		}
	case lessee.EventState:
		add("%s", e.State)
	case lessee.EventRenamed:
		return clean("was " + e.Detail)
	case lessee.EventLost:
		return fmt.Sprintf("%d events are missing: read faster", e.Count)
	case lessee.EventManaged, lessee.EventUnmanaged, lessee.EventCarrier, lessee.EventNoCarrier,
		lessee.EventRemoved, lessee.EventProblem:
	}
	text := strings.Join(parts, " ")
	if e.Detail != "" {
		if text != "" {
			text += ": "
		}
		text += e.Detail
	}
	return clean(text)
}

// progressText says what an event means for somebody who waits; "" for nothing.
func progressText(e lessee.Event) string {
	switch e.Kind {
	case lessee.EventSent:
		return e.Message + " sent"
	case lessee.EventReceived, lessee.EventNAK, lessee.EventConflict, lessee.EventProblem, lessee.EventNoCarrier:
		if e.Kind == lessee.EventReceived {
			return eventText(e)
		}
		return strings.TrimSpace(string(e.Kind) + " " + eventText(e))
	case lessee.EventManaged, lessee.EventUnmanaged, lessee.EventCarrier, lessee.EventState, lessee.EventBound,
		lessee.EventRenewed, lessee.EventReleased, lessee.EventExpired, lessee.EventRenamed, lessee.EventRemoved,
		lessee.EventRejected, lessee.EventLost:
	}
	return ""
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
