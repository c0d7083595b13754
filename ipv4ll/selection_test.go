package ipv4ll

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee/acd"
	"github.com/lessee/lessee/wire/arp"
)

// candidates returns the first n addresses that a host would try.
func candidates(t *testing.T, hw arp.HardwareAddr, seed uint64, n int) []netip.Addr {
	t.Helper()
	w := newWorld(t, func(cfg *Config) { cfg.HardwareAddr, cfg.Seed = hw, seed })
	w.tell(LinkUp{})
	w.tell(Start{})
	var all []netip.Addr
	for range n {
		for w.c.State() != StateClaiming {
			w.wait()
		}
		all = append(all, w.candidate())
		w.tell(claim(w.candidate(), arp.HardwareAddr{2, 0, 0, 0, 1, 0}))
	}
	return all
}

// TestSelectionFollowsTheHardwareAddress: RFC 3927 section 2.1: different hosts do not generate
// the same sequence, and the same host generates it again at each start.
func TestSelectionFollowsTheHardwareAddress(t *testing.T) {
	t.Parallel()
	seen := map[netip.Addr]int{}
	for n := range 200 {
		hw := testMAC
		hw[5] = byte(n)
		first := candidates(t, hw, 1, 3)
		if again := candidates(t, hw, 2, 3); first[0] != again[0] || first[1] != again[1] || first[2] != again[2] {
			t.Fatalf("%v, then %v", first, again)
		}
		if first[0] == first[1] || first[1] == first[2] {
			t.Errorf("an address that is taken is tried again: %v", first)
		}
		seen[first[0]]++
	}
	if len(seen) < 195 {
		t.Errorf("200 hosts begin with %d addresses", len(seen))
	}
}

// TestSelectionIsUniform: RFC 3927 section 2.1: a uniform distribution from 169.254.1.0 to
// 169.254.254.255, the first and last 256 addresses never.
func TestSelectionIsUniform(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	const draws, parts = 100_000, 254
	var third [256]int
	var low, high int
	for range draws {
		a := w.c.next()
		if !Usable(a) {
			t.Fatal(a)
		}
		third[a.As4()[2]]++
		if a.As4()[3] < 128 {
			low++
		} else {
			high++
		}
		w.c.address = a
	}
	chi := 0.0
	for n := 1; n <= parts; n++ {
		d := float64(third[n]) - float64(draws)/parts
		chi += d * d / (float64(draws) / parts)
	}
	// 253 degrees of freedom: mean 253, standard deviation 22.5.
	if chi < 160 || chi > 350 {
		t.Errorf("chi square %v", chi)
	}
	if d := low - high; d < -1500 || d > 1500 {
		t.Errorf("%d in the lower halves, %d in the upper", low, high)
	}
	if third[0] != 0 || third[255] != 0 {
		t.Error("a reserved address")
	}
}

func TestUsable(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"169.254.0.255": false, "169.254.1.0": true, "169.254.254.255": true, "169.254.255.0": false,
		"::ffff:169.254.7.9": true, "169.253.7.9": false, "fe80::1": false,
	} {
		if Usable(netip.MustParseAddr(text)) != want {
			t.Errorf("%s: %v", text, !want)
		}
	}
	if Usable(netip.Addr{}) {
		t.Error("no address is usable")
	}
}

// TestScheduleClaim: an address is ours 4 to 7 s after the link came, with RFC 3927's timing.
func TestScheduleClaim(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		w := newWorld(t, func(cfg *Config) { cfg.Seed = seed })
		start := w.now
		w.bind(netip.Addr{})
		if d := w.now.Sub(start); d < 4*time.Second || d > 7*time.Second {
			t.Errorf("ours after %v", d)
		}
	}
}

// TestConflictStorm: RFC 3927 section 2.2.1: a host that answers every probe of an hour costs us
// ten addresses, and then one a minute.
func TestConflictStorm(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.tell(LinkUp{})
	w.tell(Start{})
	end := w.now.Add(time.Hour)
	taken, packets := 0, 0
	for w.now.Before(end) {
		w.wait()
		packets += len(w.sent())
		if len(w.sent()) > 0 {
			w.tell(claim(w.candidate(), peerMAC))
			if _, ok := find[Taken](w.out); ok {
				taken++
			}
		}
	}
	if taken < 68 || taken > 71 || packets != taken {
		t.Errorf("%d addresses, %d packets in an hour", taken, packets)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*Config)
		text   string
	}{
		"no hardware address": {func(c *Config) { c.HardwareAddr = arp.HardwareAddr{} }, "hardware address"},
		"timing":              {func(c *Config) { c.Timing.ProbeNum = 99 }, "probe"},
		"defence":             {func(c *Config) { c.Defence = acd.DefendAlways }, "always"},
		"no defence":          {func(c *Config) { c.Defence = 9 }, "defence 9"},
	} {
		cfg := Config{HardwareAddr: testMAC}
		tt.change(&cfg)
		c, err := New(cfg)
		if err == nil || c != nil || !strings.HasPrefix(err.Error(), "ipv4ll: ") || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: %v", name, err)
		}
		if errors.Unwrap(err) == nil && name != "defence" {
			t.Errorf("%s: the error hides its cause", name)
		}
	}
}

func TestStrings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ got, want string }{
		{LossConflict.String(), "conflict"},
		{Loss(9).String(), "loss 9"},
		{StateResting.String(), "resting"},
		{State(99).String(), "state 99"},
		{TimerNext.String(), "next"},
		{Timer(9).String(), "timer 9"},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}
