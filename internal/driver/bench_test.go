package driver

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"testing"
	"time"
)

// BenchmarkIdleLease shows what one more idle lease costs: bytes of heap and
// goroutines, the kernel played in memory and its own share left out.
func BenchmarkIdleLease(b *testing.B) {
	const leases = 2000
	for b.Loop() {
		w := newWorld()
		w.quiet = true
		d := New(Config{
			Network: w, Resolver: w, Store: w, Others: w, Clock: w, Log: slog.New(slog.DiscardHandler),
			Seed:    func() uint64 { return 1 },
			Adapter: func(string) AdapterConfig { return AdapterConfig{MTU: true, DNS: true} },
		})
		for i := range leases {
			w.addLink(2+i, fmt.Sprintf("c%d", i))
		}
		ctx, cancel := context.WithCancel(b.Context())
		ended := make(chan error, 1)
		go func() { ended <- d.Run(ctx) }()
		manage := func(from, to int) {
			for i := from; i < to; i++ {
				if err := d.Manage(fmt.Sprintf("c%d", i)); err != nil {
					b.Fatal(err)
				}
			}
			for w.bound() < to {
				time.Sleep(time.Millisecond)
			}
			d.effects.Wait()
		}
		manage(0, leases/2) // what grows by doubling has grown
		before, routines := heapNow()
		manage(leases/2, leases)
		after, all := heapNow()
		b.ReportMetric(float64(after-before)/(leases/2), "B/lease")
		b.ReportMetric(float64(all-routines)/(leases/2), "goroutines/lease")
		b.ReportMetric(0, "ns/op")
		cancel()
		<-ended
		runtime.KeepAlive(w)
	}
}

func heapNow() (bytes uint64, goroutines int) {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc, runtime.NumGoroutine()
}

// bound counts the adapters that have their address.
func (w *world) bound() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.addresses)
}
