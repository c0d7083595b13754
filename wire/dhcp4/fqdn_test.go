package dhcp4_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/lessee/lessee/names"
	"github.com/lessee/lessee/wire/dhcp4"
)

func host(tb testing.TB, s string) names.Host {
	tb.Helper()
	h, err := names.ParseHost(s)
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

func domain(tb testing.TB, s string) names.Domain {
	tb.Helper()
	d, err := names.ParseDomain(s)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// RFC 4702, section 2: flags, two result codes, the name.
func TestFQDN(t *testing.T) {
	t.Parallel()
	const e = dhcp4.FQDNEncoded
	for _, c := range []struct {
		name  string
		fqdn  dhcp4.FQDN
		value string
	}{
		{"full", dhcp4.FQDN{Flags: e | dhcp4.FQDNServer, Name: host(t, "myhost.example.com")}, "\x05\x00\x00\x06myhost\x07example\x03com\x00"},
		{"partial", dhcp4.FQDN{Flags: e | dhcp4.FQDNServer, Name: host(t, "myhost"), Partial: true}, "\x05\x00\x00\x06myhost"},
		{"partial of two labels", dhcp4.FQDN{Flags: e, Name: host(t, "myhost.lab"), Partial: true}, "\x04\x00\x00\x06myhost\x03lab"},
		{"full of one label", dhcp4.FQDN{Flags: e, Name: host(t, "myhost")}, "\x04\x00\x00\x06myhost\x00"},
		{"no name", dhcp4.FQDN{Flags: e | dhcp4.FQDNNoUpdate}, "\x0c\x00\x00"},
		{"server's answer", dhcp4.FQDN{Flags: e | dhcp4.FQDNServer | dhcp4.FQDNOverride, RCode1: 255, RCode2: 255, Name: host(t, "a.b")}, "\x07\xff\xff\x01a\x01b\x00"},
		{"ASCII", dhcp4.FQDN{Flags: dhcp4.FQDNServer, RCode1: 255, RCode2: 255, Name: host(t, "myhost.example.com")}, "\x01\xff\xffmyhost.example.com"},
		{"ASCII, partial", dhcp4.FQDN{Name: host(t, "myhost"), Partial: true}, "\x00\x00\x00myhost"},
		{"ASCII, full of one label", dhcp4.FQDN{Name: host(t, "myhost")}, "\x00\x00\x00myhost."},
	} {
		if got := c.fqdn.Append([]byte{9}); string(got) != "\x09"+c.value {
			t.Errorf("%s: %q, want %q", c.name, got[1:], c.value)
		}
		if got, err := dhcp4.ParseFQDN([]byte(c.value)); err != nil || got != c.fqdn {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
	// What servers send besides.
	for value, want := range map[string]dhcp4.FQDN{
		"\x00\x00\x00a.b.":      {Name: host(t, "a.b")},
		"\x00\x00\x00a.b\x00":   {Name: host(t, "a.b")},
		"\x00\x00\x00":          {},
		"\x04\x00\x00\x00":      {Flags: e},
		"\xf5\x00\x00\x01a":     {Flags: 0xf5, Name: host(t, "a"), Partial: true},
		"\x00\xff\xffa\x00\x00": {RCode1: 255, RCode2: 255, Name: host(t, "a"), Partial: true},
	} {
		if got, err := dhcp4.ParseFQDN([]byte(value)); err != nil || got != want {
			t.Errorf("%q: %+v, %v", value, got, err)
		}
	}
}

func TestFQDNErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		value  string
		reason dhcp4.Reason
		offset int
	}{
		{"", dhcp4.ReasonValueTruncated, 0},
		{"\x04\x00", dhcp4.ReasonValueTruncated, 2},
		{"\x04\x00\x00\x05ab", dhcp4.ReasonNameTruncated, 3},
		{"\x04\x00\x00\x01a\x00\x01b", dhcp4.ReasonValueLength, 6},
		{"\x04\x00\x00\x01a\xc0\x00", dhcp4.ReasonNamePointer, 3},
		{"\x04\x00\x00\x40", dhcp4.ReasonNameLabel, 3},
		{"\x04\x00\x00\x03a.b\x00", dhcp4.ReasonBadName, 3},
		{"\x04\x00\x00\x03a\nb\x00", dhcp4.ReasonBadName, 3},
		{"\x00\x00\x00a\nb", dhcp4.ReasonBadName, 3},
		{"\x00\x00\x00a..b", dhcp4.ReasonBadName, 3},
		{"\x00\x00\x0010.0.0.1", dhcp4.ReasonBadName, 3},
		{"\x00\x00\x00" + strings.Repeat("a", 64), dhcp4.ReasonBadName, 3},
		{"\x04\x00\x00" + strings.Repeat("\x3f"+strings.Repeat("a", 63), 4) + "\x00", dhcp4.ReasonNameTooLong, 3},
	} {
		got, err := dhcp4.ParseFQDN([]byte(c.value))
		wantReason(t, err, c.reason, c.offset)
		if !got.Name.IsZero() {
			t.Errorf("%q: %+v with an error", c.value, got)
		}
	}
}

func TestAppendName(t *testing.T) {
	t.Parallel()
	if got := dhcp4.AppendName([]byte{1}, domain(t, "eng.example.com")); string(got) != "\x01\x03eng\x07example\x03com\x00" {
		t.Errorf("%q", got)
	}
	if got := dhcp4.AppendName(nil, names.Domain{}); !bytes.Equal(got, []byte{0}) {
		t.Errorf("the root is %q", got)
	}
}

// FuzzFQDN: what was read, written and read again is the same.
func FuzzFQDN(f *testing.F) {
	f.Add([]byte("\x05\x00\x00\x06myhost\x07example\x03com\x00"))
	f.Add([]byte("\x04\x00\x00\x06myhost"))
	f.Add([]byte("\x00\xff\xffmyhost."))
	f.Add([]byte("\x04\x00\x00\x01a\xc0\x00"))
	f.Fuzz(func(t *testing.T, value []byte) {
		fqdn, err := dhcp4.ParseFQDN(value)
		if err != nil {
			checkError(t, err, len(value))
			return
		}
		if again, err := dhcp4.ParseFQDN(fqdn.Append(nil)); err != nil || again != fqdn {
			t.Fatalf("%+v became %+v, %v", fqdn, again, err)
		}
	})
}
