package test

import (
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/lessee/lessee/test/lab"
)

// TestPain_pihole1435_ResolvConf checks what becomes of resolv.conf: it has
// the lease's servers, is not written without a change, and is given back.
func TestPain_pihole1435_ResolvConf(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{
		DNS: []netip.Addr{addr("10.77.0.1"), addr("10.77.0.9")}, Domain: "lab.test", Search: []string{"lab.test", "sub.lab.test"},
	})
	path := h.client.Path("etc/resolv.conf")
	const before = "nameserver 192.0.2.53\noptions ndots:2\n"
	if err := os.WriteFile(path, []byte(before), 0o644); err != nil {
		t.Fatal(err)
	}
	d := h.client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}, Container: true, Config: "[dns]\nmode = \"file\"\n"})
	d.AwaitBound(t, "c0")
	d.Must(t, "renew", "c0") // its answer comes when all is in place
	got := h.client.ResolvConf()
	for _, line := range []string{"nameserver 10.77.0.1\n", "nameserver 10.77.0.9\n", "search lab.test sub.lab.test\n"} {
		if !strings.Contains(got, line) {
			t.Errorf("resolv.conf lacks %q:\n%s", line, got)
		}
	}
	was, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	d.Must(t, "renew", "c0")
	if is, err := os.Stat(path); err != nil || !os.SameFile(was, is) || !is.ModTime().Equal(was.ModTime()) {
		t.Errorf("an unchanged lease wrote resolv.conf: %v", err)
	}
	d.Must(t, "release", "c0")
	if got := h.client.ResolvConf(); got != before {
		t.Errorf("after release:\n%s", got)
	}
	d.Must(t, "renew", "c0")
	if got := h.client.ResolvConf(); !strings.Contains(got, "nameserver 10.77.0.1\n") {
		t.Errorf("after renew:\n%s", got)
	}
	d.Must(t, "down", "c0")
	if got := h.client.ResolvConf(); got != before {
		t.Errorf("after down:\n%s", got)
	}
}
