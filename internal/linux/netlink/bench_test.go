//go:build linux

package netlink

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee/internal/netconf"
	"golang.org/x/sys/unix"
)

func BenchmarkApplyUnchanged(b *testing.B) {
	l := newLab(b, Options{})
	want := desire(addrA, gw, 100, time.Hour)
	link := l.c0()
	l.Must(l.n.Apply(link, nil, want).Err())
	b.ReportAllocs()
	for b.Loop() {
		l.Must(l.n.Apply(link, []netip.Prefix{addrA}, want).Err())
	}
}

func BenchmarkApplyRenewed(b *testing.B) {
	l := newLab(b, Options{})
	link := l.c0()
	want := desire(addrA, gw, 100, time.Hour)
	b.ReportAllocs()
	for b.Loop() {
		want.Addresses[0].Lifetime.ValidUntil = want.Addresses[0].Lifetime.ValidUntil.Add(10 * time.Second)
		want.Addresses[0].Lifetime.PreferredUntil = want.Addresses[0].Lifetime.ValidUntil
		l.Must(l.n.Apply(link, []netip.Prefix{addrA}, want).Err())
	}
}

// BenchmarkApplyNew is a new lease and its end.
func BenchmarkApplyNew(b *testing.B) {
	l := newLab(b, Options{})
	link := l.c0()
	want := desire(addrA, gw, 100, time.Hour)
	b.ReportAllocs()
	for b.Loop() {
		l.Must(l.n.Apply(link, []netip.Prefix{addrA}, want).Err())
		b.StopTimer()
		l.Must(l.n.Apply(link, []netip.Prefix{addrA}, netconf.Desired{}).Err())
		b.StartTimer()
	}
}

// BenchmarkForeignRoutes is what a routing daemon's routes cost a process that
// watches: b.N routes are added and removed by another program.
func BenchmarkForeignRoutes(b *testing.B) {
	l := newLab(b, Options{})
	l.Must(l.n.Apply(l.c0(), nil, desire(addrA, gw, 100, time.Hour)).Err())
	h := l.listen()
	var script strings.Builder
	for _, verb := range []string{"add", "del"} {
		for i := range b.N {
			fmt.Fprintf(&script, "route %s 172.%d.%d.%d/32 via %v dev c0 metric 20 proto bgp\n", verb, 16+i>>16, i>>8&255, i&255, gw)
		}
	}
	file := filepath.Join(b.TempDir(), "script")
	l.Must(os.WriteFile(file, []byte(script.String()), 0o600))
	var before, after unix.Rusage
	l.Must(unix.Getrusage(unix.RUSAGE_SELF, &before))
	b.ResetTimer()
	l.Do(func() {
		cmd := exec.CommandContext(b.Context(), "ip", "-batch", file)
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Errorf("%v: %s", err, out)
		}
	})
	b.StopTimer()
	l.Must(unix.Getrusage(unix.RUSAGE_SELF, &after))
	if got := h.hints(); len(got) != 0 {
		b.Errorf("%d hints", len(got))
	}
	cpu := after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()
	b.ReportMetric(float64(cpu)/1e6, "own-cpu-ms")
	b.ReportMetric(float64(after.Nvcsw-before.Nvcsw), "own-wakeups")
}
