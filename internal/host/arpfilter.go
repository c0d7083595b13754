//go:build linux

package host

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Where the ARP filter looks: the packet begins with the ARP header.
const (
	atHardware = 0
	atProto    = 2
	atLengths  = 4
	atARPOp    = 6
	atSender   = 14
	atTarget   = 24

	arpRequest = 1
	arpReply   = 2
	// ethernetIPv4 are the lengths of Ethernet and of IPv4 addresses.
	ethernetIPv4 = 6<<8 | 4
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

// The instructions that the tree is made of; see linux/bpf_common.h.
const (
	opReturn  = 0x06
	opJump    = 0x05
	opIfEqual = 0x15
	opIfAbove = 0x25
	opIfFrom  = 0x35
)

// arpFilter is the kernel's part of the check: ARP for IPv4 over Ethernet that
// we did not send ourselves, whose sender, or whose target if it is a probe, is
// in the spans. All else is dropped before it wakes us. A load beyond the
// packet's end drops it.
func arpFilter(spans []span, byInterface bool) []bpf.RawInstruction {
	f := []bpf.Instruction{
		// What we sent ourselves, what a promiscuous interface overheard, and
		// what belongs to a VLAN that has no interface.
		bpf.LoadExtension{Num: bpf.ExtType},
		bpf.JumpIf{Cond: bpf.JumpLessOrEqual, Val: unix.PACKET_MULTICAST, SkipTrue: 1},
		bpf.RetConstant{Val: 0},
		bpf.LoadAbsolute{Off: atHardware, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 1, SkipFalse: 7},
		bpf.LoadAbsolute{Off: atProto, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.ETH_P_IP, SkipFalse: 5},
		bpf.LoadAbsolute{Off: atLengths, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: ethernetIPv4, SkipFalse: 3},
		bpf.LoadAbsolute{Off: atARPOp, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: arpRequest, SkipTrue: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: arpReply, SkipTrue: 1},
		bpf.RetConstant{Val: 0},
	}
	if byInterface {
		f = append(f,
			bpf.LoadExtension{Num: bpf.ExtInterfaceIndex},
			bpf.ALUOpConstant{Op: bpf.ALUOpMul, Val: spread},
		)
	} else {
		f = append(f, bpf.LoadConstant{Dst: bpf.RegA, Val: 0})
	}
	f = append(f,
		bpf.TAX{},
		bpf.LoadAbsolute{Off: atSender, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 0, SkipTrue: 3},
		bpf.LoadAbsolute{Off: atARPOp, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: arpRequest, SkipTrue: 2},
		bpf.LoadAbsolute{Off: atTarget, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 0, SkipTrue: 1},
		bpf.RetConstant{Val: 0},
		bpf.ALUOpX{Op: bpf.ALUOpXor},
	)
	head, err := bpf.Assemble(f)
	if err != nil {
		return dropAll() // the instructions above are valid
	}
	return tree(slices.Grow(head, 3*len(spans)), spans)
}

// leafSpans is how many spans are compared one after the other.
const leafSpans = 8

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
