//go:build linux

package packet

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"

	"golang.org/x/net/bpf"
)

// A subject is an address whose packets an interface wants to receive.
type subject struct {
	index   uint32
	address uint32
}

func number(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}

// A span is a range of keys that a filter lets through, both ends included.
type span struct{ lo, hi uint32 }

// spread is odd, so that different interfaces get different keys.
const spread = 0x9e3779b1

// key makes one number of an interface and an address. Two pairs that share a
// key cost a packet that is looked at in vain, no more.
func (a subject) key() uint32 { return a.address ^ a.index*spread }

// keyOf are the instructions that prepare for a key: they leave in X what the
// address is to be combined with by [bpf.ALUOpXor].
func keyOf(byInterface bool) []bpf.Instruction {
	if !byInterface {
		return []bpf.Instruction{bpf.LoadConstant{Dst: bpf.RegX}}
	}
	return []bpf.Instruction{
		bpf.LoadExtension{Num: bpf.ExtInterfaceIndex},
		bpf.ALUOpConstant{Op: bpf.ALUOpMul, Val: spread},
		bpf.TAX{},
	}
}

// maxSpans bounds a filter to what the kernel takes: BPF_MAXINSNS, 4096
// instructions.
const maxSpans = 1500

// toSpans returns what the filter of all is to let through: exactly these
// addresses on their interfaces or, where that is more than limit, ranges of
// addresses on any interface.
func toSpans(all []subject, limit int) (spans []span, byInterface bool) {
	spans = make([]span, len(all))
	for i, a := range all {
		spans[i] = span{a.key(), a.key()}
	}
	if spans = sortSpans(spans); len(spans) <= limit {
		return spans, true
	}
	spans = make([]span, len(all))
	for i, a := range all {
		spans[i] = span{a.address, a.address}
	}
	return narrow(sortSpans(spans), limit), false
}

func sortSpans(s []span) []span {
	slices.SortFunc(s, func(a, b span) int { return cmp.Compare(a.lo, b.lo) })
	return slices.Compact(s)
}

// narrow joins the spans that are nearest to each other until there are few enough.
func narrow(s []span, limit int) []span {
	if len(s) <= limit {
		return s
	}
	gaps := make([]uint32, len(s)-1)
	for i := range gaps {
		gaps[i] = s[i+1].lo - s[i].hi
	}
	slices.Sort(gaps)
	join := gaps[len(s)-limit-1]
	out := s[:1]
	for _, next := range s[1:] {
		if last := &out[len(out)-1]; next.lo-last.hi <= join {
			last.hi = next.hi
		} else {
			out = append(out, next)
		}
	}
	return out
}

// spanFilter lets through, of what its head leaves, that whose key is in the spans.
func spanFilter(head []bpf.RawInstruction, spans []span) []bpf.RawInstruction {
	f := make([]bpf.RawInstruction, len(head), len(head)+3*len(spans)+2)
	copy(f, head)
	return tree(f, spans)
}

// The instructions that the tree is made of; see linux/bpf_common.h.
const (
	opReturn  = 0x06
	opJump    = 0x05
	opIfEqual = 0x15
	opIfAbove = 0x25
	opIfFrom  = 0x35
)

// leafSpans is how many spans are compared one after the other.
const leafSpans = 24

// tree appends a binary search for A among the sorted spans.
func tree(f []bpf.RawInstruction, spans []span) []bpf.RawInstruction {
	if len(spans) > leafSpans {
		mid := len(spans) / 2
		at := len(f)
		// A conditional jump reaches 255 instructions, so it is made around one
		// that reaches all.
		f = append(f,
			bpf.RawInstruction{Op: opIfFrom, Jf: 1, K: spans[mid].lo},
			bpf.RawInstruction{Op: opJump},
		)
		f = tree(f, spans[:mid])
		f[at+1].K = uint32(len(f) - at - 2)
		return tree(f, spans[mid:])
	}
	begin := len(f)
	for _, s := range spans {
		if s.lo == s.hi {
			f = append(f, bpf.RawInstruction{Op: opIfEqual, K: s.lo})
			continue
		}
		f = append(f,
			bpf.RawInstruction{Op: opIfFrom, Jf: 1, K: s.lo},
			bpf.RawInstruction{Op: opIfAbove, K: s.hi},
		)
	}
	// The last two: no, and yes.
	yes := len(f) + 1
	for i := begin; i < len(f); i++ {
		switch far := uint8(yes - i - 1); f[i].Op { //nolint:gosec // a leaf is short
		case opIfEqual:
			f[i].Jt = far
		case opIfAbove:
			f[i].Jf = far
		}
	}
	return append(f, bpf.RawInstruction{Op: opReturn}, bpf.RawInstruction{Op: opReturn, K: allBytes})
}
