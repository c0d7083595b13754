//go:build linux

package host

import (
	"net/netip"
	"testing"
	"time"

	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/driver"
	"github.com/lessee/lessee/internal/netconf"
)

func BenchmarkApplyUnchanged(b *testing.B) {
	l := newLab(b, Options{})
	want := desire(addrA, gw, 100, time.Hour)
	link := l.c0()
	l.must(l.n.Apply(link, nil, want))
	b.ReportAllocs()
	for b.Loop() {
		l.must(l.n.Apply(link, []netip.Prefix{addrA}, want))
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
		l.must(l.n.Apply(link, []netip.Prefix{addrA}, want))
	}
}

func BenchmarkSend(b *testing.B) {
	l := newLab(b, Options{})
	link, t := l.c0(), transmit("10.77.0.100", "10.77.0.1", macP, make([]byte, 300))
	b.ReportAllocs()
	for b.Loop() {
		l.must(l.n.Send(link, t))
	}
}

func BenchmarkOpenClose(b *testing.B) {
	l := newLab(b, Options{})
	link := l.c0()
	b.ReportAllocs()
	for b.Loop() {
		x, err := l.n.Open(link, func(dhcp4.Datagram) {}, func(driver.Refusal, uint64) {})
		l.must(err)
		l.must(x.Close())
	}
}

// BenchmarkApplyNew is a new lease and its end.
func BenchmarkApplyNew(b *testing.B) {
	l := newLab(b, Options{})
	link := l.c0()
	want := desire(addrA, gw, 100, time.Hour)
	b.ReportAllocs()
	for b.Loop() {
		l.must(l.n.Apply(link, []netip.Prefix{addrA}, want))
		b.StopTimer()
		l.must(l.n.Apply(link, []netip.Prefix{addrA}, netconf.Desired{}))
		b.StartTimer()
	}
}
