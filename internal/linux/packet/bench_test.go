//go:build linux

package packet

import "testing"

func BenchmarkSend(b *testing.B) {
	l := newLab(b)
	link, t := l.c0(), transmit("10.77.0.100", "10.77.0.1", macP, make([]byte, 300))
	b.ReportAllocs()
	for b.Loop() {
		l.Must(l.n.Send(link, t))
	}
}

func BenchmarkOpenClose(b *testing.B) {
	l := newLab(b)
	link := l.c0()
	b.ReportAllocs()
	for b.Loop() {
		x, err := l.n.Open(link, func(Datagram) {}, func(Refusal, uint64) {})
		l.Must(err)
		l.Must(x.Close())
	}
}
