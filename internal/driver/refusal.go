package driver

import (
	"iter"
	"sync/atomic"

	"github.com/lessee/lessee/internal/linux/packet"
)

// refused counts an adapter's refusals. Most adapters never have one.
type refused struct {
	counters atomic.Pointer[[packet.Refusals]atomic.Uint64]
}

// count is called from any goroutine, as often as packets can be received.
func (c *refused) count(r packet.Refusal, n uint64) {
	if r >= packet.Refusals || n == 0 {
		return
	}
	if c.counters.Load() == nil {
		c.counters.CompareAndSwap(nil, new([packet.Refusals]atomic.Uint64))
	}
	c.counters.Load()[r].Add(n)
}

// all yields every counter by its name, as [dhcp4.Counters.All] does.
func (c *refused) all() iter.Seq2[string, uint64] {
	return func(yield func(string, uint64) bool) {
		counters := c.counters.Load()
		for r := range packet.Refusals {
			var n uint64
			if counters != nil {
				n = counters[r].Load()
			}
			if !yield("rejected."+r.String(), n) {
				return
			}
		}
	}
}
