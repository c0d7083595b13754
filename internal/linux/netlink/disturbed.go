//go:build linux

package netlink

import (
	"encoding/binary"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/internal/netconf"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Where the filter looks: a notification begins with struct nlmsghdr; struct
// rtmsg follows.
const (
	atType     = 4
	atFlags    = 6
	atPort     = 12
	atProtocol = headerLen + 5
)

// all passes a packet whole.
const all = 1 << 18

// bigger16 and bigger32 return a number of the machine's byte order as a filter,
// which reads the most significant byte first, sees it.
func bigger16(v uint16) uint32 {
	var b [2]byte
	binary.NativeEndian.PutUint16(b[:], v)
	return uint32(binary.BigEndian.Uint16(b[:]))
}

func bigger32(v uint32) uint32 {
	var b [4]byte
	binary.NativeEndian.PutUint32(b[:], v)
	return binary.BigEndian.Uint32(b[:])
}

// disturbance is the filter of notifications about addresses and routes. It
// drops, in the kernel, what was done by the socket of that port, and all but:
//
//   - an address that was added or removed;
//   - a route of protocol "dhcp" that was added or removed;
//   - a route that was replaced (NLM_F_REPLACE): the kernel reports the new one
//     and not that ours went. Those of routing daemons are dropped, too: they
//     replace routes all day, each daemon its own. Their protocols are above
//     "static", besides "ra" and "dhcp".
//
// So a routing daemon costs us nothing, however many routes it has.
func disturbance(port uint32) []bpf.RawInstruction {
	f, _ := bpf.Assemble([]bpf.Instruction{ // valid instructions
		0:  bpf.LoadAbsolute{Off: atPort, Size: 4},
		1:  bpf.JumpIf{Cond: bpf.JumpEqual, Val: bigger32(port), SkipTrue: 12},
		2:  bpf.LoadAbsolute{Off: atType, Size: 2},
		3:  bpf.JumpIf{Cond: bpf.JumpEqual, Val: bigger16(unix.RTM_DELADDR), SkipTrue: 11},
		4:  bpf.JumpIf{Cond: bpf.JumpEqual, Val: bigger16(unix.RTM_NEWADDR), SkipTrue: 10},
		5:  bpf.JumpIf{Cond: bpf.JumpEqual, Val: bigger16(unix.RTM_DELROUTE), SkipTrue: 6},
		6:  bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: bigger16(unix.RTM_NEWROUTE), SkipTrue: 7},
		7:  bpf.LoadAbsolute{Off: atFlags, Size: 2},
		8:  bpf.JumpIf{Cond: bpf.JumpBitsNotSet, Val: bigger16(unix.NLM_F_REPLACE), SkipTrue: 3},
		9:  bpf.LoadAbsolute{Off: atProtocol, Size: 1},
		10: bpf.JumpIf{Cond: bpf.JumpLessOrEqual, Val: unix.RTPROT_STATIC, SkipTrue: 4},
		11: bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.RTPROT_RA, SkipTrue: 3},
		12: bpf.LoadAbsolute{Off: atProtocol, Size: 1},
		13: bpf.JumpIf{Cond: bpf.JumpEqual, Val: netconf.ProtocolDHCP, SkipTrue: 1},
		14: bpf.RetConstant{Val: 0},
		15: bpf.RetConstant{Val: all},
	})
	return f
}

// disturbed returns what a notification that passed the filter hints at.
func disturbed(m message) (hints []netconf.Disturbed) {
	switch m.typ {
	case unix.RTM_DELADDR, unix.RTM_NEWADDR:
		if a, index, ok := parseAddress(m.body, boottime.Instant(0)); ok {
			hints = append(hints, netconf.Disturbed{Index: index, Object: netconf.Object{Kind: netconf.ObjectAddress, Prefix: a.Prefix}})
		}
	case unix.RTM_DELROUTE:
		parseRoute(m.body, 0, func(r netconf.Route) {
			d := netconf.Disturbed{Index: r.Index, Object: r.Object()}
			if r.Type == netconf.Unreachable {
				d.Index = 0 // it is on the loopback interface
			}
			hints = append(hints, d)
		})
	case unix.RTM_NEWROUTE:
		parseRoute(m.body, 0, func(r netconf.Route) { hints = append(hints, netconf.Disturbed{Object: r.Object()}) })
	}
	return hints
}
