package test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee/test/lab"
)

// TestForeignRoutes prints what 100,000 routes of other programs, added and
// removed, cost a daemon that has nothing to do with them, and checks that it
// does nothing about them.
func TestForeignRoutes(t *testing.T) {
	t.Parallel()
	lab.Need(t, "ip")
	h := newHome(t, dnsmasq(), lab.Config{Router: addr("10.77.0.1")})
	h.net.Attach(h.client, "d0", "02:00:00:00:00:03")
	d, a := h.bound(t)
	routes := h.client.Routes("c0")
	packets, events, changes := h.cap.Mark(), d.Events.Mark(), h.changes.Mark()
	before := idle(t, d)

	const each = 50_000
	for _, verb := range []string{"add", "del"} {
		for i, proto := range []string{"static", "bgp"} {
			var batch strings.Builder
			for n := range each {
				fmt.Fprintf(&batch, "route %s 172.%d.%d.%d/32 dev d0 proto %s\n", verb, 16+i, n>>8, n&255, proto)
			}
			began := time.Now()
			h.client.Run(t, "ip", "-batch", h.client.Write(t, "batch", batch.String()))
			after := idle(t, d)
			t.Logf("%d routes of proto %s, %s, in %v: CPU %v, memory %+d KiB, %d wake-ups", each, proto, verb,
				time.Since(began).Round(time.Millisecond), after.cpu-before.cpu, (after.rss-before.rss)>>10, after.switches-before.switches)
			if grown := after.rss - before.rss; grown > 64<<20 {
				t.Errorf("memory grew by %d MiB", grown>>20)
			}
			before.cpu, before.switches = after.cpu, after.switches
		}
	}

	if got := h.client.Routes("c0"); !equal(got, routes) {
		t.Errorf("routes were %q and are %q", routes, got)
	}
	h.keeps(t, changes, a.IPv4.Address.Addr())
	if sent := h.cap.SentByClient(packets); len(sent) > 0 {
		t.Errorf("sent: %v", sent)
	}
	if e := d.Events.Since(events); len(e) > 0 {
		t.Errorf("events: %v", e)
	}
	d.Must(t, "renew", "c0")
}

// idle waits until the daemon does nothing for a moment, and returns what it
// has used so far.
func idle(t *testing.T, d *lab.Daemon) usage {
	t.Helper()
	last, since := usageOf(t, d.Pid()), time.Now()
	if !lab.Eventually(time.Minute, func() bool {
		now := usageOf(t, d.Pid())
		if now.switches != last.switches || now.cpu != last.cpu {
			last, since = now, time.Now()
		}
		return time.Since(since) > 200*time.Millisecond
	}) {
		t.Fatalf("the daemon does not come to rest: %+v", last)
	}
	return last
}
