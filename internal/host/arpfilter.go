//go:build linux

package host

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"
	"sync"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Where the ARP filter looks: the packet begins with the ARP header.
const (
	atKinds  = 0 // hardware type and protocol
	atARPOp  = 4 // lengths of their addresses, operation
	atSender = 14
	atTarget = 24

	ethernetIPv4 = 1<<16 | unix.ETH_P_IP
	arpRequest   = 6<<24 | 4<<16 | 1
	arpReply     = 6<<24 | 4<<16 | 2
)

// An audible is an address whose ARP is wanted on an interface.
type audible struct {
	index   uint32
	address uint32
}

func number(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}

// A span is a range of keys that the filter lets through, both ends included.
type span struct{ lo, hi uint32 }

// spread is odd, so that different interfaces get different keys.
const spread = 0x9e3779b1

// key makes one number of an interface and an address. Two pairs that share a
// key cost a packet that is looked at in vain, no more.
func (a audible) key() uint32 { return a.address ^ a.index*spread }

// maxSpans bounds a filter to what the kernel takes: BPF_MAXINSNS, 4096
// instructions.
const maxSpans = 1500

// arpSpans returns what the filter of all is to let through: exactly these
// addresses on their interfaces or, where that is more than limit, ranges of
// addresses on any interface.
func arpSpans(all []audible, limit int) (spans []span, byInterface bool) {
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

// arpHead is what all ARP filters begin with: it drops all but ARP for IPv4 over
// Ethernet that we did not send ourselves, and leaves in A the key of the
// sender or, of a probe, of the target. A load beyond the packet's end drops it.
func arpHead(byInterface bool) []bpf.RawInstruction {
	key := []bpf.Instruction{
		bpf.LoadExtension{Num: bpf.ExtInterfaceIndex},
		bpf.ALUOpConstant{Op: bpf.ALUOpMul, Val: spread},
		bpf.TAX{},
	}
	if !byInterface {
		key = []bpf.Instruction{bpf.LoadConstant{Dst: bpf.RegX}}
	}
	f := slices.Concat(key, []bpf.Instruction{
		// What we sent ourselves, what a promiscuous interface overheard, and
		// what belongs to a VLAN that has no interface.
		bpf.LoadExtension{Num: bpf.ExtType},
		bpf.JumpIf{Cond: bpf.JumpGreaterThan, Val: unix.PACKET_MULTICAST, SkipTrue: 11},
		bpf.LoadAbsolute{Off: atKinds, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: ethernetIPv4, SkipTrue: 9},
		bpf.LoadAbsolute{Off: atARPOp, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: arpReply, SkipTrue: 5},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: arpRequest, SkipTrue: 6},
		bpf.LoadAbsolute{Off: atSender, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 0, SkipTrue: 5},
		bpf.LoadAbsolute{Off: atTarget, Size: 4}, // of a request from 0.0.0.0
		bpf.Jump{Skip: 1},
		bpf.LoadAbsolute{Off: atSender, Size: 4}, // of a reply
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 0, SkipTrue: 1},
		bpf.RetConstant{Val: 0},
		bpf.ALUOpX{Op: bpf.ALUOpXor},
	})
	head, err := bpf.Assemble(f)
	if err != nil {
		return dropAll() // the instructions above are valid
	}
	return head
}

var (
	headByInterface = sync.OnceValue(func() []bpf.RawInstruction { return arpHead(true) })
	headOfAll       = sync.OnceValue(func() []bpf.RawInstruction { return arpHead(false) })
)

// arpFilter is the kernel's part of the check: all whose key is not in the
// spans is dropped before it wakes us.
func arpFilter(spans []span, byInterface bool) []bpf.RawInstruction {
	head := headOfAll()
	if byInterface {
		head = headByInterface()
	}
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
