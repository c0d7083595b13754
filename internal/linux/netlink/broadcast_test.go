//go:build linux

package netlink

import (
	"net/netip"
	"testing"

	"github.com/lessee/lessee/internal/netconf"
)

func TestBroadcast(t *testing.T) {
	t.Parallel()
	for prefix, want := range map[string]string{
		"10.9.0.50/24": "10.9.0.255", "10.9.0.0/24": "10.9.0.255", "10.9.0.255/24": "10.9.0.255",
		"169.254.134.188/16": "169.254.255.255", "10.1.2.3/8": "10.255.255.255", "10.1.2.3/30": "10.1.2.3",
		"10.1.2.1/30": "10.1.2.3", "10.1.2.129/25": "10.1.2.255", "10.1.2.3/0": "255.255.255.255",
		"10.1.2.3/31": "", "10.1.2.3/32": "",
	} {
		a := netconf.Address{Prefix: netip.MustParsePrefix(prefix)}
		got := broadcast(a)
		if want == "" && got.IsValid() || want != "" && got.String() != want {
			t.Errorf("%s: %v, want %q", prefix, got, want)
		}
		a.Broadcast = netip.MustParseAddr("10.9.0.7")
		if got := broadcast(a); got != a.Broadcast {
			t.Errorf("%s: %v, where the server says %v", prefix, got, a.Broadcast)
		}
	}
}
