package arp_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lessee/lessee/wire/arp"
)

var (
	mac  = arp.HardwareAddr{2, 0, 0, 0, 0, 2}
	peer = arp.HardwareAddr{2, 0, 0, 0, 0, 1}
	ours = netip.MustParseAddr("10.77.0.105")
	its  = netip.MustParseAddr("10.77.0.1")
)

func TestAppend(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		p    arp.Packet
		want string
	}{
		{"probe", arp.Probe(mac, ours), "0001080006040001" + "020000000002" + "00000000" + "000000000000" + "0a4d0069"},
		{"announcement", arp.Announcement(mac, ours), "0001080006040001" + "020000000002" + "0a4d0069" + "000000000000" + "0a4d0069"},
		{
			"reply",
			arp.Packet{Op: arp.OpReply, SenderHardware: peer, Sender: its, TargetHardware: mac, Target: ours},
			"0001080006040002" + "020000000001" + "0a4d0001" + "020000000002" + "0a4d0069",
		},
		{"no addresses", arp.Packet{Op: arp.OpRequest}, "0001080006040001" + strings.Repeat("00", 20)},
		{"another operation", arp.Packet{Op: 0x0102}, "0001080006040102" + strings.Repeat("00", 20)},
		{
			"addresses that are not IPv4",
			arp.Packet{Op: arp.OpRequest, Sender: netip.MustParseAddr("fe80::1"), Target: netip.MustParseAddr("::ffff:10.77.0.1")},
			"0001080006040001" + strings.Repeat("00", 16) + "0a4d0001",
		},
	} {
		if got := hex.EncodeToString(arp.Append(nil, tt.p)); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	if got := arp.Append([]byte{9}, arp.Probe(mac, ours)); got[0] != 9 || len(got) != 1+arp.Length {
		t.Errorf("appended: %x", got)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	want := arp.Packet{Op: arp.OpReply, SenderHardware: peer, Sender: its, TargetHardware: mac, Target: ours}
	b := append(arp.Append(nil, want), make([]byte, 18)...) // Ethernet's padding
	if got, err := arp.Parse(b); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	set := func(i int, v ...byte) func([]byte) []byte {
		return func(b []byte) []byte { copy(b[i:], v); return b }
	}
	for _, tt := range []struct {
		name   string
		change func(b []byte) []byte
		reason arp.Reason
	}{
		{"nothing", func([]byte) []byte { return nil }, arp.ReasonTooShort},
		{"27 bytes", func(b []byte) []byte { return b[:27] }, arp.ReasonTooShort},
		{"IEEE 802", set(0, 0, 6), arp.ReasonHardwareType},
		{"InfiniBand", set(0, 0, 32), arp.ReasonHardwareType},
		{"IPv6", set(2, 0x86, 0xdd), arp.ReasonProtocolType},
		{"hardware address of 8 bytes", set(4, 8), arp.ReasonAddressLength},
		{"protocol address of 16 bytes", set(5, 16), arp.ReasonAddressLength},
		{"op 0", set(6, 0, 0), arp.ReasonBadOp},
		{"reverse request", set(6, 0, 3), arp.ReasonBadOp},
		{"op 257", set(6, 1, 1), arp.ReasonBadOp},
	} {
		p, err := arp.Parse(tt.change(arp.Append(nil, arp.Probe(mac, ours))))
		var e *arp.Error
		if !errors.As(err, &e) || e.Reason != tt.reason || p != (arp.Packet{}) {
			t.Errorf("%s: %+v, %v; want %q", tt.name, p, err, tt.reason)
		}
	}
}

// RFC 5227 section 1.1 defines both.
func TestProbeAndAnnouncement(t *testing.T) {
	t.Parallel()
	reply := arp.Announcement(mac, ours)
	reply.Op = arp.OpReply
	for _, tt := range []struct {
		name                string
		p                   arp.Packet
		probe, announcement bool
	}{
		{"probe", arp.Probe(mac, ours), true, false},
		{"announcement", arp.Announcement(mac, ours), false, true},
		{"gratuitous reply", reply, false, false},
		{"question", arp.Packet{Op: arp.OpRequest, SenderHardware: mac, Sender: ours, Target: its}, false, false},
		{"reply from 0.0.0.0", arp.Packet{Op: arp.OpReply, Sender: netip.IPv4Unspecified(), Target: ours}, false, false},
		{"probe for 0.0.0.0", arp.Probe(mac, netip.IPv4Unspecified()), true, false},
		{"request without addresses", arp.Packet{Op: arp.OpRequest}, false, false},
	} {
		back, err := arp.Parse(arp.Append(nil, tt.p))
		if err != nil || tt.p.Sender.IsValid() && back != tt.p {
			t.Errorf("%s came back as %+v, %v", tt.name, back, err)
		}
		if tt.p.IsProbe() != tt.probe || tt.p.IsAnnouncement() != tt.announcement {
			t.Errorf("%s: probe %v, announcement %v", tt.name, tt.p.IsProbe(), tt.p.IsAnnouncement())
		}
	}
}

func TestPropertyRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(t, "addresses")
		p := arp.Packet{
			Op:             rapid.SampledFrom([]arp.Op{arp.OpRequest, arp.OpReply}).Draw(t, "op"),
			SenderHardware: arp.HardwareAddr(b), Sender: netip.AddrFrom4([4]byte(b[6:])),
			TargetHardware: arp.HardwareAddr(b[10:]), Target: netip.AddrFrom4([4]byte(b[16:])),
		}
		if got, err := arp.Parse(arp.Append(nil, p)); err != nil || got != p {
			t.Fatalf("%+v came back as %+v, %v", p, got, err)
		}
	})
}

func TestStrings(t *testing.T) {
	t.Parallel()
	for r := arp.ReasonTooShort; r <= arp.ReasonBadOp; r++ {
		if strings.HasPrefix(r.String(), "reason ") {
			t.Errorf("reason %d has no text", r)
		}
	}
	for _, tt := range []struct{ got, want string }{
		{arp.Reason(99).String(), "reason 99"},
		{arp.OpRequest.String(), "request"},
		{arp.OpReply.String(), "reply"},
		{arp.Op(9).String(), "op 9"},
		{(&arp.Error{Reason: arp.ReasonTooShort}).Error(), "arp: packet too short"},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}

func TestNoAllocation(t *testing.T) { // AllocsPerRun must not run beside other tests
	b := make([]byte, 0, arp.Length)
	if n := testing.AllocsPerRun(100, func() {
		if p, err := arp.Parse(arp.Append(b, arp.Probe(mac, ours))); err != nil || !p.IsProbe() {
			t.Fatal(p, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzParse: nothing panics, and what is accepted is written again as it was.
func FuzzParse(f *testing.F) {
	f.Add(arp.Append(nil, arp.Probe(mac, ours)))
	f.Add(append(arp.Append(nil, arp.Announcement(mac, ours)), make([]byte, 18)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := arp.Parse(b)
		if err != nil {
			var e *arp.Error
			if !errors.As(err, &e) || e.Reason < arp.ReasonTooShort || e.Reason > arp.ReasonBadOp {
				t.Fatal(err)
			}
			return
		}
		if got := arp.Append(nil, p); !bytes.Equal(got, b[:arp.Length]) {
			t.Fatalf("%x became %x", b[:arp.Length], got)
		}
		if p.IsProbe() && p.IsAnnouncement() {
			t.Fatalf("both probe and announcement: %+v", p)
		}
	})
}
