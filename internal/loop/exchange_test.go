package loop

import (
	"testing"

	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy/v4"
)

func (noKernel) RehearseApply(netconf.Link, netconf.Desired) {}
func (noStore) RehearseSave(v4.Record) error                 { return nil }

// waiting returns a rehearsal whose link has no carrier.
func waiting() *rehearsal {
	l := &Loop{cfg: Config{Store: noStore{}}, home: Space{Kernel: noKernel{}}}
	return l.newRehearsal()
}

// An exchange is what an adapter does from the carrier to its lease: four messages, its
// record, the kernel's configuration. The server's part is in it.
func exchange(r *rehearsal) {
	carrier := noLink
	carrier.Carrier = true
	r.play(core.LinkChanged{Link: carrier})
}

func (r *rehearsal) begin() {
	r.play(core.LinkChanged{Link: noLink, Gone: true}, core.LinkChanged{Link: noLink}, core.Manage{Call: 1, Name: noLink.Name})
}

// TestExchangeAllocates: what is allocated from the carrier to the lease is known. Most
// of it is what is asked for in interfaces, and the lease itself; the server's part is in
// it, with some 20. With the race detector there are some more, as pools forget there.
func TestExchangeAllocates(t *testing.T) {
	const most = 90
	r := waiting()
	var begun, all float64
	begun = testing.AllocsPerRun(100, func() { r.begin() })
	all = testing.AllocsPerRun(100, func() { r.begin(); exchange(r) })
	t.Logf("%v allocations", all-begun)
	if all-begun > most {
		t.Errorf("%v allocations, want at most %d", all-begun, most)
	}
}

// BenchmarkExchange is from the carrier to the lease: with -memprofile, what allocates.
func BenchmarkExchange(b *testing.B) {
	r := waiting()
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		r.begin()
		b.StartTimer()
		exchange(r)
	}
}
