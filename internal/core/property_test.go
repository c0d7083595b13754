package core

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"github.com/lessee/lessee/reason"
	wire "github.com/lessee/lessee/wire/dhcp4"
	"pgregory.net/rapid"
)

// TestCallsAreAnswered lets anything happen to three links and the adapters on them:
// every call is answered once, in time once its adapter lives, nothing is asked for
// an adapter that was dropped, and when all is gone nothing is left.
func TestCallsAreAnswered(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := &machine{
			t: t, scene: newScene(), open: make(map[uint64]bool), dropped: make(map[Number]bool),
			links: make(map[int]netconf.Link), awaited: make(map[uint64]boottime.Instant),
		}
		names := []string{"c0", "c1", "tmp"}
		name := func(t *rapid.T) string { return rapid.SampledFrom(names).Draw(t, "name") }
		t.Repeat(map[string]func(*rapid.T){
			"": func(*rapid.T) { m.check() },
			"link": func(t *rapid.T) {
				index := rapid.IntRange(2, 4).Draw(t, "index")
				l := netconf.Link{Index: index, Name: name(t), HardwareType: 1, MTU: 1500, Up: true, HardwareAddr: []byte{2, 0, 0, 0, 0, byte(index)}}
				l.Carrier = rapid.IntRange(0, 3).Draw(t, "carrier") > 0
				if rapid.IntRange(0, 5).Draw(t, "address") == 0 {
					l.HardwareAddr[0] = 6
				}
				m.links[index] = l
				m.tell(LinkChanged{Link: l})
			},
			"gone": func(t *rapid.T) {
				index := rapid.IntRange(2, 4).Draw(t, "index")
				l, there := m.links[index]
				if delete(m.links, index); there {
					m.tell(LinkChanged{Link: l, Gone: true})
				}
			},
			"manage": func(t *rapid.T) { m.tell(Manage{Call: m.call(0), Name: name(t)}) },
			"up": func(t *rapid.T) {
				if l, there := m.links[rapid.IntRange(2, 4).Draw(t, "index")]; there {
					m.tell(Up{Call: m.call(0), Link: l, Deadline: m.scene.now.Add(20 * time.Second)})
				}
			},
			"call": func(t *rapid.T) {
				verb := rapid.SampledFrom([]tenancy.Verb{tenancy.Renew, tenancy.Release, tenancy.End, tenancy.EndKeep}).Draw(t, "verb")
				m.tell(Call{Call: m.call(20 * time.Second), Name: name(t), Verb: verb, Deadline: m.scene.now.Add(20 * time.Second)})
			},
			"cancel": func(t *rapid.T) { m.tell(Cancel{Call: rapid.Uint64Range(0, m.scene.calls+1).Draw(t, "id")}) },
			"prepared": func(t *rapid.T) {
				if len(m.prepare) == 0 {
					return
				}
				p := rapid.SampledFrom(m.prepare).Draw(t, "of") // perhaps of an earlier turn
				in := Prepared{Of: p.Of, Turn: p.Turn, Link: p.Link}
				if rapid.IntRange(0, 3).Draw(t, "refused") == 0 {
					in.Refusal = Refusal{errno.ERROR_BUSY, reason.Cause{Reason: reason.AnotherDaemon}}
				}
				if rapid.IntRange(0, 3).Draw(t, "unreadable") == 0 {
					in.Unreadable = errors.New("permission denied")
				}
				m.tell(in)
			},
			"serve": func(t *rapid.T) {
				if s, asked := m.scene.sent[name(t)]; asked && (s.Type == wire.Discover || s.Type == wire.Request) {
					m.serve(s)
				}
			},
			"applied": func(t *rapid.T) {
				if o, asked := m.scene.applied[name(t)]; asked {
					m.tell(Happened{Of: o.Of, Turn: o.Turn, What: tenancy.Report(o.What.(tenancy.Apply).Seq, netconf.Outcome{})})
				}
			},
			"advance": func(t *rapid.T) { m.advance(time.Duration(rapid.IntRange(1, 3000).Draw(t, "by")) * time.Second) },
		})
		for _, l := range m.links {
			m.tell(LinkChanged{Link: l, Gone: true})
		}
		if len(m.open) > 0 || len(m.scene.core.calls) > 0 {
			t.Fatalf("calls without an answer at the end: %v, %v", m.open, m.scene.core.calls)
		}
		c := m.scene.core
		if len(c.links.all)+len(c.links.named)+len(c.adapters.at) > 0 {
			t.Fatalf("left: %v %v %v", c.links.all, c.links.named, c.adapters.at)
		}
		if at, ok := c.Deadline(); ok {
			t.Fatalf("something is due at %v", at)
		}
	})
}

// A machine is a scene that anything happens to.
type machine struct {
	t       *rapid.T
	scene   *scene
	links   map[int]netconf.Link
	open    map[uint64]bool
	awaited map[uint64]boottime.Instant // by when a call has to be answered
	dropped map[Number]bool
	prepare []Prepare
}

func (m *machine) call(patience time.Duration) uint64 {
	m.scene.calls++
	m.open[m.scene.calls] = true
	if patience > 0 {
		m.awaited[m.scene.calls] = m.scene.now.Add(patience)
	}
	return m.scene.calls
}

func (m *machine) tell(in Input) {
	m.scene.core.Handle(m.scene.now, in)
	for {
		o, ok := m.scene.core.Poll()
		if !ok {
			return
		}
		m.scene.describe(o) // notes what can be answered
		switch o := o.(type) {
		case Prepare:
			m.prepare = append(m.prepare[max(0, len(m.prepare)-3):], o)
			m.asked(o.Adapter)
		case Do:
			m.asked(o.Adapter)
			if a, is := o.What.(tenancy.Answer); is {
				m.answered(a.ID)
			}
		case Answer:
			m.answered(o.Call)
		case Leave:
			m.asked(o.Adapter)
		case Dropped:
			m.asked(o.Adapter)
			m.dropped[o.Of] = true
		}
	}
}

func (m *machine) asked(a Adapter) {
	if m.dropped[a.Of] {
		m.t.Fatalf("something is asked for %s, which was dropped", who(a))
	}
}

func (m *machine) answered(call uint64) {
	if !m.open[call] {
		m.t.Fatalf("call %d is answered again", call)
	}
	delete(m.open, call)
	delete(m.awaited, call)
}

func (m *machine) serve(s sent) {
	p, err := wire.Parse(s.Message)
	if err != nil {
		m.t.Fatal(err)
	}
	server := netip.MustParseAddr("10.77.0.1")
	b := wire.NewBuilder(wire.OpReply, 1, p.HardwareAddr(), p.XID())
	b.AddMessageType(map[wire.MessageType]wire.MessageType{wire.Discover: wire.Offer, wire.Request: wire.ACK}[s.Type])
	b.AddAddr(wire.OptionServerID, server)
	b.SetYourAddr(netip.AddrFrom4([4]byte{10, 77, 0, 100 + p.HardwareAddr()[5]}))
	b.AddAddr(wire.OptionSubnetMask, netip.MustParseAddr("255.255.255.0"))
	b.AddUint32(wire.OptionLeaseTime, 600)
	m.tell(Happened{Of: s.of.Of, Turn: s.of.Turn, What: v4.Datagram{Message: b.Bytes(), From: server, Link: []byte{2, 0, 0, 0, 0, 99}}})
}

func (m *machine) advance(by time.Duration) {
	end := m.scene.now.Add(by)
	for range 100_000 {
		at, ok := m.scene.core.Deadline()
		if !ok || at.After(end) {
			m.scene.now = end
			return
		}
		m.scene.now = max(m.scene.now, at)
		m.tell(Timeout{})
	}
	m.t.Fatal("livelock")
}

// check holds at every moment.
func (m *machine) check() {
	for call, by := range m.awaited {
		if of, known := m.scene.core.calls[call]; known && m.scene.now.After(by) {
			a := m.scene.core.adapters.numbered(of)
			if a == nil || a.living() != nil {
				m.t.Fatalf("call %d was due at %v", call, by)
			}
		}
	}
	for id, a := range m.scene.core.adapters.at {
		if a.index() != id.Index || m.scene.core.adapters.numbered(a.number) != a {
			m.t.Fatalf("%v has %s", id, fmt.Sprint(a.name, a.index()))
		}
	}
	for place, id := range m.scene.core.links.named {
		if _, there := m.scene.core.links.all[id]; !there {
			m.t.Fatalf("%v names a link that is gone", place)
		}
	}
}
