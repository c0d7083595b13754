package dhcp4_test

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lessee/lessee/names"
	"github.com/lessee/lessee/wire/dhcp4"
)

var byValue = cmpopts.EquateComparable(netip.Addr{}, names.Host{}, names.Domain{}, names.Token{}, names.Template{})

// instance returns one resolver of option 162 with its length.
func instance(b string) string {
	return string(binary.BigEndian.AppendUint16(nil, uint16(len(b)))) + b
}

const (
	dnsName = "\x0d\x03dns\x07example\x00"
	at      = "\x04\x0a\x00\x00\x35"
	alpn    = "\x00\x01\x00\x07\x03dot\x02h2"
	port    = "\x00\x03\x00\x02\x22\xb8"
	path    = "\x00\x07\x00\x10/dns-query{?dns}"
)

// RFC 9463, section 5.1: length, priority, name, addresses, parameters.
func TestDNR(t *testing.T) {
	t.Parallel()
	token := func(s string) names.Token {
		v, err := names.ParseToken(s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	template, err := names.ParseTemplate("/dns-query{?dns}")
	if err != nil {
		t.Fatal(err)
	}
	full := dhcp4.Resolver{
		Priority: 1, Name: host(t, "dns.example"), Addresses: []netip.Addr{addr("10.0.0.53")},
		ALPN: []names.Token{token("dot"), token("h2")}, Port: 8888, DoHPath: template,
	}
	only := dhcp4.Resolver{Priority: 0x102, Name: host(t, "dns.example")}
	value := instance("\x00\x01"+dnsName+at+alpn+port+path) + instance("\x01\x02"+dnsName)
	got, err := dhcp4.ParseDNR([]byte(value))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]dhcp4.Resolver{full, only}, got, byValue); d != "" {
		t.Error(d)
	}
	if again := dhcp4.AppendDNR([]byte{1}, full, dhcp4.Resolver{}, only); string(again) != "\x01"+value {
		t.Errorf("%q, want %q", again[1:], value)
	}
}

// What must not be used is left out, and what follows is not.
func TestDNRLeavesOut(t *testing.T) {
	t.Parallel()
	good := instance("\x00\x01" + dnsName + at + alpn)
	for name, bad := range map[string]string{
		"nothing":              "",
		"no name":              "\x00\x01\x00",
		"root":                 "\x00\x01\x01\x00",
		"name cut":             "\x00\x01\x0d\x03dns",
		"name not ended":       "\x00\x01\x04\x03dns",
		"name with more":       "\x00\x01\x0e\x03dns\x07example\x00\x00",
		"name for a shell":     "\x00\x01\x07\x05a;b$c\x00",
		"name with underscore": "\x00\x01\x04\x02_a\x00",
		"addresses cut":        "\x00\x01" + dnsName + "\x08\x0a\x00\x00\x35",
		"address cut":          "\x00\x01" + dnsName + "\x03\x0a\x00\x00",
		"no address":           "\x00\x01" + dnsName + "\x00" + alpn,
		"loopback only":        "\x00\x01" + dnsName + "\x04\x7f\x00\x00\x01" + alpn,
		"multicast only":       "\x00\x01" + dnsName + "\x04\xe0\x00\x00\x01" + alpn,
		"parameter cut":        "\x00\x01" + dnsName + at + "\x00\x01\x00\x09\x03dot",
		"parameter header cut": "\x00\x01" + dnsName + at + "\x00\x01\x00",
		"keys out of order":    "\x00\x01" + dnsName + at + port + alpn,
		"key twice":            "\x00\x01" + dnsName + at + port + port,
		"no protocol":          "\x00\x01" + dnsName + at + "\x00\x01\x00\x00",
		"empty protocol":       "\x00\x01" + dnsName + at + "\x00\x01\x00\x01\x00",
		"protocol cut":         "\x00\x01" + dnsName + at + "\x00\x01\x00\x02\x05h",
		"protocol for a shell": "\x00\x01" + dnsName + at + "\x00\x01\x00\x03\x02`a",
		"port 0":               "\x00\x01" + dnsName + at + "\x00\x03\x00\x02\x00\x00",
		"port of 1 byte":       "\x00\x01" + dnsName + at + "\x00\x03\x00\x01\x01",
		"path elsewhere":       "\x00\x01" + dnsName + at + "\x00\x07\x00\x0b//evil{dns}",
		"unknown mandatory":    "\x00\x01" + dnsName + at + "\x00\x00\x00\x02\x00\x05",
		"mandatory of 1 byte":  "\x00\x01" + dnsName + at + "\x00\x00\x00\x01\x01",
		"empty mandatory":      "\x00\x01" + dnsName + at + "\x00\x00\x00\x00",
	} {
		got, err := dhcp4.ParseDNR([]byte(instance(bad) + good))
		if err != nil || len(got) != 1 || got[0].Name.String() != "dns.example" || len(got[0].ALPN) != 2 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	// What is new to us is no reason to leave a resolver out.
	for name, ok := range map[string]string{
		"loopback among others": "\x00\x01" + dnsName + "\x08\x7f\x00\x00\x01\x0a\x00\x00\x35" + alpn,
		"known mandatory":       "\x00\x01" + dnsName + at + "\x00\x00\x00\x02\x00\x01" + alpn,
		"hints and others":      "\x00\x01" + dnsName + at + alpn + "\x00\x02\x00\x00\x00\x04\x00\x04\x01\x02\x03\x04\x01\x00\x00\x00",
	} {
		got, err := dhcp4.ParseDNR([]byte(instance(ok)))
		if err != nil || len(got) != 1 || len(got[0].Addresses) != 1 || len(got[0].ALPN) != 2 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if got, err := dhcp4.ParseDNR([]byte(strings.Repeat(good, 40))); err != nil || len(got) != dhcp4.MaxResolvers {
		t.Errorf("%d resolvers, %v", len(got), err)
	}
}

func TestDNRErrors(t *testing.T) {
	t.Parallel()
	for value, offset := range map[string]int{"": 0, "\x00": 0, "\x00\x05\x00\x01": 0, instance("\x00\x01"+dnsName) + "\x00": 18} {
		got, err := dhcp4.ParseDNR([]byte(value))
		wantReason(t, err, dhcp4.ReasonValueTruncated, offset)
		if got != nil {
			t.Errorf("%q: %v with an error", value, got)
		}
	}
}

// FuzzExtras: the decoders of rare options do not panic, and what they accept
// is written and read again as the same.
func FuzzExtras(f *testing.F) {
	f.Add([]byte(instance("\x00\x01"+dnsName+at+alpn+port+path) + instance("\x01\x02"+dnsName)))
	f.Add([]byte("\x00\x07example\x03com\x00\x07example\x03net\x00"))
	f.Add([]byte("\x01\x0a\x00\x00\x01\x0a\x00\x00\x02"))
	f.Add(dhcp4.DigestAuth(7, secret).Append(nil))
	f.Fuzz(func(t *testing.T, value []byte) {
		list, err := dhcp4.ParseDNR(value)
		if err != nil {
			checkError(t, err, len(value))
		} else if enc := dhcp4.AppendDNR(nil, list...); len(enc) > 0 {
			again, err := dhcp4.ParseDNR(enc)
			if d := cmp.Diff(list, again, byValue); err != nil || d != "" {
				t.Fatalf("%v\n%s", err, d)
			}
		}
		domains, addrs, err := dhcp4.ParseSIPServers(value)
		if err != nil {
			checkError(t, err, len(value))
		} else if (len(domains) == 0) == (len(addrs) == 0) {
			t.Fatalf("%v and %v", domains, addrs)
		}
		if a, err := dhcp4.ParseAuth(value); err != nil {
			checkError(t, err, len(value))
		} else if got := a.Append(nil); !bytes.Equal(got, value) {
			t.Fatalf("%x became %x", value, got)
		}
	})
}
