package dna

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/internal/queue"
	"github.com/lessee/lessee/wire/arp"
)

// MaxCandidates is how many networks are asked for at once.
const MaxCandidates = 4

// DefaultWait is how long a router has to answer, where [Config] does not say.
// One on the link answers within a few milliseconds.
const DefaultWait = 200 * time.Millisecond

const (
	minWait = 10 * time.Millisecond
	maxWait = 10 * time.Second
	// damping is the least time from one test to the next.
	damping = time.Second
	// testTries and learnTries are how often a question is asked.
	testTries, learnTries = 2, 3
	// learnWait is how long the answer to Learn is awaited, and the least time
	// between two such questions. Nobody waits for it.
	learnWait = time.Second
)

// A Config says who we are. It is copied by [New].
type Config struct {
	// HardwareAddr is the adapter's link address: neither zero nor a group address.
	HardwareAddr arp.HardwareAddr
	// Wait is how long a router has to answer a test, before it is asked once
	// more and, after as long again, taken to be silent; 10 ms to 10 s. Zero
	// means [DefaultWait].
	Wait time.Duration
}

// A Prober tests for known networks and learns routers' link addresses, for
// one adapter. It does no I/O; see the package comment. It is not safe for
// concurrent use.
type Prober struct {
	hardware arp.HardwareAddr
	wait     time.Duration
	// rest is when the next test may begin, hush when the next question for a
	// link address may be sent.
	rest, hush boottime.Instant

	test  *test  // nil if there is none
	learn *learn // nil if there is none
	out   queue.Queue[Output]
}

// New returns a prober that waits for Start and Learn, or an error that says
// which value of the Config is not valid.
func New(cfg Config) (*Prober, error) {
	hw := cfg.HardwareAddr
	if !isHost(hw) {
		return nil, fmt.Errorf("dna: hardware address % x: it must be a host's own, neither zero nor a group's", hw[:])
	}
	if cfg.Wait == 0 {
		cfg.Wait = DefaultWait
	}
	if cfg.Wait < minWait || cfg.Wait > maxWait {
		return nil, errors.New("dna: wait must be 10ms to 10s")
	}
	return &Prober{hardware: hw, wait: cfg.Wait}, nil
}

// Handle tells the prober what happened at the instant now, which must not be
// earlier than that of the call before. A nil input is ignored. After each
// Handle the outputs are to be taken with [Prober.Poll].
func (p *Prober) Handle(now boottime.Instant, in Input) {
	switch in := in.(type) {
	case Start:
		p.startTest(now, in)
	case Learn:
		p.startLearning(now, in)
	case Stop:
		p.test, p.learn = nil, nil
	case Packet:
		p.receive(in)
	case Timeout:
		if t := p.test; t != nil && !now.Before(t.next) {
			p.stepTest(now)
		}
		if l := p.learn; l != nil && !now.Before(l.next) {
			p.stepLearning(now)
		}
	}
}

// Poll returns the next output, false if there is none.
func (p *Prober) Poll() (Output, bool) {
	return p.out.Pop()
}

// Deadline returns when the prober wants to be told Timeout next, and why;
// false if it waits for other inputs only.
func (p *Prober) Deadline() (at boottime.Instant, why Timer, ok bool) {
	switch t, l := p.test, p.learn; {
	case t != nil && (l == nil || !l.next.Before(t.next)):
		return t.next, TimerTest, true
	case l != nil:
		return l.next, TimerLearn, true
	}
	return 0, 0, false
}

// Addresses returns the addresses whose ARP packets are wanted, each once; none
// if none are.
func (p *Prober) Addresses() []netip.Addr {
	var all []netip.Addr
	add := func(a netip.Addr) {
		if !slices.Contains(all, a) {
			all = append(all, a)
		}
	}
	if p.test != nil {
		for _, c := range p.test.asked {
			add(c.Router)
		}
	}
	if p.learn != nil {
		add(p.learn.Router)
	}
	return all
}

// receive looks at an ARP packet.
func (p *Prober) receive(in Packet) {
	a, err := arp.Parse(in.ARP)
	if err != nil || a.Op != arp.OpReply || a.TargetHardware != p.hardware {
		return
	}
	p.answerTest(a)
	if l := p.learn; l != nil && a.Sender == l.Router && a.Target == l.Address && isHost(a.SenderHardware) && a.SenderHardware != p.hardware {
		p.learn = nil
		p.emit(Learned{a.Sender, a.SenderHardware})
	}
}

func (p *Prober) emit(o Output) { p.out.Push(o) }

// ask asks who has the router's address.
func (p *Prober) ask(from, router netip.Addr, to []byte) {
	q := arp.Packet{Op: arp.OpRequest, SenderHardware: p.hardware, Sender: from, Target: router}
	p.emit(Transmit{arp.Append(make([]byte, 0, arp.Length), q), to})
}

// isHost reports whether hw is an address that one host may have.
func isHost(hw arp.HardwareAddr) bool { return hw != (arp.HardwareAddr{}) && hw[0]&1 == 0 }

// canHold reports whether a is an address that a host may have.
func canHold(a netip.Addr) bool {
	return a.Is4() && !a.IsMulticast() && !a.IsLoopback() && a.As4()[0] != 0 && a.As4()[0] < 240
}
