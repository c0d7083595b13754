package dhcp4_test

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/lessee/lessee/wire/dhcp4"
)

func TestSIPServers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		value   string
		domains []string
		addrs   []netip.Addr
	}{
		// RFC 3361, sections 3.1 and 3.2: the values of its examples.
		{"\x00\x07example\x03com\x00\x07example\x03net\x00", []string{"example.com", "example.net"}, nil},
		{"\x01\x0a\x00\x00\x01\x0a\x00\x00\x02", nil, []netip.Addr{addr("10.0.0.1"), addr("10.0.0.2")}},
		{"\x00\x03sip\x04test\x00\x01b\xc0\x04", []string{"sip.test", "b.test"}, nil},
	} {
		domains, addrs, err := dhcp4.ParseSIPServers([]byte(c.value))
		if err != nil || !slices.Equal(texts(domains), c.domains) || !slices.Equal(addrs, c.addrs) {
			t.Errorf("%q: %v, %v, %v", c.value, domains, addrs, err)
		}
	}
	for _, c := range []struct {
		value  string
		reason dhcp4.Reason
		offset int
	}{
		{"", dhcp4.ReasonValueTruncated, 0},
		{"\x00", dhcp4.ReasonValueTruncated, 1},
		{"\x01", dhcp4.ReasonValueTruncated, 1},
		{"\x01\x0a\x00\x00", dhcp4.ReasonValueLength, 1},
		{"\x02\x0a\x00\x00\x01", dhcp4.ReasonBadEncoding, 0},
		{"\x00\x03sip", dhcp4.ReasonNameTruncated, 1},
		{"\x00\x01a\x00\x03b;c\x00", dhcp4.ReasonBadName, 4},
	} {
		domains, addrs, err := dhcp4.ParseSIPServers([]byte(c.value))
		wantReason(t, err, c.reason, c.offset)
		if domains != nil || addrs != nil {
			t.Errorf("%q: %v, %v with an error", c.value, domains, addrs)
		}
	}
}
