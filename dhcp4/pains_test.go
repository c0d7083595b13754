package dhcp4

import (
	"maps"
	"slices"
	"testing"
	"time"

	wire "github.com/lessee/lessee/wire/dhcp4"
)

// The promises that are this package's to keep, each named after the report of
// another client's users that it answers.

// Every state has a way back to BOUND without a restart: a link, a server, and
// at most a Renew.
func TestPain_systemd32045_EveryStateHasAWayBack(t *testing.T) {
	t.Parallel()
	for _, name := range slices.Sorted(maps.Keys(situations)) {
		w := newWorld(t, nil)
		situations[name](w)
		if s := w.c.State(); s == StateInforming || s == StateInformed {
			w.tell(Stop{}) // it wants no lease
		}
		w.tell(LinkUp{})
		w.tell(Start{}) // has an effect on one that is stopped only
		w.tell(Renew{})
		from := w.now
		done := false
		for range 20 {
			if w.c.Awaiting() {
				typ := wire.ACK
				if w.c.State() == StateSelecting {
					typ = wire.Offer
				}
				w.reply(w.newReply(typ))
			} else {
				w.wait()
			}
			if d, ok := find[Done](w.out); ok && d.Op == OpRenew && d.Err == nil {
				done = true
				break
			}
		}
		if !done || w.c.State() != StateBound {
			t.Errorf("%s: no lease with a server at hand, in %v", name, w.c.State())
		}
		if took := w.now.Sub(from); took > 2*time.Second {
			t.Errorf("%s: it took %v", name, took)
		}
	}
}

// A NAK at T1 costs the time of one DISCOVER to ACK, not minutes.
func TestPain_mORMot2_581_NAKAtT1(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.bind()
	w.wait()
	at := w.now
	w.reply(w.newReply(wire.NAK))
	w.reply(w.newReply(wire.Offer))
	w.reply(w.newReply(wire.ACK))
	if w.c.State() != StateBound || w.now != at {
		t.Errorf("in %v after %v", w.c.State(), w.now.Sub(at))
	}
}

// INIT-REBOOT on a network whose server is silent: DISCOVER within 4 s.
func TestPain_zephyr114793_InitRebootIsBounded(t *testing.T) {
	t.Parallel()
	for seed := range uint64(seeds) {
		w := newWorld(t, func(c *Config) { c.Seed = seed })
		w.tell(LinkUp{})
		w.tell(Start{Lease: w.oldLease()})
		at := w.now
		for w.c.State() != StateSelecting {
			w.wait()
		}
		if took := w.now.Sub(at); took > 4*time.Second {
			t.Fatalf("seed %d: DISCOVER after %v", seed, took)
		}
	}
}

// A lease that ends in suspend is not used after it, whatever is heard first.
func TestPain_dhcpcd596_ExpiryInSuspend(t *testing.T) {
	t.Parallel()
	for _, e := range events {
		w := newWorld(t, nil)
		l := w.bind()
		end, _ := l.Expires()
		w.now = end
		e.tell(w)
		lost, ok := find[Lost](w.out)
		if !ok || lost.Lease != l || lost.Why != LossExpired {
			t.Errorf("%s: %v", e.name, w.out)
		}
	}
}

// A FORCERENEW without authentication is not obeyed, in any state (RFC 6704).
func TestPain_CVE_2020_13529_ForceRenew(t *testing.T) {
	t.Parallel()
	for _, name := range slices.Sorted(maps.Keys(situations)) {
		w := newWorld(t, nil)
		situations[name](w)
		state := w.c.State()
		w.reply(w.newReply(wire.ForceRenew))
		if _, ok := find[Dropped](w.out); !ok || len(w.out) != 1 || w.c.State() != state {
			t.Errorf("%s: %v", name, w.out)
		}
	}
}

// A RELEASE is ready to leave in the instant the lease is there, and knows
// where to without ARP.
func TestPain_dhcpcd521_ReleaseAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.bind()
	w.tell(Release{})
	if sent := w.sent(); len(sent) != 1 || sent[0].Type != wire.Release || len(sent[0].Link) == 0 || sent[0].Source != testAddr {
		t.Errorf("%v", w.out)
	}
}

// Two clones of a machine, alike but for the link address, are two clients.
func TestPain_systemd9609_ClonesAreTwoClients(t *testing.T) {
	t.Parallel()
	id := func(last byte) string {
		w := newWorld(t, func(c *Config) { c.HardwareAddr = []byte{2, 0, 0, 0, 0, last} })
		begin(w)
		p, err := wire.Parse(w.sent()[0].Message)
		if err != nil {
			t.Fatal(err)
		}
		v, _ := p.Option(wire.OptionClientID)
		return string(v)
	}
	if id(1) == id(2) {
		t.Error("both have the same client identifier")
	}
}

// A renewal is never begun with a release, and never gives the address up.
func TestPain_dhcpcd482_RenewNeverReleases(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.bind()
	for range 1000 {
		w.tell(Renew{})
		w.reply(w.newReply(wire.ACK))
		if a, ok := find[Acquired](w.out); !ok || !a.Renewed {
			t.Fatalf("%v", w.out)
		}
		if _, ok := find[Lost](w.out); ok {
			t.Fatalf("%v", w.out)
		}
		w.now = w.now.Add(time.Millisecond)
	}
	if n := w.c.Counters().Sent(wire.Release); n != 0 {
		t.Errorf("%d RELEASEs", n)
	}
}
