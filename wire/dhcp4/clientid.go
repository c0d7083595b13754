package dhcp4

import "encoding/binary"

const (
	// ClientIDNode is the type of a client identifier by RFC 4361 section 6.1.
	ClientIDNode uint8 = 255

	// MaxDUID is the length of the longest DUID (RFC 9915 section 11.1: 128
	// bytes beside the type).
	MaxDUID = 130
	// MinDUID is the length of the shortest: a type and a byte.
	MinDUID = 3
)

// The types of a DUID (RFC 9915 section 11).
const (
	duidEnterprise uint16 = 2
	duidLink       uint16 = 3
	duidUUID       uint16 = 4
)

// NodeClientID returns the value of option 61 that names a node's interface:
// type 255, IAID and DUID (RFC 4361 section 6.1).
func NodeClientID(iaid uint32, duid []byte) []byte {
	id := make([]byte, 0, 5+len(duid))
	id = append(id, ClientIDNode)
	id = binary.BigEndian.AppendUint32(id, iaid)
	return append(id, duid...)
}

// SplitClientID returns IAID and DUID of a client identifier that
// [NodeClientID] made; false for one of another type, or whose DUID is not 3 to
// 130 bytes long. The DUID is part of id, not a copy.
func SplitClientID(id []byte) (iaid uint32, duid []byte, ok bool) {
	if len(id) < 5+MinDUID || len(id) > 5+MaxDUID || id[0] != ClientIDNode {
		return 0, nil, false
	}
	return binary.BigEndian.Uint32(id[1:]), id[5:len(id):len(id)], true
}

// DUIDFromLink returns a DUID-LL (RFC 9915 section 11.4): a node known by the
// link address of one of its interfaces.
func DUIDFromLink(hardwareType uint16, addr []byte) []byte {
	d := binary.BigEndian.AppendUint16(nil, duidLink)
	d = binary.BigEndian.AppendUint16(d, hardwareType)
	return append(d, addr...)
}

// DUIDFromUUID returns a DUID-UUID (RFC 6355).
func DUIDFromUUID(uuid [16]byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, duidUUID), uuid[:]...)
}

// DUIDFromEnterprise returns a DUID-EN (RFC 9915 section 11.3): what a vendor
// with that number in IANA's registry calls the node.
func DUIDFromEnterprise(enterprise uint32, id []byte) []byte {
	d := binary.BigEndian.AppendUint16(nil, duidEnterprise)
	d = binary.BigEndian.AppendUint32(d, enterprise)
	return append(d, id...)
}
