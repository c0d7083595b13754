package udp4_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lessee/lessee/wire/udp4"
)

var (
	client = netip.MustParseAddrPort("0.0.0.0:68")
	all    = netip.MustParseAddrPort("255.255.255.255:67")
)

// naive is the checksum of RFC 1071 section 1 in its plainest form.
func naive(b []byte) uint16 {
	var s uint32
	for i := 0; i < len(b); i += 2 {
		s += uint32(b[i]) << 8
		if i+1 < len(b) {
			s += uint32(b[i+1])
		}
		s = s&0xffff + s>>16
	}
	return ^uint16(s)
}

// udpChecksum is the checksum that the packet should have, by the naive way.
func udpChecksum(packet []byte) uint16 {
	udp := bytes.Clone(packet[20:])
	udp[6], udp[7] = 0, 0
	pseudo := append(bytes.Clone(packet[12:20]), 0, 17, byte(len(udp)>>8), byte(len(udp)))
	if s := naive(append(pseudo, udp...)); s != 0 {
		return s
	}
	return 0xffff
}

// reseal writes the right IP header checksum.
func reseal(b []byte) []byte {
	header := min(int(b[0]&15)*4, len(b))
	b[10], b[11] = 0, 0
	binary.BigEndian.PutUint16(b[10:], naive(b[:header]))
	return b
}

func packet(tb testing.TB, payload string) []byte {
	tb.Helper()
	b, err := udp4.Append(nil, udp4.Datagram{Source: client, Destination: all, Payload: []byte(payload)})
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func TestAppend(t *testing.T) {
	t.Parallel()
	got, err := udp4.Append([]byte{0xaa}, udp4.Datagram{
		Source:      netip.MustParseAddrPort("192.0.2.1:68"),
		Destination: netip.MustParseAddrPort("198.51.100.2:67"),
		TTL:         9, TOS: 0x10, Payload: []byte("abc"),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []byte{
		0xaa,
		0x45, 0x10, 0, 31, 0, 0, 0x40, 0, 9, 17, 0, 0, 192, 0, 2, 1, 198, 51, 100, 2,
		0, 68, 0, 67, 0, 11, 0, 0, 'a', 'b', 'c',
	}
	reseal(want[1:])
	binary.BigEndian.PutUint16(want[1+26:], udpChecksum(want[1:]))
	if !bytes.Equal(got, want) {
		t.Errorf("got  %x\nwant %x", got, want)
	}
}

func TestAppendRefuses(t *testing.T) {
	t.Parallel()
	v6 := netip.MustParseAddrPort("[2001:db8::1]:68")
	for _, tt := range []struct {
		name   string
		d      udp4.Datagram
		reason udp4.Reason
	}{
		{"source IPv6", udp4.Datagram{Source: v6, Destination: all}, udp4.ReasonNotIPv4},
		{"destination IPv6", udp4.Datagram{Source: client, Destination: v6}, udp4.ReasonNotIPv4},
		{"no addresses", udp4.Datagram{}, udp4.ReasonNotIPv4},
		{
			"too long",
			udp4.Datagram{Source: client, Destination: all, Payload: make([]byte, udp4.MaxPayload+1)},
			udp4.ReasonTooLong,
		},
	} {
		b, err := udp4.Append([]byte{1}, tt.d)
		wantReason(t, tt.name, err, tt.reason)
		if !bytes.Equal(b, []byte{1}) {
			t.Errorf("%s: %x", tt.name, b)
		}
	}
	b, err := udp4.Append(nil, udp4.Datagram{Source: client, Destination: all, Payload: make([]byte, udp4.MaxPayload)})
	if err != nil || len(b) != 65535 {
		t.Errorf("longest payload: %d bytes, %v", len(b), err)
	}
	if _, err := udp4.Parse(b, false); err != nil {
		t.Error(err)
	}
}

func wantReason(t *testing.T, name string, err error, reason udp4.Reason) {
	t.Helper()
	var e *udp4.Error
	if !errors.As(err, &e) || e.Reason != reason {
		t.Errorf("%s: %v, want %q", name, err, reason)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(b []byte) []byte
		reason udp4.Reason
	}{
		{"nothing", func([]byte) []byte { return nil }, udp4.ReasonTooShort},
		{"19 bytes", func(b []byte) []byte { return b[:19] }, udp4.ReasonTooShort},
		{"version 6", func(b []byte) []byte { b[0] = 0x65; return reseal(b) }, udp4.ReasonNotIPv4},
		{"header of 16 bytes", func(b []byte) []byte { b[0] = 0x44; return reseal(b) }, udp4.ReasonHeaderLength},
		{"header beyond the end", func(b []byte) []byte { b[0] = 0x4f; return b[:40] }, udp4.ReasonHeaderLength},
		{"total length within the header", func(b []byte) []byte { b[3] = 19; return reseal(b) }, udp4.ReasonTotalLength},
		{"total length beyond the end", func(b []byte) []byte { return b[:len(b)-1] }, udp4.ReasonTotalLength},
		{"header checksum", func(b []byte) []byte { b[10] ^= 1; return b }, udp4.ReasonHeaderChecksum},
		{"first fragment", func(b []byte) []byte { b[6] = 0x20; return reseal(b) }, udp4.ReasonFragment},
		{"later fragment", func(b []byte) []byte { b[6], b[7] = 0, 1; return reseal(b) }, udp4.ReasonFragment},
		{"TCP", func(b []byte) []byte { b[9] = 6; return reseal(b) }, udp4.ReasonNotUDP},
		{"no room for a UDP header", func(b []byte) []byte { b[3] = 27; return reseal(b) }, udp4.ReasonUDPLength},
		{"UDP length 7", func(b []byte) []byte { b[25] = 7; return b }, udp4.ReasonUDPLength},
		{"UDP length 0", func(b []byte) []byte { b[25] = 0; return b }, udp4.ReasonUDPLength},
		{"UDP length beyond the packet", func(b []byte) []byte { b[25]++; return b }, udp4.ReasonUDPLength},
		{"UDP checksum", func(b []byte) []byte { b[26] ^= 1; return b }, udp4.ReasonUDPChecksum},
		{"payload changed", func(b []byte) []byte { b[28] ^= 1; return b }, udp4.ReasonUDPChecksum},
	} {
		d, err := udp4.Parse(tt.change(packet(t, strings.Repeat("p", 30))), false)
		wantReason(t, tt.name, err, tt.reason)
		if d.Payload != nil {
			t.Errorf("%s: a payload beside the error", tt.name)
		}
	}
}

func TestParseAccepts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		partial bool
		change  func(b []byte) []byte
		want    string
	}{
		{"as written", false, func(b []byte) []byte { return b }, "payload"},
		{"link padding", false, func(b []byte) []byte { return append(b, make([]byte, 25)...) }, "payload"},
		{"garbage as padding", false, func(b []byte) []byte { return append(b, "garbage"...) }, "payload"},
		{"no UDP checksum", false, func(b []byte) []byte { b[26], b[27] = 0, 0; return b }, "payload"},
		{"partial UDP checksum", true, func(b []byte) []byte { b[26], b[27] = 0x12, 0x34; return b }, "payload"},
		{"IP options", false, func(b []byte) []byte {
			b = append(b[:20:20], append([]byte{148, 4, 0, 0}, b[20:]...)...) // router alert
			b[0], b[3] = 0x46, b[3]+4
			return reseal(b)
		}, "payload"},
		{"may be fragmented, has an identification", false, func(b []byte) []byte {
			b[4], b[5], b[6] = 1, 2, 0
			return reseal(b)
		}, "payload"},
		{"UDP length shorter than the packet", true, func(b []byte) []byte { b[25] -= 3; return b }, "payl"},
		{"no payload", true, func(b []byte) []byte { b[25] = 8; return b }, ""},
	} {
		d, err := udp4.Parse(tt.change(packet(t, "payload")), tt.partial)
		if err != nil || string(d.Payload) != tt.want || d.Source != client || d.Destination != all || d.TTL != udp4.DefaultTTL {
			t.Errorf("%s: %+v, %v", tt.name, d, err)
		}
	}
}

// A checksum that comes out as zero is sent as 0xffff: zero says "none".
func TestChecksumZero(t *testing.T) {
	t.Parallel()
	b := packet(t, "\x00\x00")
	b = packet(t, string(b[26:28])) // a payload equal to the checksum makes the sum all ones
	if b[26] != 0xff || b[27] != 0xff {
		t.Fatalf("checksum %x", b[26:28])
	}
	if _, err := udp4.Parse(b, false); err != nil {
		t.Error(err)
	}
}

func TestPropertyRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		addr := func(name string) netip.AddrPort {
			b := rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, name)
			return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b)), rapid.Uint16().Draw(t, name+" port"))
		}
		want := udp4.Datagram{
			Source: addr("source"), Destination: addr("destination"),
			TTL: rapid.Uint8Range(1, 255).Draw(t, "ttl"), TOS: rapid.Uint8().Draw(t, "tos"),
			Payload: rapid.SliceOfN(rapid.Byte(), 0, 600).Draw(t, "payload"),
		}
		b, err := udp4.Append(nil, want)
		if err != nil {
			t.Fatal(err)
		}
		if naive(b[:20]) != 0 || binary.BigEndian.Uint16(b[26:]) != udpChecksum(b) {
			t.Fatalf("checksums differ from the naive ones: %x", b)
		}
		got, err := udp4.Parse(b, false)
		if err != nil || got.Source != want.Source || got.Destination != want.Destination || got.TTL != want.TTL ||
			got.TOS != want.TOS || !bytes.Equal(got.Payload, want.Payload) {
			t.Fatalf("%+v came back as %+v, %v", want, got, err)
		}
		// One wrong bit is noticed, but in a length: then other bytes are summed, and that can come out right.
		bit := rapid.IntRange(0, len(b)*8-1).Filter(func(bit int) bool {
			return bit/8 != 0 && bit/8 != 24 && bit/8 != 25
		}).Draw(t, "bit")
		b[bit/8] ^= 1 << (bit % 8)
		if binary.BigEndian.Uint16(b[26:]) == 0 {
			return // it says now that there is no checksum
		}
		if d, err := udp4.Parse(b, false); err == nil {
			t.Fatalf("bit %d changed, unnoticed: %+v", bit, d)
		}
	})
}

func TestStrings(t *testing.T) {
	t.Parallel()
	for r := udp4.ReasonTooShort; r <= udp4.ReasonTooLong; r++ {
		if strings.HasPrefix(r.String(), "reason ") {
			t.Errorf("reason %d has no text", r)
		}
	}
	if s := udp4.Reason(99).String(); s != "reason 99" {
		t.Error(s)
	}
	if s := (&udp4.Error{Reason: udp4.ReasonFragment}).Error(); s != "udp4: fragment" {
		t.Error(s)
	}
}

// capture returns a packet that a real server's kernel sent.
func capture(tb testing.TB, name string) []byte {
	tb.Helper()
	text, err := os.ReadFile("../dhcp4/testdata/captures/" + name + ".hex")
	if err != nil {
		tb.Fatal(err)
	}
	s := strings.TrimPrefix(string(text), "# partial checksum\n")
	b, err := hex.DecodeString(strings.ReplaceAll(s, "\n", ""))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// The kernel leaves the sum of the pseudo header where the checksum goes.
func TestCapturedPartialChecksum(t *testing.T) {
	t.Parallel()
	b := capture(t, "dnsmasq-ack")
	_, err := udp4.Parse(b, false)
	wantReason(t, "taken at face value", err, udp4.ReasonUDPChecksum)
	if d, err := udp4.Parse(b, true); err != nil || d.Source.Port() != 67 || len(d.Payload) < 300 {
		t.Errorf("%+v, %v", d.Source, err)
	}
	b = capture(t, "kea-ack")
	if _, err := udp4.Parse(b, false); err != nil {
		t.Error(err)
	}
}

func TestNoAllocation(t *testing.T) { // AllocsPerRun must not run beside other tests
	b := capture(t, "kea-ack")
	if n := testing.AllocsPerRun(100, func() {
		if _, err := udp4.Parse(b, false); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("Parse: %v allocations", n)
	}
	damaged := slices.Clone(b)
	damaged[len(damaged)-1]++
	if n := testing.AllocsPerRun(100, func() {
		if _, err := udp4.Parse(damaged, false); err == nil {
			t.Fatal("accepted")
		}
	}); n != 0 {
		t.Errorf("Parse of a damaged packet: %v allocations", n)
	}
	out := make([]byte, 0, 600)
	d := udp4.Datagram{Source: client, Destination: all, Payload: make([]byte, 300)}
	if n := testing.AllocsPerRun(100, func() {
		if _, err := udp4.Append(out, d); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("Append: %v allocations", n)
	}
}

func BenchmarkParse(b *testing.B) {
	p := capture(b, "kea-ack")
	b.SetBytes(int64(len(p)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := udp4.Parse(p, false); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzParse: nothing panics; what is accepted is within the packet and can be
// written again; with the checksum accepted it is accepted without.
func FuzzParse(f *testing.F) {
	f.Add(packet(f, "payload"), false)
	f.Add(append(packet(f, ""), "padding"...), false)
	f.Add(capture(f, "kea-ack"), false)
	f.Add(capture(f, "dnsmasq-ack"), true)
	f.Fuzz(func(t *testing.T, b []byte, partial bool) {
		d, err := udp4.Parse(b, partial)
		if err != nil {
			var e *udp4.Error
			if !errors.As(err, &e) || e.Reason < udp4.ReasonTooShort || e.Reason > udp4.ReasonUDPChecksum {
				t.Fatal(err)
			}
			return
		}
		if len(d.Payload) > len(b)-udp4.Overhead || cap(d.Payload) != len(d.Payload) {
			t.Fatalf("payload of %d bytes, room for %d, in a packet of %d", len(d.Payload), cap(d.Payload), len(b))
		}
		if _, err := udp4.Parse(b, true); err != nil {
			t.Fatalf("accepted, but not without its checksum: %v", err)
		}
		again, err := udp4.Append(nil, d)
		if err != nil {
			t.Fatal(err)
		}
		e, err := udp4.Parse(again, false)
		if d.TTL == 0 {
			d.TTL = udp4.DefaultTTL
		}
		if err != nil || e.Source != d.Source || e.Destination != d.Destination || e.TTL != d.TTL || e.TOS != d.TOS ||
			!bytes.Equal(e.Payload, d.Payload) {
			t.Fatalf("%+v became %+v, %v", d, e, err)
		}
	})
}
