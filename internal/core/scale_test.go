package core

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/internal/tenancy/v4"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// A crowd is a core with many adapters, and ports that do nothing but remember what was
// asked for last.
type crowd struct {
	core     *Core
	now      boottime.Instant
	links    []netconf.Link
	strays   []Datagram // messages for other clients
	prepared Prepared
	sent     Adapter
	message  []byte
	calls    uint64
	answered uint64
	dropped  int
	asked    int // how often something was asked for
}

func newCrowd(n int) *crowd {
	c := &crowd{now: boottime.Instant(time.Hour)}
	c.core = New(Config{
		Ports: Ports{Kernel: c, Transport: c, Resolver: c, Store: c, Hooks: c},
		Tenancy: func(_ NS, l netconf.Link) v4.Config {
			return v4.Config{
				DHCP4:    dhcp4.Config{HardwareType: 1, HardwareAddr: l.HardwareAddr, Seed: uint64(l.Index)}, //nolint:gosec // an index is positive
				Policy:   v4.Policy{Metric: 1002},
				Conflict: v4.ConflictOff,
			}
		},
	})
	for i := range n {
		l := linkOf(i)
		c.links = append(c.links, l)
		c.strays = append(c.strays, c.reply(ID{Index: l.Index}, l.HardwareAddr, 1, wire.ACK))
		c.tell(LinkChanged{Link: l})
		c.tell(Manage{Name: l.Name})
		c.tell(c.prepared)
		c.serve()
		c.serve()
		c.now = c.now.Add(time.Hour / 2 / time.Duration(n)) // T1 of each is at another time
	}
	return c
}

// linkOf is the link of an adapter.
func linkOf(i int) netconf.Link {
	mac := binary.BigEndian.AppendUint32([]byte{2, 0}, uint32(i)) //nolint:gosec // a few thousand
	return netconf.Link{Index: i + 2, Name: fmt.Sprintf("c%d", i), HardwareType: 1, HardwareAddr: mac, MTU: 1500, Up: true, Carrier: true}
}

func (c *crowd) tell(in Input) { c.core.Handle(c.now, in) }

// serve answers the last message, as a server does that gives each its own address.
func (c *crowd) serve() {
	if c.message == nil {
		return
	}
	p, err := wire.Parse(c.message)
	if err != nil {
		panic(err)
	}
	c.message = nil
	of := map[wire.MessageType]wire.MessageType{wire.Discover: wire.Offer, wire.Request: wire.ACK}[p.MessageType()]
	if of != 0 {
		c.tell(c.reply(c.sent.ID, p.HardwareAddr(), p.XID(), of))
	}
}

// reply is a server's message to the adapter of a link.
func (*crowd) reply(id ID, mac []byte, xid uint32, typ wire.MessageType) Datagram {
	server := netip.MustParseAddr("10.0.0.1")
	b := wire.NewBuilder(wire.OpReply, 1, mac, xid)
	b.AddMessageType(typ)
	b.AddAddr(wire.OptionServerID, server)
	b.SetYourAddr(netip.AddrFrom4([4]byte{10, 1, byte(id.Index >> 8), byte(id.Index)}))
	b.AddAddr(wire.OptionSubnetMask, netip.MustParseAddr("255.0.0.0"))
	b.AddUint32(wire.OptionLeaseTime, 3600)
	return Datagram{ID: id, What: dhcp4.Datagram{Message: b.Bytes(), From: server, Link: []byte{2, 0, 0, 0, 0, 1}}}
}

func (c *crowd) Prepare(a Adapter, _ Prepare) {
	c.prepared = Prepared{Of: a.Of, Turn: a.Turn, ID: a.ID, Link: a.Link}
}
func (*crowd) Leave(Adapter) {}
func (c *crowd) Apply(_ Adapter, o tenancy.Apply) (tenancy.Applied, bool) {
	c.asked++
	return tenancy.Report(o.Seq, netconf.Outcome{}), true
}

func (c *crowd) Inspect(_ Adapter, o tenancy.Inspect) (tenancy.Inspected, bool) {
	c.asked++
	return tenancy.Inspected{Seq: o.Seq, Cause: o.Cause}, true
}
func (*crowd) Solicit(Adapter, netip.Addr) error { return nil }
func (*crowd) Desist(Adapter)                    {}
func (*crowd) Open(Adapter) error                { return nil }
func (*crowd) Close(Adapter)                     {}
func (c *crowd) Send(a Adapter, t dhcp4.Transmit) error {
	c.asked++
	c.sent, c.message = a, t.Message
	return nil
}
func (c *crowd) Post(a Adapter, t dhcp4.Transmit) error   { return c.Send(a, t) }
func (*crowd) SendARP(Adapter, []byte, []byte) error      { return nil }
func (*crowd) ListenARP(Adapter, []netip.Addr) error      { return nil }
func (*crowd) ListenForceRenew(Adapter, netip.Addr) error { return nil }
func (*crowd) Resolve(Adapter, uint64, netconf.DNS)       {}
func (*crowd) Save(Adapter, v4.Record) error              { return nil }
func (*crowd) Forget(Adapter, string)                     {}
func (*crowd) Say(Adapter, Said)                          {}
func (*crowd) Unmanageable(Adapter, Refusal)              {}
func (c *crowd) Dropped(Adapter)                          { c.dropped++ }
func (*crowd) Gone(ID)                                    {}
func (c *crowd) Answer(uint64, tenancy.Result, error)     { c.answered++ }
func (*crowd) Discovered(uint64, Discovery)               {}

// renew has an adapter renew its lease.
func (c *crowd) renew(i int) {
	c.calls++
	c.tell(Call{Call: c.calls, Name: c.links[i].Name, Verb: tenancy.Renew, Deadline: c.now.Add(20 * time.Second)})
	c.serve()
}

// next lets the next deadline come.
func (c *crowd) next() {
	at, _ := c.core.Deadline()
	c.now = max(c.now, at)
	c.tell(Timeout{})
	c.serve()
}

// TestManyAdapters has ten thousand adapters live: each renews in its time, is called,
// loses its link and goes.
func TestManyAdapters(t *testing.T) {
	t.Parallel()
	n := 10_000
	if testing.Short() {
		n = 1000
	}
	c := newCrowd(n)
	living := 0
	for a := range c.core.Living() {
		if v := c.core.View(a.ID); v.Status.State != dhcp4.StateBound {
			t.Fatalf("%s is %v", a.Name, v.Status.State)
		}
		living++
	}
	if living != n {
		t.Fatalf("%d of %d live", living, n)
	}
	until := c.now.Add(2 * time.Hour)
	for at, _ := c.core.Deadline(); !at.After(until); at, _ = c.core.Deadline() {
		c.next()
	}
	c.now = until
	for i := range n {
		c.renew(i)
	}
	if c.answered != c.calls {
		t.Errorf("%d of %d calls are answered", c.answered, c.calls)
	}
	before := c.asked
	if c.tell(Disturbed{}); c.asked != before+n {
		t.Errorf("after an overrun %d of %d look at the kernel", c.asked-before, n)
	}
	for i := range n {
		l := linkOf(i)
		if l.Carrier = false; c.core.View(ID{Index: l.Index}).Status.Lease == nil {
			t.Fatalf("%s has no lease", l.Name)
		}
		c.tell(LinkChanged{Link: l})
		c.tell(LinkChanged{Link: l, Gone: true})
		c.tell(Call{Name: l.Name, Verb: tenancy.End, Deadline: c.now})
	}
	if at, due := c.core.Deadline(); due || c.dropped != n {
		t.Errorf("%d of %d are dropped, something is due: %v %v", c.dropped, n, due, at)
	}
}

// BenchmarkAdapters measures what happens to one adapter where there are many others: it
// should take as long as where there are few. It happens to a hundred of them in turn,
// so that what the processor's caches have of an adapter does not depend on how many
// others there are. Deadlines come as they are due, to all.
func BenchmarkAdapters(b *testing.B) {
	events := []struct {
		name  string
		pause time.Duration // between two of one adapter
		do    func(*crowd, int)
	}{
		{"datagram", 0, (*crowd).stray},
		{"renew", 20 * time.Minute, (*crowd).renew},
		{"link", 20 * time.Minute, (*crowd).flap},
		{"timeout", 0, func(c *crowd, _ int) { c.next() }},
	}
	const turns = 100
	for _, e := range events {
		for _, n := range []int{1000, 10_000} {
			b.Run(fmt.Sprintf("%s/%d", e.name, n), func(b *testing.B) {
				c := newCrowd(n)
				i := 0
				event := func() {
					i = (i + n/turns) % n
					c.now = c.now.Add(e.pause / turns)
					e.do(c, i)
				}
				for range 3 * n { // their journals are full then
					event()
				}
				for b.Loop() {
					event()
				}
			})
		}
	}
}

// stray brings a message that is for another client.
func (c *crowd) stray(i int) { c.tell(c.strays[i]) }

// flap takes an adapter's carrier for a moment.
func (c *crowd) flap(i int) {
	l := c.links[i]
	l.Carrier = false
	c.tell(LinkChanged{Link: l})
	l.Carrier = true
	c.tell(LinkChanged{Link: l})
	c.serve()
}
