package driver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/internal/hostile"
)

// TestHostileStrings: what a server says reaches neither interface nor resolver
// nor log but as what it claims to be, or in hexadecimal.
func TestHostileStrings(t *testing.T) {
	t.Parallel()
	for name, text := range hostile.Texts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { hear(t, text) })
		})
	}
}

func hear(t *testing.T, text string) {
	var log bytes.Buffer
	w := newWorld()
	w.addLink(2, "c0")
	w.says = hostile.Say(text)
	w.logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	d := w.run(t)
	events, stop := d.Subscribe()
	defer stop()
	mustUp(t, d, "c0")
	synctest.Wait()

	a, err := d.Adapter(t.Context(), "c0")
	if err != nil || a.IPv4.State != "bound" {
		t.Fatalf("%+v, %v", a.IPv4, err)
	}
	// It did arrive: the bytes are there, as bytes.
	if len(text) < 256 && len(a.IPv4.Options) < 8 || len(a.IPv4.Vendor) != 1 {
		t.Errorf("options %v, vendor %v", a.IPv4.Options, a.IPv4.Vendor)
	}
	for where, v := range map[string]any{"interface": a, "resolver": fmt.Sprint(w.dns["c0"])} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if err := hostile.Unread(b); err != nil {
			t.Errorf("%s: %v", where, err)
		}
	}

	// The message to people is shown, with what could do harm replaced.
	heard := 0
	for more := true; more; {
		var e lessee.Event
		select {
		case e = <-events:
			synctest.Wait()
		default:
			more = false
		}
		if err := hostile.Clean([]byte(e.Detail)); err != nil || strings.ContainsAny(e.Detail, "\n`$\\\"{}|<>&") {
			t.Errorf("event %q: %v", e.Detail, err)
		}
		if e.Kind == lessee.EventReceived && e.Detail != "" {
			heard++
		}
	}
	if heard != 2 {
		t.Errorf("%d messages with a text, want 2", heard)
	}
	if err := hostile.Clean(log.Bytes()); err != nil || log.Len() == 0 {
		t.Errorf("log of %d bytes: %v", log.Len(), err)
	}
	for line := range strings.Lines(log.String()) {
		if !strings.HasPrefix(line, "time=2000-") {
			t.Errorf("the log has a line of the server's: %q", line)
		}
	}
}
