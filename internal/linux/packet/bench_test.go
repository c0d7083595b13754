//go:build linux

package packet

import "testing"

func BenchmarkSend(b *testing.B) {
	l := newLab(b)
	link, t := l.c0(), transmit("10.77.0.100", "10.77.0.1", macP, make([]byte, 300))
	b.ReportAllocs()
	l.Must(on(l, func() (err error) {
		for b.Loop() && err == nil {
			err = l.n.Send(link, t)
		}
		return err
	}))
}

func BenchmarkOpenClose(b *testing.B) {
	l := newLab(b)
	link := l.c0()
	b.ReportAllocs()
	l.Must(on(l, func() error {
		for b.Loop() {
			x, err := l.n.Open(link, func(Datagram) {}, func(Refusal, uint64) {})
			if err != nil {
				return err
			}
			_ = x.Close()
		}
		return nil
	}))
}
