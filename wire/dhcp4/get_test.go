package dhcp4_test

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"

	"github.com/lessee/lessee/wire/dhcp4"
)

func TestOptionInPieces(t *testing.T) {
	t.Parallel()
	p := mustParse(t, raw(15, 2, 'l', 'a', 3, 4, 10, 0, 0, 1, 15, 0, 15, 1, 'b', 255))
	if v, ok := p.Option(dhcp4.OptionDomainName); !ok || string(v) != "lab" {
		t.Errorf("joined value is %q, %v", v, ok)
	}
	var pieces []string
	for code, v := range p.Options() {
		pieces = append(pieces, code.String()+"="+string(v))
	}
	want := []string{"domain name=la", "router=\n\x00\x00\x01", "domain name=", "domain name=b"}
	if !slices.Equal(pieces, want) {
		t.Errorf("pieces are %q, want %q", pieces, want)
	}
	for range p.Options() {
		break // leaving early must be possible
	}
}

func TestOptionIsASubslice(t *testing.T) {
	t.Parallel()
	b := raw(15, 3, 'l', 'a', 'b', 255)
	v, _ := mustParse(t, b).Option(dhcp4.OptionDomainName)
	if &v[0] != &b[242] {
		t.Error("a value in one piece was copied")
	}
	if _ = append(v, 'x'); b[245] != 255 {
		t.Error("appending to a value writes into the message")
	}
}

func TestOptionAbsentAndEmpty(t *testing.T) {
	t.Parallel()
	p := mustParse(t, raw(80, 0, 255))
	if v, ok := p.Option(dhcp4.OptionRapidCommit); !ok || len(v) != 0 {
		t.Errorf("an empty option is %x, %v", v, ok)
	}
	for _, code := range []dhcp4.OptionCode{dhcp4.OptionPad, dhcp4.OptionEnd, dhcp4.OptionDNS} {
		if v, ok := p.Option(code); ok || v != nil {
			t.Errorf("%v is %x, %v", code, v, ok)
		}
	}
}

func TestTypedOptions(t *testing.T) {
	t.Parallel()
	p := mustParse(t, raw(
		1, 4, 255, 255, 255, 0,
		3, 8, 10, 0, 0, 1, 10, 0, 0, 2,
		6, 4, 10, 0, 0, 3, 6, 4, 10, 0, 0, 4,
		26, 2, 5, 220,
		51, 4, 0, 1, 0, 0,
		19, 1, 1,
		44, 0,
		42, 5, 1, 2, 3, 4, 5,
		15, 5, 'l', 'a', 'b', 0, 0,
		255))
	if v, ok := p.Addr(dhcp4.OptionSubnetMask); !ok || v != addr("255.255.255.0") {
		t.Error("subnet mask:", v, ok)
	}
	if v, ok := p.Uint32(dhcp4.OptionLeaseTime); !ok || v != 65536 {
		t.Error("lease time:", v, ok)
	}
	if v, ok := p.Uint16(dhcp4.OptionMTU); !ok || v != 1500 {
		t.Error("MTU:", v, ok)
	}
	if v, ok := p.Uint8(dhcp4.OptionIPForwarding); !ok || v != 1 {
		t.Error("IP forwarding:", v, ok)
	}
	if v, ok := p.Text(dhcp4.OptionDomainName); !ok || v != "lab" {
		t.Errorf("domain name: %q, %v", v, ok)
	}
	for _, tt := range []struct {
		code dhcp4.OptionCode
		want []netip.Addr
	}{
		{dhcp4.OptionRouter, []netip.Addr{addr("10.0.0.1"), addr("10.0.0.2")}},
		{dhcp4.OptionDNS, []netip.Addr{addr("10.0.0.3"), addr("10.0.0.4")}},
		{dhcp4.OptionNetBIOSNameServer, nil},
		{dhcp4.OptionNTP, nil},
		{dhcp4.OptionLogServer, nil},
	} {
		if v, ok := p.Addrs(tt.code); ok != (tt.want != nil) || !slices.Equal(v, tt.want) {
			t.Errorf("%v is %v, %v", tt.code, v, ok)
		}
	}
	// Wrong lengths and absence read alike.
	for _, code := range []dhcp4.OptionCode{dhcp4.OptionNTP, dhcp4.OptionNetBIOSNameServer, dhcp4.OptionLogServer} {
		_, a := p.Addr(code)
		_, b := p.Uint8(code)
		_, c := p.Uint16(code)
		_, d := p.Uint32(code)
		if a || b || c || d {
			t.Errorf("%v reads as a value of a fixed size", code)
		}
	}
}

func TestStrings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ got, want string }{
		{dhcp4.OpRequest.String(), "BOOTREQUEST"},
		{dhcp4.OpReply.String(), "BOOTREPLY"},
		{dhcp4.Op(7).String(), "op 7"},
		{dhcp4.Discover.String(), "DISCOVER"},
		{dhcp4.ForceRenew.String(), "FORCERENEW"},
		{dhcp4.MessageType(0).String(), "BOOTP"},
		{dhcp4.MessageType(13).String(), "type 13"},
		{dhcp4.OptionLeaseTime.String(), "lease time"},
		{dhcp4.OptionCode(224).String(), "option 224"},
		{dhcp4.ReasonTooShort.String(), "message too short"},
		{dhcp4.Reason(0).String(), "reason 0"},
		{dhcp4.Reason(200).String(), "reason 200"},
		{(&dhcp4.Error{Reason: dhcp4.ReasonBadOp, Offset: 0}).Error(), "dhcp4: op is neither request nor reply at byte 0"},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
	for r := dhcp4.ReasonTooShort; r <= dhcp4.ReasonBadEncoding; r++ {
		if bytes.HasPrefix([]byte(r.String()), []byte("reason ")) {
			t.Errorf("reason %d has no text", r)
		}
	}
}
