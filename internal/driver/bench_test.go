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
	const leases = 8000
	for b.Loop() {
		w := newWorld()
		w.quiet = true
		d := New(Config{
			Home: w.home, Resolver: w, Store: w, Others: w, Poller: newPoller(w), Now: w.Now, Log: slog.New(slog.DiscardHandler),
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
			d.Alive()
		}
		manage(0, leases/2)
		_, routines := heapNow()
		manage(leases/2, leases)
		all, routinesNow := heapNow()
		b.ReportMetric(float64(routinesNow-routines)/(leases/2), "goroutines/lease")
		cancel()
		<-ended
		// What is left without the driver is the kernel's share.
		d = nil
		w.forget()
		kernel, _ := heapNow()
		b.ReportMetric(float64(all-kernel)/leases, "B/lease")
		b.ReportMetric(0, "ns/op")
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

// forget drops what the driver gave away.
func (w *world) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.ears)
	clear(w.forced)
	clear(w.records) // they share the leases
	w.loop, w.last, w.frames, w.changed = nil, nil, nil, nil
}

// bound counts the adapters that have their address.
func (w *world) bound() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.addresses)
}
