//go:build linux

package netlink

import (
	"net/netip"
	"testing"
	"time"

	"github.com/lessee/lessee/internal/netconf"
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
