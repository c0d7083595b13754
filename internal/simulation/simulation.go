package simulation

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/dhcptest"
	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/tenancy/v4"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// A Failure is a rule that was broken.
type Failure struct {
	Seed uint64
	// Rule is the rule's name, Text what happened.
	Rule, Text string
	At         boottime.Instant
}

// Error names seed, time and rule, and says how to play it again.
func (f *Failure) Error() string {
	return fmt.Sprintf("seed %d at %v: %s: %s\n\tgo test ./internal/simulation -run '^TestSeeds$' -seed=%d -v", f.Seed, f.At, f.Rule, f.Text, f.Seed)
}

// SeedsVariable is the environment variable that says how many seeds the test
// plays, where no flag does.
const SeedsVariable = "LESSEE_SEEDS"

// A Tally says what a run has seen, so that a test can tell whether the random
// lives are full ones.
type Tally map[string]int

// A simulation is one run.
type simulation struct {
	world    *dhcptest.World
	chance   *rand.Rand
	networks []*network
	here     *network // nil: unplugged
	m        *machine
	steps    int
	instant  boottime.Instant
	within   int // steps at instant
	failure  *Failure
	tally    Tally
	rules
	story
}

// maxSteps bounds the events of a story: one with leases of seconds may last a
// shorter time.
const maxSteps = 900

// Run plays a life. It returns nil if all promises were kept. Trace, where not
// nil, is told what happens, line by line; tally, where not nil, is added to.
func Run(seed uint64, trace func(string), tally Tally) *Failure {
	s := &simulation{world: dhcptest.New(seed), tally: tally}
	if tally == nil {
		s.tally = Tally{}
	}
	s.world.Trace = trace
	s.chance = s.world.Rand("simulation")
	s.build()
	s.tellStory()
	if s.failure == nil {
		s.finale()
	}
	return s.failure
}

// metric is that of the adapter's routes.
const metric = 1002

func (s *simulation) build() {
	r := s.chance
	s.rules.init(s)
	for i := range 1 + r.IntN(3) {
		s.networks = append(s.networks, newNetwork(s, i))
		if dhcptest.Chance(r, 0.5) {
			s.networks[i].link.SetFaults(faults(r))
		}
	}
	s.here = s.networks[0]
	addr := dhcptest.LinkAddr{2, 0, 0, 0, 0, 2}
	m := newMachine(s, addr, s.here.link)
	m.slowly = dhcptest.Chance(r, 0.6)
	m.kernel.PromoteSecondaries = dhcptest.Chance(r, 0.3)
	m.kernel.NoProtocol = dhcptest.Chance(r, 0.2)
	m.cfg = v4.Config{
		DHCP4: dhcp4.Config{
			HardwareType: wire.HardwareEthernet,
			HardwareAddr: addr[:],
			Broadcast:    dhcptest.Chance(r, 0.2),
			RapidCommit:  dhcptest.Chance(r, 0.3),
			ForceRenew:   dhcptest.Chance(r, 0.8),
		},
		Policy:    v4.Policy{Metric: metric, MTU: dhcptest.Chance(r, 0.7), DNS: true},
		Conflict:  []v4.ConflictMode{v4.ConflictOptimistic, v4.ConflictOptimistic, v4.ConflictProbe, v4.ConflictOff}[r.IntN(4)],
		LinkLocal: dhcptest.Chance(r, 0.5),
	}
	if dhcptest.Chance(r, 0.25) {
		m.cfg.DHCP4.Timing = dhcp4.StrictTiming
	}
	if dhcptest.Chance(r, 0.2) {
		m.cfg.DHCP4.ClientID = []byte("\x00a client")
	}
	if dhcptest.Chance(r, 0.3) {
		m.cfg.DHCP4.HostName = "host"
	}
	s.m = m
	m.configured = dhcptest.Chance(r, 0.8)
	if dhcptest.Chance(r, 0.5) {
		newCompanion(s, away, "eth0", addr, 1) // it looks the same
	}
	if dhcptest.Chance(r, 0.5) {
		newCompanion(s, core.Home, "eth1", dhcptest.LinkAddr{2, 0, 0, 0, 0, 3}, 2)
	}
	if dhcptest.Chance(r, 0.2) {
		s.plug(nil)
	}
	m.start()
	if !m.configured {
		s.up()
	}
}

func (s *simulation) now() boottime.Instant { return s.world.Now() }

func (s *simulation) trace(format string, args ...any) {
	if s.world.Trace != nil {
		s.world.Trace(s.now().String() + " == " + fmt.Sprintf(format, args...))
	}
}

// fail notes the first broken rule. The rule is named by the text's beginning.
func (s *simulation) fail(format string, args ...any) { s.broke("sanity", format, args...) }

func (s *simulation) broke(rule, format string, args ...any) {
	if s.failure != nil {
		return
	}
	s.failure = &Failure{Seed: s.world.Seed(), Rule: rule, Text: fmt.Sprintf(format, args...), At: s.now()}
	s.trace("BROKEN %s: %s", rule, s.failure.Text)
}

// maxWithin is how many events one instant may have: there is no livelock.
const maxWithin = 2000

// step lets the next event happen and checks the rules; false if there is none
// before end, or a rule was broken.
func (s *simulation) step(end boottime.Instant) bool {
	at, ok := s.world.Next()
	if s.failure != nil || !ok || at.After(end) {
		return false
	}
	s.world.Step()
	s.steps++
	if s.now() != s.instant {
		s.instant, s.within = s.now(), 0
	}
	if s.within++; s.within > maxWithin {
		s.broke("livelock", "%d events at one instant", s.within)
	}
	s.check()
	return s.failure == nil
}

// pass lets a while pass, as long as the story has steps left.
func (s *simulation) pass(d time.Duration) {
	end := s.now().Add(d)
	for s.steps < maxSteps {
		if !s.step(end) {
			if s.failure == nil {
				_ = s.world.Run(end.Sub(s.now())) // nothing is due: only the time passes
			}
			return
		}
	}
}

// until lets time pass until done, which is asked after every event; false if
// that is not within limit, or a rule was broken.
func (s *simulation) until(limit time.Duration, done func() bool) bool {
	end := s.now().Add(limit)
	for !done() {
		if !s.step(end) {
			return false
		}
	}
	return s.failure == nil
}

// plug moves the adapter to a network, to none for nil.
func (s *simulation) plug(n *network) {
	s.here = n
	if n == nil {
		s.m.setCarrier(nil)
		return
	}
	s.m.setCarrier(n.link)
}
