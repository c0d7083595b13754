//go:build linux

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/internal/golden"
	"github.com/lessee/lessee/reason"
)

func happenings() []lessee.Event {
	at := func(ms int) time.Time { return now.Add(time.Duration(ms) * time.Millisecond) }
	address, server := prefix("10.77.0.105/24"), addr4("10.77.0.1")
	return []lessee.Event{
		{Time: at(0), Kind: lessee.EventManaged, Adapter: "eth0", Index: 2},
		{Time: at(1), Kind: lessee.EventState, Adapter: "eth0", State: "selecting"},
		{Time: at(2), Kind: lessee.EventSent, Adapter: "eth0", Message: "DISCOVER", Server: addr4("255.255.255.255")},
		{Time: at(5), Kind: lessee.EventReceived, Adapter: "eth0", Message: "OFFER", Server: server},
		{Time: at(6), Kind: lessee.EventRejected, Adapter: "eth0", Reason: "foreign-xid", Detail: "foreign transaction"},
		{Time: at(9), Kind: lessee.EventBound, Adapter: "eth0", Address: address, Server: server, Expires: at(120009)},
		{Time: at(60000), Kind: lessee.EventRenewed, Adapter: "eth0", Address: address, Server: server, Expires: at(180000)},
		{Time: at(61000), Kind: lessee.EventNAK, Adapter: "eth0", Server: server, Detail: "not\x1byours"},
		{Time: at(62000), Kind: lessee.EventConflict, Adapter: "eth0", Address: address, Detail: "02:00:00:00:00:09 uses it"},
		{Time: at(63000), Kind: lessee.EventExpired, Adapter: "eth0", Address: address},
		{Time: at(64000), Kind: lessee.EventReleased, Adapter: "enx020000000002", Address: address, Server: server},
		{Time: at(65000), Kind: lessee.EventNoCarrier, Adapter: "eth0"},
		{Time: at(66000), Kind: lessee.EventCarrier, Adapter: "eth0"},
		{Time: at(67000), Kind: lessee.EventRenamed, Adapter: "lan0", Detail: "eth0"},
		{Time: at(68000), Kind: lessee.EventProblem, Adapter: "lan0", Detail: "a server forbids link-local addresses", Cause: &reason.Cause{Reason: reason.LinkLocalForbidden}},
		{Time: at(69000), Kind: "novel", Adapter: "lan0", Detail: "of a newer daemon"},
		{Time: at(70000), Kind: lessee.EventRemoved, Adapter: "lan0"},
		{Time: at(71000), Kind: lessee.EventUnmanaged, Adapter: "lan0"},
		{Time: at(72000), Kind: lessee.EventLost, Count: 17},
	}
}

// until runs a watch and interrupts it when its output has the last line.
func until(t *testing.T, last string, edit func(*Env), args ...string) (status int, out string) {
	t.Helper()
	socket := serve(t, &engine{events: happenings()})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	s := &screen{seen: func(text string) {
		if strings.Contains(text, last) {
			cancel()
		}
	}}
	r := run(ctx, func(e *Env) { e.Stdout = s; edit(e) }, append([]string{"--socket", socket, "watch"}, args...)...)
	if r.err != "" {
		t.Errorf("stderr %q", r.err)
	}
	return r.status, s.text.String()
}

func TestWatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file string
		args []string
	}{{"watch.txt", nil}, {"watch-verbose.txt", []string{"-v"}}} {
		status, out := until(t, "17 events", func(*Env) {}, c.args...)
		if status != 0 {
			t.Errorf("%s: status %d; an interrupted watch is no failure", c.file, status)
		}
		golden.Check(t, c.file, out)
		for line := range strings.Lines(out) {
			if n := utf8.RuneCountInString(line); n > 81 {
				t.Errorf("%d columns: %q", n-1, line)
			}
		}
	}
}

func TestWatchJSON(t *testing.T) {
	t.Parallel()
	_, out := until(t, `"count":17`, func(*Env) {}, "-o", "json")
	d := json.NewDecoder(bytes.NewBufferString(out))
	var got []lessee.Event
	for d.More() {
		var e lessee.Event
		if err := d.Decode(&e); err != nil {
			t.Fatal(err)
		}
		got = append(got, e)
	}
	if want := happenings(); len(got) != len(want) || strings.Count(out, "\n") != len(want) {
		t.Errorf("got %d events on %d lines, want %d", len(got), strings.Count(out, "\n"), len(want))
	}
}
