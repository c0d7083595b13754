package v4

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/wire/arp"
	wire "github.com/lessee/lessee/wire/dhcp4"
	"pgregory.net/rapid"
)

// TestOrders lets anything happen in any order, restarts included, and checks
// what the package comment promises.
func TestOrders(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := &life{t: t, now: boottime.Instant(time.Hour), open: map[uint64]boottime.Instant{}, up: true}
		l.mode = rapid.SampledFrom([]ConflictMode{ConflictOptimistic, ConflictProbe, ConflictOff}).Draw(t, "mode")
		l.local = rapid.Bool().Draw(t, "link-local")
		l.begin()
		t.Repeat(map[string]func(*rapid.T){
			"": func(*rapid.T) { l.check() },
			"link": func(t *rapid.T) {
				l.up = rapid.IntRange(0, 3).Draw(t, "up") > 0
				l.tell(tenancy.Link{Usable: l.up, MTU: 1500})
			},
			"call": func(t *rapid.T) {
				l.calls++
				verb := rapid.SampledFrom([]tenancy.Verb{tenancy.Renew, tenancy.Renew, tenancy.Release, tenancy.Await, tenancy.Await, tenancy.End, tenancy.EndKeep}).Draw(t, "verb")
				patience := time.Duration(rapid.IntRange(0, 30).Draw(t, "patience")) * time.Second
				l.open[l.calls] = l.now.Add(patience)
				l.tell(tenancy.Call{ID: l.calls, Verb: verb, Deadline: l.now.Add(patience)})
			},
			"cancel": func(t *rapid.T) { l.tell(tenancy.Cancel{ID: rapid.Uint64Range(0, l.calls+1).Draw(t, "id")}) },
			"reply": func(t *rapid.T) {
				l.reply(t, rapid.SampledFrom([]wire.MessageType{wire.Offer, wire.ACK, wire.NAK}).Draw(t, "kind"))
			},
			"serve": func(t *rapid.T) { // what a server would do
				switch l.sent.Type {
				case wire.Discover:
					l.reply(t, wire.Offer)
				case wire.Request:
					l.reply(t, wire.ACK)
				default:
				}
			},
			"arp": func(t *rapid.T) {
				a := netip.MustParseAddr(fmt.Sprintf("10.77.0.%d", 105+rapid.IntRange(0, 1).Draw(t, "address")))
				other := arp.HardwareAddr{2, 0, 0, 0, 0, 7}
				p := rapid.SampledFrom([]arp.Packet{arp.Announcement(other, a), arp.Probe(other, a)}).Draw(t, "packet")
				l.tell(ARP{Packet: arp.Append(nil, p), From: other[:]})
			},
			"router": func(t *rapid.T) { // answers what was asked last
				for _, q := range l.asked {
					if q.Sender.IsUnspecified() {
						continue
					}
					from := arp.HardwareAddr{2, 0, 0, 0, 0, byte(rapid.IntRange(1, 2).Draw(t, "link"))}
					p := arp.Packet{Op: arp.OpReply, SenderHardware: from, Sender: q.Target, TargetHardware: q.SenderHardware, Target: q.Sender}
					l.tell(ARP{Packet: arp.Append(nil, p), From: from[:]})
				}
			},
			"applied": func(t *rapid.T) {
				in := tenancy.Applied{Seq: rapid.Uint64Range(l.seq-min(l.seq, 1), l.seq).Draw(t, "seq"), Extent: tenancy.AppliedAll}
				if rapid.IntRange(0, 4).Draw(t, "refused") == 0 {
					in.Err, in.Extent = errors.New("refused"), tenancy.AppliedNothing
					if rapid.Bool().Draw(t, "partly") {
						in.Extent = tenancy.AppliedAddress
					}
				}
				l.tell(in)
			},
			"disturbed": func(*rapid.T) { l.tell(tenancy.Disturbed{}) },
			"inspected": func(t *rapid.T) {
				missing := netconf.Missing(netconf.State{Link: netconf.Link{Up: true, Carrier: true}}, l.inspect.Want)
				in := tenancy.Inspected{Seq: l.inspect.Seq, Cause: l.inspect.Cause, Missing: missing[:rapid.IntRange(0, len(missing)).Draw(t, "missing")]}
				if l.inspect = (tenancy.Inspect{}); in.Seq > 0 {
					l.tell(in)
				}
			},
			"advance": func(t *rapid.T) {
				l.advance(time.Duration(rapid.IntRange(0, 4000).Draw(t, "by")) * time.Second)
			},
			"suspend": func(t *rapid.T) {
				l.now = l.now.Add(time.Duration(rapid.IntRange(0, 4000).Draw(t, "by")) * time.Second)
			},
			"timeout":        func(*rapid.T) { l.tell(tenancy.Timeout{}) },
			"save failed":    func(*rapid.T) { l.tell(tenancy.SaveFailed{Err: errors.New("disk full")}) },
			"persist failed": func(*rapid.T) { l.tell(tenancy.PersistFailed{Err: errors.New("disk full")}) },
			"send failed":    func(*rapid.T) { l.tell(SendFailed{Type: l.sent.Type, Err: errors.New("network is down")}) },
			"restart":        func(*rapid.T) { l.begin() },
		})
		l.tell(tenancy.Gone{})
		if len(l.open) > 0 {
			t.Fatalf("calls without an answer at the end: %v", l.open)
		}
	})
}

// A life is a tenancy after another on one adapter.
type life struct {
	t       *rapid.T
	tenancy *Tenancy
	now     boottime.Instant
	up      bool
	ended   bool
	mode    ConflictMode
	local   bool
	asked   []arp.Packet // what was sent last

	record Record
	kernel netip.Prefix
	sent   dhcp4.Transmit
	seq    uint64
	calls  uint64

	inspect tenancy.Inspect // not reported yet

	open map[uint64]boottime.Instant // calls not answered, by deadline
}

func (l *life) begin() {
	l.inspect = tenancy.Inspect{}
	tn, err := New(Config{
		DHCP4:    dhcp4.Config{HardwareType: 1, HardwareAddr: hardwareAddr, Seed: 1, IPv6Only: true, RapidCommit: true},
		Policy:   Policy{Metric: 1002, MTU: true, DNS: true},
		Conflict: l.mode, LinkLocal: l.local,
	})
	if err != nil {
		l.t.Fatal(err)
	}
	l.tenancy, l.seq, l.ended = tn, 0, false
	clear(l.open) // their callers went with the process
	in := Begin{Record: l.record, Link: tenancy.Link{Usable: l.up, MTU: 1500}}
	if l.kernel.IsValid() {
		in.Configured = []netip.Prefix{l.kernel}
	}
	l.tell(in)
}

func (l *life) tell(in tenancy.Input) {
	l.tenancy.Handle(l.now, in)
	l.drain()
}

func (l *life) advance(by time.Duration) {
	end := l.now.Add(by)
	for range 100_000 {
		at, ok := l.tenancy.Deadline()
		if !ok || at.After(end) {
			l.now = end
			return
		}
		l.now = max(l.now, at)
		l.tell(tenancy.Timeout{})
	}
	l.t.Fatal("livelock: a deadline that its Timeout does not move")
}

func (l *life) drain() {
	for n := 0; ; n++ {
		o, ok := l.tenancy.Poll()
		if !ok {
			return
		}
		if n > 1000 {
			l.t.Fatal("outputs without end")
		}
		if l.ended {
			l.answerOnly(o)
			continue
		}
		l.carryOut(o)
	}
}

func (l *life) answerOnly(o tenancy.Output) {
	if a, ok := o.(tenancy.Answer); ok {
		delete(l.open, a.ID)
		return
	}
	l.t.Fatalf("%T after the end", o)
}

func (l *life) carryOut(o tenancy.Output) {
	switch o := o.(type) {
	case Transmit:
		l.sent = dhcp4.Transmit(o)
		if !l.up {
			l.t.Fatalf("%v without a link", o.Type)
		}
		if o.Type == wire.Release && l.record.Release != Releasing {
			l.t.Fatal("a RELEASE leaves before it is on record")
		}
		if o.Type != wire.Release && l.record.Release != NotReleased && o.Source.IsValid() && !o.Source.IsUnspecified() {
			l.t.Fatalf("%v from %v after the release", o.Type, o.Source)
		}
	case TransmitARP:
		if !l.up {
			l.t.Fatal("ARP without a link")
		}
		p, err := arp.Parse(o.Packet)
		if err != nil || l.tenancy.client.State() == dhcp4.StateReleased {
			l.t.Fatalf("ARP %v (%v) after the release", p, err)
		}
		l.asked = append(l.asked[max(0, len(l.asked)-3):], p)
	case Listen:
	case Save:
		l.record = o.Record
	case tenancy.Forget:
		l.record = Record{}
	case tenancy.Apply:
		if o.Seq <= l.seq {
			l.t.Fatalf("Apply %d after %d", o.Seq, l.seq)
		}
		l.seq = o.Seq
		a := o.Want.IPv4().Prefix
		if a.IsValid() && a.Addr().IsLinkLocalUnicast() {
			if !slices.Contains(l.record.Ours, a) {
				l.t.Fatalf("%v is configured, and not on record", a)
			}
		} else if a.IsValid() && (l.record.Release != NotReleased || !l.onRecord(a)) {
			l.t.Fatalf("%v is configured, but %v is on record", a, leaseAddress(l.record.Lease))
		}
		if end := o.Want.IPv4().Lifetime; a.IsValid() && !end.Forever && !l.now.Before(end.ValidUntil) {
			l.t.Fatalf("%v is configured at %v, but it ended at %v", a, l.now, end.ValidUntil)
		}
		if l.kernel.IsValid() && l.kernel != a && !slices.Contains(o.Ours, l.kernel) {
			l.t.Fatalf("%v would stay: ours are %v", l.kernel, o.Ours)
		}
		l.kernel = a
	case tenancy.Inspect:
		if l.inspect.Seq > 0 {
			l.t.Fatalf("it inspects twice at once: %v, %v", l.inspect, o)
		}
		l.inspect = o
	case tenancy.Answer:
		if _, asked := l.open[o.ID]; !asked {
			l.t.Fatalf("call %d is answered, but nobody waits", o.ID)
		}
		delete(l.open, o.ID)
	case Note:
	case tenancy.Ended:
		l.ended = true
	default:
		l.t.Fatalf("unknown output %T", o)
	}
}

// onRecord reports whether a restart would find the address as the adapter's
// lease, or as its lease on a known network.
func (l *life) onRecord(a netip.Prefix) bool {
	return leaseAddress(l.record.Lease) == a ||
		slices.ContainsFunc(l.record.Networks, func(n Network) bool { return n.Lease.Address == a })
}

// check holds at every moment.
func (l *life) check() {
	for id, deadline := range l.open {
		if at, ok := l.tenancy.Deadline(); !ok || at.After(deadline) {
			l.t.Fatalf("call %d is due at %v, but the next deadline is %v (%v)", id, deadline, at, ok)
		}
	}
	if l.ended {
		return
	}
	if lease := l.tenancy.lease(); lease != nil {
		if end, ok := lease.Expires(); ok && l.now.After(end) {
			if at, due := l.tenancy.Deadline(); !due || at.After(l.now) {
				l.t.Fatalf("the lease ended at %v and nothing is to be done about it", end)
			}
		}
		if l.kernel != lease.Address {
			l.t.Fatalf("the lease is %v, the kernel was told %v", lease.Address, l.kernel)
		}
	} else if l.kernel.IsValid() && l.kernel != l.tenancy.localAddress() {
		l.t.Fatalf("%v is configured without a lease", l.kernel)
	}
}

func (l *life) reply(t *rapid.T, kind wire.MessageType) {
	p, err := wire.Parse(l.sent.Message)
	if err != nil {
		return // nothing was sent yet
	}
	b := wire.NewBuilder(wire.OpReply, 1, p.HardwareAddr(), p.XID())
	b.AddMessageType(kind)
	b.AddAddr(wire.OptionServerID, serverAddr)
	if kind != wire.NAK {
		b.SetYourAddr(netip.MustParseAddr(fmt.Sprintf("10.77.0.%d", 105+rapid.IntRange(0, 1).Draw(t, "host"))))
		b.AddAddr(wire.OptionSubnetMask, netip.MustParseAddr("255.255.255.0"))
		if rapid.Bool().Draw(t, "routed") {
			b.AddAddr(wire.OptionRouter, netip.MustParseAddr(rapid.SampledFrom([]string{"10.77.0.1", "10.77.0.9"}).Draw(t, "router")))
		}
		b.AddUint32(wire.OptionLeaseTime, rapid.SampledFrom([]uint32{1, 60, 3600, 0xffffffff}).Draw(t, "lease"))
	}
	switch rapid.IntRange(0, 15).Draw(t, "more") {
	case 0:
		b.AddUint32(wire.OptionIPv6OnlyPreferred, 0)
	case 1:
		b.AddUint8(wire.OptionAutoConfigure, 0)
	case 2, 3, 4:
		b.AddOption(wire.OptionRapidCommit, nil)
	}
	l.tell(Datagram{Message: b.Bytes(), From: serverAddr, Link: []byte{2, 0, 0, 0, 0, 1}})
}
