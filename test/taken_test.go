package test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee/reason"
	"github.com/lessee/lessee/test/lab"
)

// A taking is what another program does to what we configured.
type taking struct {
	name string
	// take removes it once. It may find nothing to remove.
	take func(t *testing.T, h *home, address string)
	// names is part of what `why` says of it.
	names func(address string) string
}

var takings = []taking{
	{
		"address",
		func(t *testing.T, h *home, address string) { h.ip(t, "addr", "del", address, "dev", "c0") },
		func(address string) string { return address },
	},
	{
		"prefix route",
		func(t *testing.T, h *home, _ string) { h.ip(t, "route", "del", "10.77.0.0/24", "dev", "c0") },
		func(string) string { return "10.77.0.0/24" },
	},
	{
		"default route",
		func(t *testing.T, h *home, _ string) { h.ip(t, "route", "del", "default", "dev", "c0") },
		func(string) string { return "10.77.0.1" },
	},
	{
		"all addresses",
		func(t *testing.T, h *home, _ string) { h.ip(t, "addr", "flush", "dev", "c0") },
		func(address string) string { return address },
	},
}

// ip runs ip(8) on the client, whatever comes of it.
func (h *home) ip(t *testing.T, args ...string) {
	t.Helper()
	cmd := h.client.Command(t, "ip", args...)
	_, _ = h.client.Output(cmd)
}

// configuration is what the kernel has on c0, as text.
func (h *home) configuration() []string {
	list := h.client.Routes("c0")
	for _, a := range h.client.Addresses("c0") {
		list = append(list, a.Prefix.String())
	}
	return list
}

// restored waits until the kernel has on c0 what it had.
func (h *home) restored(t *testing.T, want []string) bool {
	t.Helper()
	if !lab.Eventually(patience, func() bool { return equal(h.configuration(), want) }) {
		t.Errorf("c0 had %q and has %q", want, h.configuration())
		return false
	}
	return true
}

// TestTakenAway checks that what another program takes away is put back a second
// later, once; that the second time it stays away and `why` says so; and that a
// renew repairs it.
func TestTakenAway(t *testing.T) {
	t.Parallel()
	for _, what := range takings {
		t.Run(what.name, func(t *testing.T) {
			t.Parallel()
			lab.Need(t, "ip")
			h := newHome(t, dnsmasq(), lab.Config{Router: addr("10.77.0.1")})
			d, a := h.bound(t)
			address := a.IPv4.Address.String()
			had := h.configuration()
			packets := h.cap.Mark()

			for round := range 2 { // a renew forgives
				began := time.Now()
				what.take(t, h, address)
				if equal(h.configuration(), had) {
					t.Fatalf("nothing was taken away of %q", had)
				}
				h.listIsTrue(t, d)
				h.restored(t, had)
				if took := time.Since(began); took < 900*time.Millisecond {
					t.Errorf("round %d: put back after %v", round, took)
				}
				// It says so when the kernel has acknowledged it, a moment later.
				if !lab.Eventually(patience, func() bool { return show(t, d).IPv4.Problem == "" }) {
					t.Errorf("round %d: put back, and the problem is %q", round, show(t, d).IPv4.Problem)
				}

				what.take(t, h, address)
				h.listIsTrue(t, d)
				h.staysAway(t, d, what.names(address))
				lacks := h.configuration()
				// What would be put back was so by then.
				kernel := h.changes.Mark()
				if c, _, ok := h.changes.Wait(kernel, 2*time.Second, func(c lab.AddressChange) bool { return !c.Removed }); ok {
					t.Errorf("round %d: put back for the second time: %v", round, c)
				}
				if now := h.configuration(); !equal(now, lacks) || equal(now, had) {
					t.Errorf("round %d: put back for the second time: %q", round, now)
				}
				if sent := h.cap.SentByClient(packets); len(sent) > 0 {
					t.Errorf("round %d: sent: %v", round, sent)
				}

				d.Must(t, "renew", "c0")
				packets = h.cap.Mark()
				if now := h.configuration(); !equal(now, had) {
					t.Errorf("round %d: after the renew: %q, not %q", round, now, had)
				}
				if problem := show(t, d).IPv4.Problem; problem != "" {
					t.Errorf("round %d: after the renew the problem is %q", round, problem)
				}
			}
		})
	}
}

// listIsTrue waits until the daemon shows the address of c0 only if the kernel has it.
func (h *home) listIsTrue(t *testing.T, d *lab.Daemon) {
	t.Helper()
	if !lab.Eventually(patience, func() bool {
		shown := show(t, d).IPv4.Address
		return !shown.IsValid() || h.has(shown.Addr())
	}) {
		t.Errorf("the daemon shows %v, the kernel has %v", show(t, d).IPv4.Address, h.client.Addresses("c0"))
	}
}

// staysAway waits until the daemon says that it was taken away again.
func (h *home) staysAway(t *testing.T, d *lab.Daemon, name string) {
	t.Helper()
	if !lab.Eventually(patience, func() bool {
		c := show(t, d).IPv4.ProblemCause
		return c != nil && c.Reason == reason.TakenAway && c.Count > 1
	}) {
		t.Errorf("taken away again, and the problem is %q; the kernel has %q", show(t, d).IPv4.Problem, h.configuration())
	}
	if why := d.Must(t, "why", "c0"); !contains(why.Stdout, name) || !contains(why.Stdout, "another program") {
		t.Errorf("why does not say that %s was taken away:\n%s", name, why.Stdout)
	}
}

// TestNoFight checks that a program that takes something away ten times a second
// is not fought: each object is put back once.
func TestNoFight(t *testing.T) {
	t.Parallel()
	for _, what := range takings {
		t.Run(what.name, func(t *testing.T) {
			t.Parallel()
			lab.Need(t, "ip")
			h := newHome(t, dnsmasq(), lab.Config{Router: addr("10.77.0.1")})
			d, a := h.bound(t)
			address := a.IPv4.Address.String()
			had := h.configuration()
			kernel := h.changes.Mark()
			back := 0
			for range 30 {
				if slices.Equal(h.configuration(), had) {
					back++
				}
				what.take(t, h, address)
				h.listIsTrue(t, d)
				time.Sleep(100 * time.Millisecond) // the other program's, not ours
			}
			h.staysAway(t, d, what.names(address))
			added := h.changes.Select(kernel, func(c lab.AddressChange) bool { return !c.Removed })
			if back > 2 || len(added) > 1 {
				t.Errorf("put back %d times; addresses: %v", back-1, added)
			}
			d.Must(t, "renew", "c0")
			h.restored(t, had)
		})
	}
}

// TestReplaced checks that a route of another program in the place of ours is left
// alone, that this is said, and that ours is back after it.
func TestReplaced(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"default route": {"default", "via", "10.77.0.9", "dev", "c0"},
		"prefix route":  {"10.77.0.0/24", "dev", "c0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lab.Need(t, "ip")
			h := newHome(t, dnsmasq(), lab.Config{Router: addr("10.77.0.1")})
			d, a := h.bound(t)
			had := h.configuration()
			metric := regexp.MustCompile(`metric \d+`).FindString(h.client.Run(t, "ip", "route", "show", "dev", "c0", args[0]))
			route := slices.Concat(args, []string{"proto", "static"}, strings.Fields(metric))
			h.client.Run(t, "ip", append([]string{"route", "replace"}, route...)...)
			theirs := h.configuration()
			kernel := h.changes.Mark()

			said := func() {
				t.Helper()
				if !lab.Eventually(patience, func() bool { return contains(show(t, d).IPv4.Problem, "file exists") }) {
					t.Errorf("a route of another program is in the place of ours, and the problem is %q", show(t, d).IPv4.Problem)
				}
				if now := h.configuration(); !equal(now, theirs) {
					t.Errorf("c0 had %q and has %q", theirs, now)
				}
			}
			said()
			d.Must(t, "renew", "c0")
			said()
			h.keeps(t, kernel, a.IPv4.Address.Addr())

			h.client.Run(t, "ip", append([]string{"route", "del"}, route...)...)
			d.Must(t, "renew", "c0")
			h.restored(t, had)
			if !lab.Eventually(patience, func() bool { return show(t, d).IPv4.Problem == "" }) {
				t.Errorf("ours is back, and the problem is %q", show(t, d).IPv4.Problem)
			}
		})
	}
}
