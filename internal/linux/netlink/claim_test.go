//go:build linux

package netlink

import (
	"errors"
	"testing"

	"github.com/lessee/lessee/internal/netconf"
)

// TestClaim: one daemon an interface, whatever their sockets are; the claim
// goes with the one who made it.
func TestClaim(t *testing.T) {
	t.Parallel()
	o := Options{ClaimsDir: t.TempDir()}
	l := newLab(t, o)
	other := l.kernel(o)
	if err := l.n.Claim(l.c0()); err != nil {
		t.Fatal(err)
	}
	if err := l.n.Claim(l.c0()); err != nil {
		t.Errorf("claimed twice by one: %v", err)
	}
	if err := other.Claim(l.c0()); !errors.Is(err, netconf.ErrClaimed) {
		t.Errorf("claimed by two: %v", err)
	}
	if err := other.Claim(netconf.Link{Index: l.c0().Index + 1000, Name: "c1"}); err != nil {
		t.Errorf("another interface: %v", err)
	}
	l.n.Unclaim(l.c0())
	if err := other.Claim(l.c0()); err != nil {
		t.Errorf("given back: %v", err)
	}
	other.Close()
	if err := l.n.Claim(l.c0()); err != nil {
		t.Errorf("its owner is gone: %v", err)
	}
}
