package loop

import (
	"net/netip"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/internal/tenancy/v4"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// A rehearsal is a core of its own that gets a lease for a link which does not exist,
// from a server that is not there. It is held while an adapter waits for its carrier:
// when that comes, the code is in memory, what is made at the first use is made, and
// the heap has room. Nobody is told of it, and nothing of it stays.
type rehearsal struct {
	l    *Loop
	core *core.Core
	now  boottime.Instant
	then []core.Input
}

// rehearsed says whether there was a rehearsal.
type rehearsed uint8

const (
	unrehearsed rehearsed = iota
	wellRehearsed
)

// noLink is a link that does not exist: no kernel gives such an index.
var noLink = netconf.Link{Index: 0x7ffffff0, Name: "rehearsal", HardwareType: 1, HardwareAddr: []byte{2, 0, 0, 0, 0, 1}, MTU: 1500, Up: true}

// rehearseAgain is when the rehearsal is held once more: what a start leaves to do is done
// by then. The runtime continues with the processor that was idle last, and each has
// memory of its own: the last to use it is the loop.
const rehearseAgain = 250 * time.Millisecond

// rehearse holds the rehearsal.
func (l *Loop) rehearse() {
	r := l.newRehearsal()
	for range 2 { // once to make, once to go over it
		r.play(core.LinkChanged{Link: noLink}, core.Manage{Call: 1, Name: noLink.Name})
		carrier := noLink
		carrier.Carrier = true
		r.play(core.LinkChanged{Link: carrier}, core.LinkChanged{Link: carrier, Gone: true})
	}
}

func (l *Loop) newRehearsal() *rehearsal {
	r := &rehearsal{l: l, now: l.now}
	r.core = core.New(core.Config{
		Ports: core.Ports{Kernel: r, Transport: r, Resolver: r, Store: r, Hooks: r},
		Tenancy: func(_ core.NS, link netconf.Link) v4.Config {
			return v4.Config{
				DHCP4:    dhcp4.Config{HardwareType: wire.HardwareEthernet, HardwareAddr: link.HardwareAddr, HostName: "rehearsal", Seed: 1},
				Policy:   v4.Policy{Metric: 1000, DNS: true},
				Conflict: v4.ConflictOptimistic,
			}
		},
	})
	return r
}

// play handles inputs, and what the ports have in store.
func (r *rehearsal) play(list ...core.Input) {
	for _, in := range list {
		r.core.Handle(r.now, in)
		for len(r.then) > 0 {
			next := r.then[0]
			r.then = r.then[1:]
			r.core.Handle(r.now, next)
		}
	}
}

// Prepare implements [core.Kernel].
func (r *rehearsal) Prepare(a core.Adapter, _ core.Prepare) {
	r.then = append(r.then, core.Prepared{Of: a.Of, Turn: a.Turn, ID: a.ID})
}

// Leave implements [core.Kernel].
func (r *rehearsal) Leave(core.Adapter) {}

// Apply implements [core.Kernel]: the kernel refuses, as there is no such link.
func (r *rehearsal) Apply(a core.Adapter, o tenancy.Apply) (tenancy.Applied, bool) {
	r.l.Home().Kernel.RehearseApply(a.Link, o.Want)
	return tenancy.Report(o.Seq, netconf.Outcome{}), true
}

// Inspect implements [core.Kernel].
func (r *rehearsal) Inspect(_ core.Adapter, o tenancy.Inspect) (tenancy.Inspected, bool) {
	return tenancy.Inspected{Seq: o.Seq, Cause: o.Cause}, true
}

// Solicit implements [core.Kernel].
func (r *rehearsal) Solicit(core.Adapter, netip.Addr) error { return netconf.ErrNoLink }

// Desist implements [core.Kernel].
func (r *rehearsal) Desist(core.Adapter) {}

// Open implements [core.Transport].
func (r *rehearsal) Open(core.Adapter) error { return nil }

// Close implements [core.Transport].
func (r *rehearsal) Close(core.Adapter) {}

// Send implements [core.Transport]: the server answers.
func (r *rehearsal) Send(a core.Adapter, t dhcp4.Transmit) error {
	p, err := wire.Parse(t.Message)
	if err != nil {
		return err
	}
	kind := wire.Offer
	if t.Type == wire.Request {
		kind = wire.ACK
	}
	server := netip.AddrFrom4([4]byte{192, 0, 2, 1}) // of TEST-NET-1 (RFC 5737)
	b := wire.NewBuilder(wire.OpReply, wire.HardwareEthernet, p.HardwareAddr(), p.XID())
	b.AddMessageType(kind)
	b.SetYourAddr(server.Next())
	b.AddAddr(wire.OptionServerID, server)
	b.AddAddr(wire.OptionSubnetMask, netip.AddrFrom4([4]byte{255, 255, 255, 0}))
	b.AddAddr(wire.OptionRouter, server)
	b.AddAddr(wire.OptionDNS, server)
	b.AddText(wire.OptionHostName, "rehearsal")
	b.AddText(wire.OptionDomainName, "example.org")
	b.AddAddr(wire.OptionBroadcast, netip.AddrFrom4([4]byte{192, 0, 2, 255}))
	b.AddUint32(wire.OptionLeaseTime, uint32(time.Hour/time.Second))
	r.then = append(r.then, core.Datagram{ID: a.ID, What: dhcp4.Datagram{Message: b.Bytes(), From: server, Link: noLink.HardwareAddr}})
	return nil
}

// Post implements [core.Transport].
func (r *rehearsal) Post(core.Adapter, dhcp4.Transmit) error { return nil }

// SendARP implements [core.Transport].
func (r *rehearsal) SendARP(core.Adapter, []byte, []byte) error { return nil }

// ListenARP implements [core.Transport].
func (r *rehearsal) ListenARP(core.Adapter, []netip.Addr) error { return nil }

// ListenForceRenew implements [core.Transport].
func (r *rehearsal) ListenForceRenew(core.Adapter, netip.Addr) error { return nil }

// Resolve implements [core.Resolver].
func (r *rehearsal) Resolve(a core.Adapter, seq uint64, _ netconf.DNS) {
	r.then = append(r.then, core.Resolved{Of: a.Of, Turn: a.Turn, Seq: seq})
}

// Save implements [core.Store].
func (r *rehearsal) Save(_ core.Adapter, record v4.Record) error {
	return r.l.cfg.Store.RehearseSave(record)
}

// Forget implements [core.Store].
func (r *rehearsal) Forget(core.Adapter, string) {}

// Say implements [core.Hooks].
func (r *rehearsal) Say(core.Adapter, core.Said) {}

// Unmanageable implements [core.Hooks].
func (r *rehearsal) Unmanageable(core.Adapter, core.Refusal) {}

// Dropped implements [core.Hooks].
func (r *rehearsal) Dropped(core.Adapter) {}

// Gone implements [core.Hooks].
func (r *rehearsal) Gone(core.ID) {}

// Answer implements [core.Hooks].
func (r *rehearsal) Answer(uint64, tenancy.Result, error) {}

// Discovered implements [core.Hooks].
func (r *rehearsal) Discovered(uint64, core.Discovery) {}
