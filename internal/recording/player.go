package recording

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/internal/tenancy/v4"
)

// A step is an input, and what was asked for because of it.
type step struct {
	line  int
	at    boottime.Instant
	in    core.Input
	calls []recorded
	// open says that the recording ends with it: more may have been asked for.
	open bool
}

// A recorded is a call and what was answered.
type recorded struct {
	call   call
	answer answer
}

// A player plays a recording: it is the ports of a core, and their answers are those
// that were recorded.
type player struct {
	out   io.Writer
	core  *core.Core
	began boottime.Instant
	begun bool
	// step is the input that is handled, without the calls that were made.
	step        *step
	asked       int // for this input
	differences int
	// configs are how adapters are managed, by name.
	configs map[string]v4.Config
	names   map[core.Number]string // of adapters, when they were last prepared
}

var errLivelock = errors.New("the core comes to no end")

// late is how long after its deadline a timeout may come on a busy machine.
const late = time.Second

// maxAsked bounds the calls because of one input, maxTimeouts the deadlines between two.
const (
	maxAsked    = 100_000
	maxTimeouts = 10_000
)

func newPlayer(out io.Writer) *player {
	p := &player{out: out, configs: make(map[string]v4.Config), names: make(map[core.Number]string)}
	p.core = core.New((&ports{carrier: p}).config())
	return p
}

func (p *player) printf(format string, args ...any) { _, _ = fmt.Fprintf(p.out, format, args...) }

// wake plays what came at one instant.
//
// A loop that wakes up has the core handle what came, and then the deadline, if there
// is one still. A recording of the same core has that timeout.
func (p *player) wake(steps []*step) error {
	if len(steps) == 0 {
		return nil
	}
	now := steps[0].at
	if !p.begun {
		p.began, p.begun = now, true
	}
	if p.differences > 0 {
		// It goes its own way: its deadlines are its own, too.
		for range maxTimeouts {
			at, set := p.core.Deadline()
			if !set || now.Sub(at) < late {
				break
			}
			if err := p.handle(&step{line: steps[0].line, at: max(at, p.began), in: core.Timeout{}}); err != nil {
				return err
			}
		}
	}
	rang := false
	for _, s := range steps {
		if _, is := s.in.(core.Timeout); is {
			rang = true
			if at, set := p.core.Deadline(); !set {
				p.differs("recorded timeout, now nothing is due")
			} else if at.After(now) {
				p.differs("recorded timeout, now the next is due at %s", p.since(at))
			}
		}
		if err := p.handle(s); err != nil {
			return err
		}
	}
	last := steps[len(steps)-1]
	if at, set := p.core.Deadline(); !rang && !last.open && set && !at.After(now) {
		p.differs("recorded nothing, now a timeout is due since %s", p.since(at))
		return p.handle(&step{line: last.line, at: now, in: core.Timeout{}})
	}
	return nil
}

// handle plays an input.
func (p *player) handle(s *step) error {
	p.printf("%s %s\n", p.since(s.at), clean(describe(s.in, p.link, func(n core.Number) string { return p.names[n] })))
	p.step, p.asked = s, 0
	err := guard(s.line, func() error {
		p.core.Handle(s.at, s.in)
		return nil
	})
	for _, c := range p.step.calls {
		p.differs("recorded %s, now nothing", c)
	}
	p.step.calls = nil
	return err
}

// link returns the name of a link.
func (p *player) link(id core.ID) string {
	return who{NS: id.NS, Index: id.Index, Name: p.core.View(id).Link.Name}.String()
}

// differs says that the core does something else than was recorded.
func (p *player) differs(format string, args ...any) {
	p.differences++
	p.printf("  differs here: %s\n", clean(fmt.Sprintf(format, args...)))
}

// carry implements carrier.
func (p *player) carry(c call, _ func() answer) answer {
	if p.asked++; p.asked > maxAsked {
		panic(errLivelock)
	}
	if of, is := c.(prepare); is {
		p.names[of.Who.Of] = of.Who.Name
	}
	form := formOf(c)
	rest := p.step.calls
	for i, r := range rest {
		if !bytes.Equal(formOf(r.call), form) {
			continue
		}
		for _, missing := range rest[:i] {
			p.differs("recorded %s, now nothing", missing)
		}
		p.step.calls = rest[i+1:]
		return p.answered(c, r.answer)
	}
	if len(rest) > 0 && reflect.TypeOf(rest[0].call) == reflect.TypeOf(c) {
		was := rest[0]
		p.step.calls = rest[1:]
		if was.call.String() == c.String() {
			before, now := difference(formOf(was.call), form)
			p.differs("%s, recorded with %s, now with %s", c, before, now)
		} else {
			p.differs("recorded %s, now %s", was.call, c)
		}
		return p.answered(c, was.answer)
	}
	if p.step.open {
		p.printf("  %s (the recording has ended)\n", clean(c.String()))
	} else {
		p.differs("recorded nothing, now %s", c)
	}
	return p.usual(c)
}

// formOf returns what tells a call from others.
func formOf(c call) []byte { return codec{}.appendCall(nil, c) }

// difference returns what two forms do not share: whole fields, as far as that is easy
// to tell.
func difference(a, b []byte) (ofA, ofB []byte) {
	from := 0
	for from < min(len(a), len(b)) && a[from] == b[from] {
		from++
	}
	from = bytes.LastIndexAny(a[:from], "{,[") + 1
	same := 0
	for same < min(len(a), len(b))-from && a[len(a)-1-same] == b[len(b)-1-same] {
		same++
	}
	if i := bytes.IndexAny(a[len(a)-same:], "},]"); i >= 0 {
		same -= i
	}
	return a[from : len(a)-same], b[from : len(b)-same]
}

// answered says what was answered, and returns it.
func (p *player) answered(c call, a answer) answer {
	switch c := c.(type) {
	case configure:
		if a.Config == nil {
			return p.usual(c)
		}
		p.configs[c.Link.Name] = *a.Config
		return a
	case say:
		if c.minor() {
			return a
		}
	}
	text := c.String() + a.String()
	if _, is := c.(apply); is && a.Applied == nil {
		text += " -> later"
	}
	if _, is := c.(inspect); is && a.Inspected == nil {
		text += " -> later"
	}
	p.printf("  %s\n", clean(text))
	return a
}

// usual returns an answer to a call that was not recorded: all is well.
func (p *player) usual(c call) answer {
	switch c := c.(type) {
	case apply:
		in := tenancy.Report(c.What.Seq, netconf.Outcome{})
		return answer{Applied: &in}
	case inspect:
		return answer{Inspected: &tenancy.Inspected{Seq: c.What.Seq, Cause: c.What.Cause}}
	case configure:
		cfg, known := p.configs[c.Link.Name]
		if !known {
			const ethernet = 1
			cfg.DHCP4 = dhcp4.Config{HardwareType: ethernet, HardwareAddr: c.Link.HardwareAddr, Seed: 1}
			cfg.Policy = v4.Policy{Metric: 1000, MTU: true, DNS: true}
		}
		return answer{Config: &cfg}
	}
	return answer{}
}

// String returns what a transcript says of a recorded call.
func (r recorded) String() string { return r.call.String() + r.answer.String() }
