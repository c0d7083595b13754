package dhcp4

import (
	"testing"
	"time"

	"github.com/lessee/lessee/boottime"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

const seeds = 300

// A span is a range of waits.
type span struct{ least, most time.Duration }

func seconds(least, most float64) span {
	return span{time.Duration(least * float64(time.Second)), time.Duration(most * float64(time.Second))}
}

// times tells timeouts until n messages were sent, and returns when, from now on.
func (w *world) times(n int) []boottime.Instant {
	w.t.Helper()
	var at []boottime.Instant
	for range 100 {
		for range w.sent() {
			at = append(at, w.now)
		}
		if len(at) >= n {
			return at[:n]
		}
		w.wait()
	}
	w.t.Fatalf("%d messages in 100 timeouts, want %d", len(at), n)
	return nil
}

// checkWaits asserts each wait's range over all seeds, and that the seeds use
// the range: jitter that does not jitter is a bug as well.
func checkWaits(t *testing.T, change func(*Config), begin func(*world), want []span) {
	t.Helper()
	least := make([]time.Duration, len(want))
	most := make([]time.Duration, len(want))
	for seed := range uint64(seeds) {
		w := newWorld(t, func(cfg *Config) {
			cfg.Seed = seed
			if change != nil {
				change(cfg)
			}
		})
		begin(w)
		at := w.times(len(want) + 1)
		for i, s := range want {
			wait := at[i+1].Sub(at[i])
			if wait < s.least || wait > s.most {
				t.Fatalf("seed %d: wait %d is %v, want %v to %v", seed, i, wait, s.least, s.most)
			}
			if seed == 0 || wait < least[i] {
				least[i] = wait
			}
			most[i] = max(most[i], wait)
		}
	}
	for i, s := range want {
		if used := most[i] - least[i]; used < (s.most-s.least)*8/10 {
			t.Errorf("wait %d is %v to %v over all seeds: too little of %v to %v", i, least[i], most[i], s.least, s.most)
		}
	}
}

func strict(cfg *Config) { cfg.Timing = StrictTiming }

func begin(w *world) { w.tell(LinkUp{}); w.tell(Start{}) }

func TestScheduleDiscover(t *testing.T) {
	t.Parallel()
	checkWaits(t, nil, begin, []span{
		seconds(1, 1.25), seconds(1.5, 2.5), seconds(3, 5), seconds(7, 9), seconds(15, 17),
		seconds(31, 33), seconds(63, 65), seconds(63, 65), seconds(63, 65),
	})
}

// RFC 2131, section 4.1: 4, 8, ... 64 s, each give or take a second.
func TestScheduleDiscoverStrict(t *testing.T) {
	t.Parallel()
	checkWaits(t, strict, begin, []span{
		seconds(3, 5), seconds(7, 9), seconds(15, 17), seconds(31, 33), seconds(63, 65), seconds(63, 65),
	})
}

// RFC 2131, section 4.4.1: "a random time between one and ten seconds".
func TestScheduleStartDelay(t *testing.T) {
	t.Parallel()
	least, most := time.Hour, time.Duration(0)
	for seed := range uint64(seeds) {
		w := newWorld(t, func(cfg *Config) { cfg.Seed = seed; strict(cfg) })
		from := w.now
		begin(w)
		if len(w.sent()) != 0 {
			t.Fatal("a message before the delay is over")
		}
		wait := w.times(1)[0].Sub(from)
		least, most = min(least, wait), max(most, wait)
	}
	if least < time.Second || least > 2*time.Second || most > 10*time.Second || most < 9*time.Second {
		t.Errorf("delays are %v to %v, want 1s to 10s", least, most)
	}
	w := newWorld(t, nil)
	begin(w)
	if len(w.sent()) != 1 {
		t.Error("by default the first DISCOVER waits")
	}
}

func TestScheduleRequest(t *testing.T) {
	t.Parallel()
	offered := func(w *world) {
		begin(w)
		w.times(1) // strict timing waits
		w.reply(w.newReply(wire.Offer))
	}
	// The last wait ends with the DISCOVER of the next attempt.
	checkWaits(t, nil, offered, []span{seconds(1, 1.25), seconds(1.5, 2.5), seconds(3, 5)})
	checkWaits(t, strict, offered, []span{seconds(3, 5), seconds(7, 9), seconds(15, 17), seconds(31, 33)})
}

func TestScheduleReboot(t *testing.T) {
	t.Parallel()
	reboot := func(w *world) { w.tell(LinkUp{}); w.tell(Start{Lease: w.oldLease()}) }
	checkWaits(t, nil, reboot, []span{seconds(1, 1.25), seconds(1.5, 2.5)})
	checkWaits(t, strict, reboot, []span{seconds(3, 5), seconds(7, 9), seconds(15, 17), seconds(31, 33)})
}

func TestScheduleRenewBurst(t *testing.T) {
	t.Parallel()
	checkWaits(t, nil, func(w *world) { w.bind(); w.tell(Renew{}) },
		[]span{seconds(1, 1.25), seconds(1.5, 2.5), seconds(3, 5)})
}

// T1 and T2 are up to 2 % early, by the same amount.
func TestScheduleFuzz(t *testing.T) {
	t.Parallel()
	least, most := time.Hour, time.Duration(0)
	for seed := range uint64(seeds) {
		w := newWorld(t, func(cfg *Config) { cfg.Seed = seed })
		l := w.bind()
		early := 30*time.Minute - l.T1
		least, most = min(least, early), max(most, early)
		if l.T2 != time.Hour/8*7-early {
			t.Fatalf("T1 is %v early, T2 %v", early, time.Hour/8*7-l.T2)
		}
	}
	if least < 0 || least > 5*time.Second || most > 36*time.Second || most < 31*time.Second {
		t.Errorf("T1 is %v to %v early, want 0 to 36s", least, most)
	}
}

// TestPaceOfAnyLease: whatever times a server gives, no more than a message a
// second leaves while it is silent, and T1 < T2 < end.
func TestPaceOfAnyLease(t *testing.T) {
	t.Parallel()
	for lease := uint32(2); lease < 300; lease++ {
		for _, t12 := range [][2]uint32{{0, 0}, {1, 2}, {lease / 4, lease / 2}, {lease - 2, lease - 1}, {lease, 1}} {
			for _, impatient := range []bool{false, true} {
				w := newWorld(t, func(cfg *Config) { cfg.Seed = uint64(lease) })
				begin(w)
				for _, typ := range []wire.MessageType{wire.Offer, wire.ACK} {
					r := w.newReply(typ)
					r.lease, r.t1, r.t2 = lease, t12[0], t12[1]
					w.reply(r)
				}
				l, ok := w.c.Lease()
				if !ok || l.T1 <= 0 || l.T1 >= l.T2 || l.T2 >= l.Duration {
					t.Fatalf("lease %d, times %v: %+v", lease, t12, l)
				}
				last, steps := w.now, 0
				end, _ := l.Expires()
				for w.now.Before(end.Add(5 * time.Second)) {
					at, _, _ := w.c.Deadline()
					if impatient && w.c.Awaiting() && steps%2 == 0 {
						w.now = w.now.Add(at.Sub(w.now) / 3)
						w.tell(Renew{})
					} else {
						w.wait()
					}
					steps++
					for range w.sent() {
						if pause := w.now.Sub(last); pause < time.Second {
							t.Fatalf("lease %d, times %v: a %v %v after the last message, at %v",
								lease, t12, w.sent()[0].Type, pause, w.now.Sub(l.Start))
						}
						last = w.now
					}
				}
			}
		}
	}
}

// TestRenewalSchedule: half of what is left, down to 60 s (RFC 2131 section 4.4.5).
func TestRenewalSchedule(t *testing.T) {
	t.Parallel()
	for _, change := range []func(*Config){nil, strict} {
		w := newWorld(t, change)
		begin(w)
		w.times(1)
		w.reply(w.newReply(wire.Offer))
		r := w.newReply(wire.ACK)
		r.lease, r.t1, r.t2 = 86400, 43200, 75600
		w.reply(r)
		l, _ := w.c.Lease()
		t2, _ := l.RebindsAt()
		end, _ := l.Expires()
		last := boottime.Instant(0)
		state := StateBound
		for w.c.State() != StateSelecting {
			w.wait()
			if len(w.sent()) == 0 {
				continue
			}
			due := t2
			if state == StateRebinding {
				due = end
			}
			if state == w.c.State() && (state == StateRenewing || state == StateRebinding) {
				want := max(due.Sub(last)/2, time.Minute)
				if got := w.now.Sub(last); got != want {
					t.Errorf("in %v a wait is %v, want %v", state, got, want)
				}
			}
			last, state = w.now, w.c.State()
		}
		if w.now != end {
			t.Errorf("the lease was given up at %v, want %v", w.now, end)
		}
	}
}
