package dhcp4

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/lessee/lessee/names"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

func host(t testing.TB, s string) names.Host {
	t.Helper()
	h, err := names.ParseHost(s)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// life brings a client through DISCOVER, REQUESTs of all kinds, DECLINE, INFORM
// and RELEASE, and returns what it sent.
func life(t *testing.T, change func(*Config)) []Transmit {
	t.Helper()
	var all []Transmit
	w := newWorld(t, change)
	do := func(in Input) { w.tell(in); all = append(all, w.sent()...) }
	answer := func(r reply) { w.reply(r); all = append(all, w.sent()...) }
	wait := func() { w.wait(); all = append(all, w.sent()...) }
	do(LinkUp{})
	do(Start{})
	answer(w.newReply(wire.Offer))
	answer(w.newReply(wire.ACK))
	for w.c.State() != StateRebinding {
		wait()
	}
	answer(w.newReply(wire.ACK))
	do(LinkDown{})
	do(LinkUp{})
	answer(w.newReply(wire.ACK))
	do(Conflict{Address: testAddr, By: []byte{2, 0, 0, 0, 0, 7}})
	wait()
	answer(w.newReply(wire.Offer))
	answer(w.newReply(wire.ACK))
	do(Release{})
	do(Stop{})
	do(LinkUp{})
	do(StartInform{w.oldLease().Address})
	return all
}

func parse(t testing.TB, m Transmit) wire.Packet {
	t.Helper()
	p, err := wire.Parse(m.Message)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestProfile: what is told of the host stands in DISCOVER, REQUEST and INFORM
// and nowhere else (RFC 2131 tables 4 and 5), each once and as its RFC has it.
func TestProfile(t *testing.T) {
	t.Parallel()
	profile := &Profile{
		FQDN:        host(t, "box.example.org"),
		VendorClass: "lessee",
		UserClasses: []string{"lab", "guest"},
		VendorClasses: []wire.VendorClass{
			{Enterprise: 3561, Data: []byte("x")}, {Enterprise: 9, Data: []byte("ab")},
		},
		VendorOptions: []wire.VendorOptions{{Enterprise: 3561, Options: []wire.SubOption{{Code: 1, Value: []byte{2, 3}}}}},
		Send:          []Option{{wire.OptionVendorSpecific, []byte{1, 2, 3}}, {93, []byte{0, 7}}, {224, bytes.Repeat([]byte{5}, 300)}},
	}
	want := map[wire.OptionCode]string{
		81:  "05" + "0000" + "03626f78" + "076578616d706c65" + "036f7267" + "00", // RFC 4702 section 2: S and E
		60:  hex.EncodeToString([]byte("lessee")),
		77:  "036c6162" + "056775657374",            // RFC 3004 section 4
		124: "00000de9" + "0178" + "00000009026162", // RFC 3925 section 3
		125: "00000de9" + "04" + "01020203",         // section 4
		43:  "010203",
		93:  "0007",
		224: strings.Repeat("05", 300), // RFC 3396: in pieces
	}
	seen := map[wire.MessageType]bool{}
	for _, m := range life(t, func(cfg *Config) { cfg.HostName, cfg.Profile = "box", profile }) {
		p := parse(t, m)
		seen[m.Type] = true
		is := m.Type == wire.Discover || m.Type == wire.Request || m.Type == wire.Inform
		for code, value := range want {
			v, ok := p.Option(code)
			if ok != is || is && hex.EncodeToString(v) != value {
				t.Errorf("%v: option %d is %x (%v), want %s", m.Type, code, v, ok, value)
			}
		}
		// RFC 4702 section 3.1: not beside option 81.
		if _, ok := p.Option(wire.OptionHostName); ok {
			t.Errorf("%v: option 12 beside option 81", m.Type)
		}
	}
	for _, typ := range []wire.MessageType{wire.Discover, wire.Request, wire.Inform, wire.Decline, wire.Release} {
		if !seen[typ] {
			t.Errorf("no %v was sent", typ)
		}
	}
}

// TestFQDN: flags and form of option 81 (RFC 4702 sections 2.1, 2.3 and 3).
func TestFQDN(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		update FQDNUpdate
		want   string
	}{
		{"box.lan", FQDNByServer, "050000" + "03626f78036c616e00"},
		{"box.lan", FQDNByClient, "040000" + "03626f78036c616e00"},
		{"box.lan", FQDNByNobody, "0c0000" + "03626f78036c616e00"},
		{"box", FQDNByServer, "050000" + "03626f78"}, // in part: no final zero
	} {
		p := &Profile{FQDN: host(t, c.name), Update: c.update}
		if got := hex.EncodeToString(p.fqdn()); got != c.want {
			t.Errorf("%s, %d: %s, want %s", c.name, c.update, got, c.want)
		}
	}
}

// TestParameterList: options to ask for come last, those not to ask for go.
func TestParameterList(t *testing.T) {
	t.Parallel()
	list := func(change func(*Config)) []byte {
		w := newWorld(t, change)
		begin(w)
		v, _ := parse(t, w.sent()[0]).Option(wire.OptionParameterList)
		return v
	}
	usual := list(nil)
	got := list(func(cfg *Config) {
		cfg.Parameters = []wire.OptionCode{43, 3, 66, 43}
		cfg.NoParameters = []wire.OptionCode{121, 200}
	})
	want := slices.DeleteFunc(slices.Concat(usual, []byte{43, 66}), func(b byte) bool { return b == 121 })
	if !bytes.Equal(got, want) {
		t.Errorf("option 55 is %v, want %v", got, want)
	}
	if again := list(nil); !bytes.Equal(again, usual) {
		t.Errorf("another client asks for %v now, was %v", again, usual)
	}
}

func TestProfileErrors(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 256)
	for name, c := range map[string]Config{
		"vendor class":        {Profile: &Profile{VendorClass: long}},
		"user class":          {Profile: &Profile{UserClasses: []string{long}}},
		"empty user class":    {Profile: &Profile{UserClasses: []string{""}}},
		"enterprise class":    {Profile: &Profile{VendorClasses: []wire.VendorClass{{Data: []byte(long)}}}},
		"enterprise options":  {Profile: &Profile{VendorOptions: []wire.VendorOptions{{Options: []wire.SubOption{{Value: []byte(long)}}}}}},
		"more than fits":      {Profile: &Profile{Send: []Option{{43, bytes.Repeat([]byte{1}, 900)}}}},
		"no subnet mask":      {NoParameters: []wire.OptionCode{1}},
		"no lease time":       {NoParameters: []wire.OptionCode{51}},
		"no server":           {NoParameters: []wire.OptionCode{54}},
		"the message type":    {Profile: &Profile{Send: []Option{{53, []byte{1}}}}},
		"a client identifier": {Profile: &Profile{Send: []Option{{61, []byte{1}}}}},
	} {
		c.HardwareType, c.HardwareAddr = 1, testMAC
		if _, err := New(c); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// TestSendable: what the client writes itself nobody else may write.
func TestSendable(t *testing.T) {
	t.Parallel()
	var refused []int
	for code := range 256 {
		if Sendable(wire.OptionCode(code)) != nil {
			refused = append(refused, code)
		}
	}
	want := []int{0, 12, 50, 51, 52, 53, 54, 55, 57, 58, 59, 60, 61, 77, 80, 81, 82, 90, 108, 116, 124, 125, 145, 255}
	if !slices.Equal(refused, want) {
		t.Errorf("refused are %v, want %v", refused, want)
	}
}
