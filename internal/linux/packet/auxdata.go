//go:build linux

package packet

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// sizeofAuxdata is the size of struct tpacket_auxdata of linux/if_packet.h.
const sizeofAuxdata = 20

// sizeofDrops is the size of the count that SO_RXQ_OVFL adds.
const sizeofDrops = 4

// auxdata is what the kernel tells of a packet beside its bytes.
type auxdata struct {
	status uint32
	tci    uint16
	// drops is how many packets the socket's queue had no room for so far.
	drops uint32
}

// parseAuxdata finds the kernel's record among the control messages; without
// one, the packet is taken as complete and untagged.
func parseAuxdata(control []byte) auxdata {
	var aux auxdata
	for len(control) >= unix.SizeofCmsghdr {
		header, data, rest, err := unix.ParseOneSocketControlMessage(control)
		if err != nil {
			return auxdata{}
		}
		switch {
		case header.Level == unix.SOL_PACKET && header.Type == unix.PACKET_AUXDATA && len(data) >= sizeofAuxdata:
			// status, length, captured length, link and network offset, VLAN tag.
			aux.status = binary.NativeEndian.Uint32(data)
			aux.tci = binary.NativeEndian.Uint16(data[16:])
		case header.Level == unix.SOL_SOCKET && header.Type == unix.SO_RXQ_OVFL && len(data) >= sizeofDrops:
			aux.drops = binary.NativeEndian.Uint32(data)
		}
		control = rest
	}
	return aux
}

// partialChecksum reports that the sender on this machine left the UDP checksum
// to the hardware, which a virtual link does not have.
func (a auxdata) partialChecksum() bool { return a.status&unix.TP_STATUS_CSUMNOTREADY != 0 }

// vlan reports that the frame was tagged for a VLAN. One with VLAN 0 only has a priority.
func (a auxdata) vlan() bool {
	return a.status&unix.TP_STATUS_VLAN_VALID != 0 && a.tci&0x0fff != 0
}
