package driver

import (
	"iter"
	"sync/atomic"
)

// A Refusal says why a packet that passed the kernel's filter did not come to
// the client: it never got as far as DHCP.
type Refusal uint8

// The reasons to refuse a packet.
const (
	RefuseChecksum Refusal = iota // the checksum of the IP header, or that of UDP, is wrong
	RefuseLength                  // a length in the IP or UDP header does not fit the packet
	RefuseTruncate                // it is longer than the link's MTU
	RefuseVLAN                    // it belongs to a VLAN
	RefuseOther                   // it is not one whole UDP datagram over IPv4
	RefuseOverflow                // more packets came than could be looked at
	refusals
)

var refusalNames = [refusals]string{
	RefuseChecksum: "ip-checksum",
	RefuseLength:   "ip-length",
	RefuseTruncate: "ip-truncated",
	RefuseVLAN:     "ip-vlan",
	RefuseOther:    "ip-other",
	RefuseOverflow: "ip-overflow",
}

// String returns the reason as it is counted, "ip-checksum".
func (r Refusal) String() string {
	if r < refusals {
		return refusalNames[r]
	}
	return "unknown"
}

// refused counts an adapter's refusals. Most adapters never have one.
type refused struct {
	counters atomic.Pointer[[refusals]atomic.Uint64]
}

// count is called from any goroutine, as often as packets can be received.
func (c *refused) count(r Refusal, n uint64) {
	if r >= refusals || n == 0 {
		return
	}
	if c.counters.Load() == nil {
		c.counters.CompareAndSwap(nil, new([refusals]atomic.Uint64))
	}
	c.counters.Load()[r].Add(n)
}

// all yields every counter by its name, as [dhcp4.Counters.All] does.
func (c *refused) all() iter.Seq2[string, uint64] {
	return func(yield func(string, uint64) bool) {
		counters := c.counters.Load()
		for r, name := range refusalNames {
			var n uint64
			if counters != nil {
				n = counters[r].Load()
			}
			if !yield("rejected."+name, n) {
				return
			}
		}
	}
}
