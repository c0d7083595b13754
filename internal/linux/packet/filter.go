//go:build linux

package packet

import (
	"encoding/binary"
	"slices"

	"github.com/lessee/lessee/internal/netconf"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Where the filter looks. The packet begins with the IP header; after the UDP
// header the offsets are relative to the IP header's end, which is in X.
const (
	atVersion  = 0
	atFragment = 6
	atProtocol = 9
	atDestPort = 2
	atBOOTP    = 8
	atOp       = atBOOTP + 0
	atChaddr   = atBOOTP + 28
	atMagic    = atBOOTP + 236

	clientPort  = 68
	serverPort  = 67
	bootReply   = 2
	magicCookie = 0x63825363
	moreOrAt    = 0x3fff // "more fragments" and the fragment offset
	chaddrSize  = 16
	allBytes    = 1 << 18
)

// filter is the kernel's part of the check: unfragmented UDP over IPv4 to port
// 68 with a BOOTP reply for this link in it. All else is dropped before it
// wakes us. A load beyond the packet's end drops it.
func filter(link netconf.Link) ([]bpf.RawInstruction, error) {
	f := []bpf.Instruction{
		// What we sent ourselves, and what a promiscuous interface overheard.
		bpf.LoadExtension{Num: bpf.ExtType},
		skipUnless(bpf.JumpLessOrEqual, unix.PACKET_MULTICAST),
		bpf.LoadAbsolute{Off: atVersion, Size: 1},
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0xf0},
		skipUnless(bpf.JumpEqual, 4<<4),
		bpf.LoadAbsolute{Off: atProtocol, Size: 1},
		skipUnless(bpf.JumpEqual, unix.IPPROTO_UDP),
		bpf.LoadAbsolute{Off: atFragment, Size: 2},
		skipUnless(bpf.JumpBitsNotSet, moreOrAt),
		bpf.LoadMemShift{Off: atVersion},
		bpf.LoadIndirect{Off: atDestPort, Size: 2},
		skipUnless(bpf.JumpEqual, clientPort),
		bpf.LoadIndirect{Off: atOp, Size: 1},
		skipUnless(bpf.JumpEqual, bootReply),
		bpf.LoadIndirect{Off: atMagic, Size: 4},
		skipUnless(bpf.JumpEqual, magicCookie),
	}
	// Link addresses that do not fit in chaddr are not sent there (RFC 4390):
	// such replies are told apart by what is in them.
	if hw := link.HardwareAddr; len(hw) <= chaddrSize {
		for at := 0; at < len(hw); {
			size, val := 1, uint32(hw[at])
			switch rest := hw[at:]; {
			case len(rest) >= 4:
				size, val = 4, binary.BigEndian.Uint32(rest)
			case len(rest) >= 2:
				size, val = 2, uint32(binary.BigEndian.Uint16(rest))
			}
			f = append(f, bpf.LoadIndirect{Off: uint32(atChaddr + at), Size: size}, skipUnless(bpf.JumpEqual, val))
			at += size
		}
	}
	f = append(f, bpf.RetConstant{Val: allBytes}, bpf.RetConstant{Val: 0})
	// Each condition that does not hold jumps to the last instruction.
	for i, ins := range f {
		if j, ok := ins.(bpf.JumpIf); ok {
			j.SkipFalse = uint8(len(f) - 2 - i)
			f[i] = j
		}
	}
	return bpf.Assemble(f)
}

// skipUnless drops the packet unless the condition holds; filter fills in how far to jump.
func skipUnless(cond bpf.JumpTest, val uint32) bpf.Instruction {
	return bpf.JumpIf{Cond: cond, Val: val}
}

// assemble joins and assembles instructions that are valid.
func assemble(parts ...[]bpf.Instruction) []bpf.RawInstruction {
	f, err := bpf.Assemble(slices.Concat(parts...))
	if err != nil {
		return dropAll()
	}
	return f
}

// dropAll is the filter of sockets that only send.
func dropAll() []bpf.RawInstruction {
	f, _ := bpf.Assemble([]bpf.Instruction{bpf.RetConstant{Val: 0}}) // one valid instruction
	return f
}
