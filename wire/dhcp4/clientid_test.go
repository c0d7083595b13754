package dhcp4_test

import (
	"bytes"
	"testing"

	"github.com/lessee/lessee/wire/dhcp4"
)

// RFC 4361, section 6.1: type 255, IAID, DUID; the DUIDs of RFC 9915, section 11.
func TestNodeClientID(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		duid []byte
		want string
	}{
		{"DUID-LL", dhcp4.DUIDFromLink(1, hardware), "\x00\x03\x00\x01\x02\x00\x00\x00\x00\x02"},
		{"DUID-UUID", dhcp4.DUIDFromUUID([16]byte{0xf8, 15: 1}), "\x00\x04\xf8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"},
		// RFC 9915, section 11.3: the example of a DUID-EN.
		{"DUID-EN", dhcp4.DUIDFromEnterprise(32473, []byte{0x0c, 0xc0, 0x84, 0xd3, 0x03, 0x00, 0x09, 0x12}), "\x00\x02\x00\x00\x7e\xd9\x0c\xc0\x84\xd3\x03\x00\x09\x12"},
	} {
		if string(c.duid) != c.want {
			t.Errorf("%s is %x, want %x", c.name, c.duid, c.want)
		}
		id := dhcp4.NodeClientID(0x01020304, c.duid)
		if want := "\xff\x01\x02\x03\x04" + c.want; string(id) != want {
			t.Errorf("%s: identifier %x, want %x", c.name, id, want)
		}
		if iaid, duid, ok := dhcp4.SplitClientID(id); !ok || iaid != 0x01020304 || !bytes.Equal(duid, c.duid) {
			t.Errorf("%s: %x, %x, %v", c.name, iaid, duid, ok)
		}
	}
	for _, id := range [][]byte{nil, {255}, {255, 0, 0, 0, 1, 0, 1}, {1, 0, 0, 0, 1, 0, 1, 2}, append([]byte{255, 0, 0, 0, 1}, make([]byte, dhcp4.MaxDUID+1)...)} {
		if _, _, ok := dhcp4.SplitClientID(id); ok {
			t.Errorf("%x was taken", id)
		}
	}
}
