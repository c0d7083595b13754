//go:build linux

package host

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// sizeofAuxdata is the size of struct tpacket_auxdata of linux/if_packet.h.
const sizeofAuxdata = 20

// auxdata is what the kernel tells of a packet beside its bytes.
type auxdata struct {
	status uint32
	tci    uint16
}

// parseAuxdata finds the kernel's record among the control messages; without
// one, the packet is taken as complete and untagged.
func parseAuxdata(oob []byte) auxdata {
	msgs, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return auxdata{}
	}
	for _, m := range msgs {
		if m.Header.Level == unix.SOL_PACKET && m.Header.Type == unix.PACKET_AUXDATA && len(m.Data) >= sizeofAuxdata {
			// status, length, captured length, link and network offset, VLAN tag.
			return auxdata{
				status: binary.NativeEndian.Uint32(m.Data),
				tci:    binary.NativeEndian.Uint16(m.Data[16:]),
			}
		}
	}
	return auxdata{}
}

// partialChecksum reports that the sender on this machine left the UDP checksum
// to the hardware, which a virtual link does not have.
func (a auxdata) partialChecksum() bool { return a.status&unix.TP_STATUS_CSUMNOTREADY != 0 }

// vlan reports that the frame was tagged for a VLAN. One with VLAN 0 only has a priority.
func (a auxdata) vlan() bool {
	return a.status&unix.TP_STATUS_VLAN_VALID != 0 && a.tci&0x0fff != 0
}
