package udp4_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/lessee/lessee/wire/udp4"
)

// A UDP length of less than its own header, or of more than there is, and a
// packet that is cut off anywhere are refused and crash nobody (n-dhcp4#53,
// insomniacslk#507: a slice out of range).
func TestPain_insomniacslk507_UDPLength(t *testing.T) {
	t.Parallel()
	whole := packet(t, "a message")
	if d, err := udp4.Parse(whole, false); err != nil || string(d.Payload) != "a message" {
		t.Fatalf("the whole packet: %v %v", d, err)
	}
	for n := range whole {
		if d, err := udp4.Parse(whole[:n], true); err == nil {
			t.Errorf("%d bytes of %d are a datagram of %d", n, len(whole), len(d.Payload))
		}
	}
	for length := range 1 << 16 {
		b := bytes.Clone(whole)
		binary.BigEndian.PutUint16(b[24:], uint16(length))
		d, err := udp4.Parse(b, true) // the checksum does not decide
		if fits := length >= 8 && length <= len(whole)-20; (err == nil) != fits {
			t.Fatalf("UDP length %d: %v, error %v", length, d, err)
		} else if fits && len(d.Payload) != length-8 {
			t.Fatalf("UDP length %d: a payload of %d", length, len(d.Payload))
		}
	}
	for total := range 1 << 16 {
		b := bytes.Clone(whole)
		binary.BigEndian.PutUint16(b[2:], uint16(total))
		if d, err := udp4.Parse(reseal(b), true); err == nil && total != len(whole) {
			if total > len(whole) || len(d.Payload) > total-28 {
				t.Fatalf("IP length %d: a payload of %d", total, len(d.Payload))
			}
		}
	}
	for ihl := range 16 {
		b := bytes.Clone(whole)
		b[0] = 0x40 | byte(ihl)
		_, _ = udp4.Parse(reseal(b), true)
	}
}
