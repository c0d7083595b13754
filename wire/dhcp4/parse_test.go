package dhcp4_test

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"github.com/lessee/lessee/wire/dhcp4"
)

// Each reason of Parse, with the offset it is reported at.
func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		b      []byte
		reason dhcp4.Reason
		offset int
	}{
		{"nothing", nil, dhcp4.ReasonTooShort, 0},
		{"one byte short of the cookie", raw()[:239], dhcp4.ReasonTooShort, 239},
		{"op 0", with(raw(), func(b []byte) { b[0] = 0 }), dhcp4.ReasonBadOp, 0},
		{"op 3", with(raw(), func(b []byte) { b[0] = 3 }), dhcp4.ReasonBadOp, 0},
		{"hardware address of 17 bytes", with(raw(), func(b []byte) { b[2] = 17 }), dhcp4.ReasonHardwareAddrTooLong, 2},
		{"no cookie", with(raw(), func(b []byte) { clear(b[236:]) }), dhcp4.ReasonBadMagicCookie, 236},
		{"code without length", raw(53, 1, 5, 51), dhcp4.ReasonOptionTruncated, 243},
		{"value cut off", raw(53, 1, 5, 51, 4, 0, 0, 1), dhcp4.ReasonOptionTruncated, 243},
		{"length 255 at the end", raw(12, 255), dhcp4.ReasonOptionTruncated, 240},
		{"overload 0", raw(52, 1, 0, 255), dhcp4.ReasonBadOverload, 240},
		{"overload 4", raw(52, 1, 4, 255), dhcp4.ReasonBadOverload, 240},
		{"overload of two bytes", raw(52, 2, 1, 1, 255), dhcp4.ReasonBadOverload, 240},
		{"overload without value", raw(52, 0, 255), dhcp4.ReasonBadOverload, 240},
		{"second overload malformed", raw(52, 1, 1, 52, 1, 9, 255), dhcp4.ReasonBadOverload, 243},
		{"type of no bytes", raw(53, 0, 255), dhcp4.ReasonMessageTypeLength, 240},
		{"type of two bytes", raw(53, 2, 0, 5, 255), dhcp4.ReasonMessageTypeLength, 240},
		{"second type malformed", raw(53, 1, 5, 53, 0, 255), dhcp4.ReasonMessageTypeLength, 243},
		{"type 0", raw(53, 1, 0, 255), dhcp4.ReasonMessageTypeZero, 242},
		{
			"option runs from file into the cookie",
			with(raw(52, 1, 1, 255), func(b []byte) { b[108], b[109] = 12, 127 }), dhcp4.ReasonOptionTruncated, 108,
		},
		{
			"option runs from sname into file",
			with(raw(52, 1, 2, 255), func(b []byte) { b[44], b[45] = 12, 63 }), dhcp4.ReasonOptionTruncated, 44,
		},
		{
			"code in the last byte of file",
			with(raw(52, 1, 3, 255), func(b []byte) { b[235] = 12 }), dhcp4.ReasonOptionTruncated, 235,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, err := dhcp4.Parse(tt.b)
			wantReason(t, err, tt.reason, tt.offset)
			if p.Bytes() != nil {
				t.Error("a packet is returned beside the error")
			}
		})
	}
}

// What real servers get wrong, or may do, must not cost us the lease.
func TestParseAccepts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		b    []byte
	}{
		{"END missing", raw(53, 1, 5, 54, 4, 10, 0, 0, 1)},
		{"END missing, padded", raw(53, 1, 5, 54, 4, 10, 0, 0, 1, 0, 0, 0)},
		{"END missing after an empty option", raw(53, 1, 5, 54, 4, 10, 0, 0, 1, 80, 0)},
		{"garbage after END", raw(53, 1, 5, 54, 4, 10, 0, 0, 1, 255, 51, 200, 1, 52, 9)},
		{"PAD between options", raw(0, 0, 53, 1, 5, 0, 54, 4, 10, 0, 0, 1, 0, 255)},
		{"repeated options of a fixed size", raw(53, 1, 5, 53, 1, 2, 54, 4, 10, 0, 0, 1, 54, 4, 10, 0, 0, 2, 255)},
		{"repeated option, first too short", raw(53, 1, 5, 54, 3, 10, 0, 0, 54, 4, 10, 0, 0, 1, 255)},
		{"server identifier in pieces", raw(53, 1, 5, 54, 1, 10, 54, 3, 0, 0, 1, 255)},
		{"everything in file", with(raw(52, 1, 1, 255), func(b []byte) {
			copy(b[108:], []byte{53, 1, 5, 54, 4, 10, 0, 0, 1, 255})
		})},
		{"everything in sname", with(raw(52, 1, 2, 255), func(b []byte) {
			copy(b[44:], []byte{53, 1, 5, 54, 4, 10, 0, 0, 1, 255})
		})},
		{"END missing from file", with(raw(52, 1, 1, 255), func(b []byte) {
			copy(b[108:], []byte{53, 1, 5, 54, 4, 10, 0, 0, 1})
		})},
		{"file filled to its last byte, without END", with(raw(53, 1, 5, 52, 1, 1, 255), func(b []byte) {
			b[108], b[109] = 43, 120
			copy(b[230:], []byte{54, 4, 10, 0, 0, 1})
		})},
		{"overload within file means nothing", with(raw(52, 1, 1, 255), func(b []byte) {
			copy(b[108:], []byte{52, 1, 3, 52, 0, 53, 1, 5, 54, 4, 10, 0, 0, 1, 255})
			b[44], b[45] = 54, 200
		})},
		{"hardware address of no bytes", with(raw(53, 1, 5, 54, 4, 10, 0, 0, 1, 255), func(b []byte) { b[2] = 0 })},
		{"64 KiB", append(raw(53, 1, 5, 54, 4, 10, 0, 0, 1, 255), make([]byte, 65000)...)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := mustParse(t, tt.b)
			if got := p.MessageType(); got != dhcp4.ACK {
				t.Errorf("type is %v", got)
			}
			if got, ok := p.Addr(dhcp4.OptionServerID); !ok || got != addr("10.0.0.1") {
				t.Errorf("server identifier is %v, %v", got, ok)
			}
		})
	}
}

func TestHeader(t *testing.T) {
	t.Parallel()
	b := raw(255)
	for i := 3; i < 44; i++ {
		b[i] = byte(i)
	}
	b[2], b[10] = 16, 0x80
	copy(b[44:], "server\x00junk")
	copy(b[108:], strings.Repeat("f", 128))
	p := mustParse(t, b)
	for _, tt := range []struct {
		field     string
		got, want any
	}{
		{"op", p.Op(), dhcp4.OpReply},
		{"htype", p.HardwareType(), dhcp4.HardwareEthernet},
		{"hops", p.Hops(), uint8(3)},
		{"xid", p.XID(), uint32(0x04050607)},
		{"secs", p.Secs(), uint16(0x0809)},
		{"broadcast", p.Broadcast(), true},
		{"ciaddr", p.ClientAddr(), addr("12.13.14.15")},
		{"yiaddr", p.YourAddr(), addr("16.17.18.19")},
		{"siaddr", p.NextServer(), addr("20.21.22.23")},
		{"giaddr", p.Relay(), addr("24.25.26.27")},
		{"sname", p.ServerName(), "server"},
		{"file", p.File(), strings.Repeat("f", 128)},
		{"type", p.MessageType(), dhcp4.MessageType(0)},
	} {
		if tt.got != tt.want {
			t.Errorf("%s is %v, want %v", tt.field, tt.got, tt.want)
		}
	}
	if got := p.HardwareAddr(); !bytes.Equal(got, b[28:44]) {
		t.Errorf("chaddr is %x", got)
	}
}

func TestZeroPacket(t *testing.T) {
	t.Parallel()
	var p dhcp4.Packet
	if p.Op() != 0 || p.XID() != 0 || p.YourAddr() != netip.IPv4Unspecified() || len(p.HardwareAddr()) != 0 ||
		p.File() != "" || p.ServerName() != "" || p.MessageType() != 0 {
		t.Error("the zero packet is not all zeros")
	}
	for code := range p.Options() {
		t.Errorf("the zero packet has an %v", code)
	}
	if _, ok := p.Option(dhcp4.OptionDNS); ok {
		t.Error("the zero packet has an option")
	}
}

func TestOverloadedFieldsAreNoText(t *testing.T) {
	t.Parallel()
	fill := func(b []byte) {
		copy(b[44:], []byte{12, 1, 's', 255})
		copy(b[108:], []byte{12, 1, 'f', 255})
	}
	for _, tt := range []struct {
		overload          byte
		sname, file, host string
	}{
		{1, "\f\x01s\xff", "", "of"},
		{2, "", "\f\x01f\xff", "os"},
		{3, "", "", "ofs"},
	} {
		p := mustParse(t, with(raw(12, 1, 'o', 52, 1, tt.overload, 255), fill))
		host, _ := p.Text(dhcp4.OptionHostName)
		if p.ServerName() != tt.sname || p.File() != tt.file || host != tt.host {
			t.Errorf("overload %d: sname %q, file %q, host name %q", tt.overload, p.ServerName(), p.File(), host)
		}
	}
}
