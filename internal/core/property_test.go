package core

import (
	"net/netip"
	"testing"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/reason"
	wire "github.com/lessee/lessee/wire/dhcp4"
	"pgregory.net/rapid"
)

// TestCallsAreAnswered lets anything happen to three links of two namespaces and the
// adapters on them: every call is answered once and in time, nothing is asked for an
// adapter that was dropped, each one can be found, and when all is gone nothing is left.
func TestCallsAreAnswered(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := &machine{
			t: t, scene: newScene(), open: make(map[uint64]bool), dropped: make(map[Number]bool),
			links: make(map[ID]netconf.Link), awaited: make(map[uint64]boottime.Instant), claimed: make(map[ID]bool),
		}
		m.scene.heard = m.heard
		names := []string{"c0", "c1", "tmp"}
		name := func(t *rapid.T) string { return rapid.SampledFrom(names).Draw(t, "name") }
		ns := func(t *rapid.T) NS { return NS(rapid.IntRange(0, 1).Draw(t, "ns")) }
		id := func(t *rapid.T) ID { return ID{ns(t), rapid.IntRange(2, 4).Draw(t, "index")} }
		deadline := func() boottime.Instant { return m.scene.now.Add(20 * time.Second) }
		t.Repeat(map[string]func(*rapid.T){
			"": func(*rapid.T) { m.check() },
			"link": func(t *rapid.T) {
				id := id(t)
				l := netconf.Link{Index: id.Index, Name: name(t), HardwareType: 1, MTU: 1500, Up: true, HardwareAddr: []byte{2, 0, 0, 0, 0, byte(id.Index)}}
				l.Carrier = rapid.IntRange(0, 3).Draw(t, "carrier") > 0
				if rapid.IntRange(0, 5).Draw(t, "address") == 0 {
					l.HardwareAddr[0] = 6
				}
				m.links[id] = l
				m.scene.tell(LinkChanged{NS: id.NS, Link: l})
			},
			"gone": func(t *rapid.T) {
				id := id(t)
				l, there := m.links[id]
				if delete(m.links, id); there {
					m.scene.tell(LinkChanged{NS: id.NS, Link: l, Gone: true})
				}
			},
			"left": func(t *rapid.T) {
				if rapid.IntRange(0, 3).Draw(t, "left") > 0 {
					return
				}
				for id := range m.links {
					if id.NS == 1 {
						delete(m.links, id)
					}
				}
				m.scene.tell(Left{NS: 1})
			},
			"manage": func(t *rapid.T) { m.scene.tell(Manage{Call: m.call(0), NS: ns(t), Name: name(t)}) },
			"up": func(t *rapid.T) {
				id := id(t)
				if l, there := m.links[id]; there {
					m.scene.tell(Up{Call: m.call(20 * time.Second), NS: id.NS, Link: l, Deadline: deadline()})
				}
			},
			"call": func(t *rapid.T) {
				verb := rapid.SampledFrom([]tenancy.Verb{tenancy.Renew, tenancy.Release, tenancy.End, tenancy.EndKeep}).Draw(t, "verb")
				m.scene.tell(Call{Call: m.call(20 * time.Second), NS: ns(t), Name: name(t), Verb: verb, Deadline: deadline()})
			},
			"discover": func(t *rapid.T) {
				m.scene.tell(Discover{Call: m.call(3 * time.Second), NS: ns(t), Name: name(t), During: 2 * time.Second})
			},
			"cancel": func(t *rapid.T) {
				m.scene.tell(Cancel{Call: rapid.Uint64Range(0, m.scene.calls+1).Draw(t, "id")})
			},
			"prepared": func(t *rapid.T) {
				if len(m.prepare) == 0 {
					return
				}
				p := rapid.SampledFrom(m.prepare).Draw(t, "of") // perhaps of an earlier turn
				in := Prepared{Of: p.of.Of, Turn: p.of.Turn, ID: p.of.ID, Link: p.of.Link}
				if rapid.IntRange(0, 3).Draw(t, "refused") == 0 {
					in.Refusal = Refusal{Code: errno.ERROR_BUSY, Cause: reason.Cause{Reason: reason.AnotherDaemon}}
				} else {
					m.claimed[in.ID] = true
				}
				in.Record.Up = rapid.IntRange(0, 3).Draw(t, "up") == 0
				m.scene.tell(in)
			},
			"kernel":   func(t *rapid.T) { m.scene.prompt = promptness(rapid.IntRange(0, 1).Draw(t, "prompt")) },
			"resolver": func(t *rapid.T) { m.scene.resolver = promptness(rapid.IntRange(0, 1).Draw(t, "prompt")) },
			"resolved": func(t *rapid.T) { m.scene.tell(m.scene.resolve[name(t)]) },
			"unresolved": func(t *rapid.T) {
				m.scene.unresolved = rapid.SampledFrom([]netip.Addr{{}, netip.MustParseAddr("10.77.0.254")}).Draw(t, "hop")
			},
			"neighbour": func(t *rapid.T) {
				in := Neighbour{ID: id(t), Host: netip.MustParseAddr("10.77.0.254"), Link: []byte{2, 0, 0, 0, 0, 99}}
				if rapid.IntRange(0, 2).Draw(t, "lost") == 0 {
					in.Host = netip.Addr{}
				}
				m.scene.tell(in)
			},
			"serve": func(t *rapid.T) {
				if s, asked := m.scene.sent[name(t)]; asked && (s.Type == wire.Discover || s.Type == wire.Request) {
					if err := m.scene.serve(s); err != nil {
						t.Fatal(err)
					}
				}
			},
			"applied": func(t *rapid.T) {
				if o, asked := m.scene.applied[name(t)]; asked {
					m.scene.tell(Applied{Of: o.of.Of, Turn: o.of.Turn, What: tenancy.Report(o.seq, netconf.Outcome{})})
				}
			},
			"advance": func(t *rapid.T) {
				if err := m.scene.advance(time.Duration(rapid.IntRange(1, 3000).Draw(t, "by")) * time.Second); err != nil {
					t.Fatal(err)
				}
			},
		})
		m.end()
	})
}

// A machine is a scene that anything happens to.
type machine struct {
	t       *rapid.T
	scene   *scene
	links   map[ID]netconf.Link
	open    map[uint64]bool
	awaited map[uint64]boottime.Instant // by when a call has to be answered
	dropped map[Number]bool
	prepare []prepare
	claimed map[ID]bool
}

func (m *machine) call(patience time.Duration) uint64 {
	m.scene.calls++
	m.open[m.scene.calls] = true
	if patience > 0 {
		m.awaited[m.scene.calls] = m.scene.now.Add(patience)
	}
	return m.scene.calls
}

func (m *machine) heard(a Adapter, call uint64, what string) {
	switch {
	case call != 0:
		if !m.open[call] {
			m.t.Fatalf("call %d is answered again", call)
		}
		delete(m.open, call)
		delete(m.awaited, call)
	case a.Of != 0 && m.dropped[a.Of]:
		m.t.Fatalf("%q is asked for %s, which was dropped", what, who(a))
	}
	switch what {
	case "dropped":
		m.dropped[a.Of] = true
	case "leave":
		delete(m.claimed, a.ID)
	}
	if p := m.scene.prepare[a.Name]; p.of.Of == a.Of && p.of.Turn == a.Turn && a.Of != 0 {
		m.prepare = append(m.prepare[max(0, len(m.prepare)-3):], p)
	}
}

// check holds at every moment.
func (m *machine) check() {
	c := m.scene.core
	for call, by := range m.awaited {
		if m.scene.now.After(by) {
			m.t.Fatalf("call %d was due at %v, about %d", call, by, c.calls[call])
		}
	}
	for call := range c.calls {
		if !m.open[call] {
			m.t.Fatalf("call %d is kept, and was answered", call)
		}
	}
	r := &c.adapters
	if n := len(r.at) + len(r.waits); n != len(r.order) {
		m.t.Fatalf("%d of %d adapters can be found", n, len(r.order))
	}
	for id, a := range r.at {
		if a.id != id || r.numbered(a.number) != a || !c.Has(id) {
			m.t.Fatalf("%v has %s, which is at %v", id, a.name, a.id)
		}
		if _, waits := a.phase.(absent); waits {
			m.t.Fatalf("%s is at %v and absent", a.name, id)
		}
	}
	for place, a := range r.waits {
		if (place.name != a.name) || r.numbered(a.number) != a || a.id.Index != 0 {
			m.t.Fatalf("%s waits as %v", a.name, place)
		}
		if _, waits := a.phase.(absent); !waits {
			m.t.Fatalf("%s waits and is not absent", a.name)
		}
	}
	for place, id := range c.links.named {
		if !c.Has(id) {
			m.t.Fatalf("%v names a link that is gone", place)
		}
	}
	for id := range m.claimed {
		a := r.at[id]
		if a == nil {
			m.t.Fatalf("%v is claimed, and nobody is there", id)
		}
	}
}

// end takes all away, and sees that nothing is left.
func (m *machine) end() {
	for id, l := range m.links {
		m.scene.tell(LinkChanged{NS: id.NS, Link: l, Gone: true})
	}
	c := m.scene.core
	if len(m.open) > 0 || len(c.calls) > 0 {
		m.t.Fatalf("calls without an answer at the end: %v, %v", m.open, c.calls)
	}
	if len(c.links.all)+len(c.links.named)+len(c.links.macs)+len(c.adapters.at)+len(c.scans)+len(c.asked) > 0 {
		m.t.Fatalf("left: %v %v %v %v", c.links, c.adapters.at, c.scans, c.links.macs)
	}
	if at, ok := c.Deadline(); ok {
		m.t.Fatalf("something is due at %v", at)
	}
}
