package core

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/internal/tenancy/v4"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// A scene is a core on a virtual clock, and all its ports. It notes what is asked of
// it, and what can be answered.
type scene struct {
	core  *Core
	now   boottime.Instant
	links map[int]netconf.Link
	calls uint64

	prepare map[string]prepare // the last, by name
	sent    map[string]sent    // the last message, by name
	applied map[string]applied // the last Apply, by name
	resolve map[string]Resolved

	unresolved netip.Addr // the next hop that Post does not know
	deaf       error      // why no ARP is sent and heard
	disk       error
	prompt     promptness
	resolver   promptness
	resolved   []Resolved // that are told next

	out   strings.Builder
	heard func(who Adapter, call uint64, what string) // told of all that is asked, besides
}

// A promptness says whether the kernel answers at once.
type promptness uint8

const (
	later promptness = iota
	atOnce
)

type prepare struct {
	of  Adapter
	how Prepare
}

type sent struct {
	of Adapter
	dhcp4.Transmit
}

type applied struct {
	of  Adapter
	seq uint64
}

func newScene() *scene {
	s := &scene{
		now: boottime.Instant(time.Hour), links: make(map[int]netconf.Link),
		prepare: make(map[string]prepare), sent: make(map[string]sent), applied: make(map[string]applied), resolve: make(map[string]Resolved),
		resolver: atOnce,
		heard:    func(Adapter, uint64, string) {},
	}
	s.core = New(Config{
		Ports: Ports{Kernel: s, Transport: s, Resolver: s, Store: s, Hooks: s},
		Tenancy: func(_ NS, l netconf.Link) v4.Config {
			cfg := v4.Config{
				DHCP4:    dhcp4.Config{HardwareType: 1, HardwareAddr: l.HardwareAddr, Seed: 1},
				Policy:   v4.Policy{Metric: 1002, DNS: true},
				Conflict: v4.ConflictOff,
			}
			if strings.HasPrefix(l.Name, "arp") {
				cfg.Conflict = v4.ConflictOptimistic
			}
			return cfg
		},
	})
	return s
}

func (s *scene) tell(in Input) {
	s.core.Handle(s.now, in)
	for len(s.resolved) > 0 {
		next := s.resolved[0]
		s.resolved = s.resolved[1:]
		s.core.Handle(s.now, next)
	}
}

// at writes what is asked for an adapter.
func (s *scene) at(a Adapter, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	s.heard(a, 0, text)
	s.write(who(a) + " " + text)
}

func (s *scene) write(text string) {
	fmt.Fprintf(&s.out, "%v %s\n", time.Duration(s.now).Round(time.Second)-time.Hour, strings.TrimRight(text, " "))
}

func who(a Adapter) string {
	text := fmt.Sprintf("%s#%d.%d", a.Name, a.Of, a.Turn)
	if a.NS != Home {
		text += fmt.Sprintf("@%d", a.NS)
	}
	return text
}

func (s *scene) Prepare(a Adapter, how Prepare) {
	s.prepare[a.Name] = prepare{a, how}
	s.at(a, "prepare, set up: %v, record of %s", how.SetUp == SetUpIfDown, how.Record)
}
func (s *scene) Leave(a Adapter) { s.at(a, "leave") }

func (s *scene) Apply(a Adapter, o tenancy.Apply) (tenancy.Applied, bool) {
	s.applied[a.Name] = applied{a, o.Seq}
	s.at(a, "apply %v", o.Want.IPv4().Prefix)
	return tenancy.Report(o.Seq, netconf.Outcome{}), s.prompt == atOnce
}

func (s *scene) Inspect(a Adapter, o tenancy.Inspect) (tenancy.Inspected, bool) {
	s.at(a, "inspect")
	return tenancy.Inspected{Seq: o.Seq, Cause: o.Cause}, s.prompt == atOnce
}

func (s *scene) Solicit(a Adapter, host netip.Addr) error {
	s.at(a, "solicit %v", host)
	return nil
}

func (s *scene) Desist(a Adapter) { s.at(a, "desist") }

func (s *scene) Open(a Adapter) error { s.at(a, "open"); return nil }
func (s *scene) Close(a Adapter)      { s.at(Adapter{Name: a.Link.Name}, "close") }

func (s *scene) Send(a Adapter, t dhcp4.Transmit) error {
	s.sent[a.Name] = sent{a, t}
	s.at(a, "send %v", t.Type)
	return nil
}

func (s *scene) Post(a Adapter, t dhcp4.Transmit) error {
	if t.Link == nil && s.unresolved.IsValid() {
		s.at(a, "cannot post %v yet", t.Type)
		return &netconf.UnresolvedError{Hop: s.unresolved}
	}
	s.sent[a.Name] = sent{a, t}
	s.at(a, "post %v", t.Type)
	return nil
}

func (s *scene) SendARP(a Adapter, _, _ []byte) error { s.at(a, "send ARP"); return s.deaf }

func (s *scene) ListenARP(a Adapter, list []netip.Addr) error {
	s.at(a, "listen to ARP of %v", list)
	return s.deaf
}

func (s *scene) ListenForceRenew(a Adapter, at netip.Addr) error {
	s.at(a, "listen to FORCERENEW at %v", at)
	return nil
}

func (s *scene) Resolve(a Adapter, seq uint64, d netconf.DNS) {
	s.resolve[a.Name] = Resolved{Of: a.Of, Turn: a.Turn, Seq: seq}
	if s.resolver == atOnce {
		s.resolved = append(s.resolved, s.resolve[a.Name])
	}
	s.at(a, "resolve by %v", d.Servers)
}

func (s *scene) Save(a Adapter, r v4.Record) error {
	s.at(a, "save, up: %v", r.Up)
	return s.disk
}
func (s *scene) Forget(a Adapter, name string) { s.at(a, "forget %s", name) }

func (s *scene) Say(a Adapter, n Said) {
	switch n.Kind.String() {
	case "sent", "received", "state":
		return // the tenancies' transcripts show them
	}
	s.at(a, "say %v %s %s", n.Kind, &n.Cause, n.From)
}

func (s *scene) Unmanageable(a Adapter, why Refusal) { s.at(a, "unmanageable: %s", &why.Cause) }
func (s *scene) Dropped(a Adapter)                   { s.at(a, "dropped") }

func (s *scene) Gone(ID) {}

func (s *scene) Answer(call uint64, r tenancy.Result, err error) {
	text := fmt.Sprintf("answer %d: %s %s", call, r.Code.Name(), &r.Cause)
	if err != nil {
		text += " (" + err.Error() + ")"
	}
	s.heard(Adapter{}, call, "answer")
	s.write(text)
}

func (s *scene) Discovered(call uint64, d Discovery) {
	s.heard(Adapter{}, call, "answer")
	s.write(fmt.Sprintf("answer %d: %d offers, lease %v", call, len(d.Scan.Offers()), d.Lease != nil))
}

// advance lets time pass.
func (s *scene) advance(by time.Duration) error {
	end := s.now.Add(by)
	for range 100_000 {
		at, ok := s.core.Deadline()
		if !ok || at.After(end) {
			s.now = end
			return nil
		}
		s.now = max(s.now, at)
		s.tell(Timeout{})
	}
	return errors.New("livelock")
}

// serve answers a message as a server does that gives each adapter an address of
// its own.
func (s *scene) serve(m sent) error {
	p, err := wire.Parse(m.Message)
	if err != nil {
		return err
	}
	server := netip.MustParseAddr("10.77.0.1")
	b := wire.NewBuilder(wire.OpReply, 1, p.HardwareAddr(), p.XID())
	b.AddMessageType(map[wire.MessageType]wire.MessageType{wire.Discover: wire.Offer, wire.Request: wire.ACK}[m.Type])
	b.AddAddr(wire.OptionServerID, server)
	b.SetYourAddr(netip.AddrFrom4([4]byte{10, 77, byte(m.of.NS), 100 + p.HardwareAddr()[5]}))
	b.AddAddr(wire.OptionSubnetMask, netip.MustParseAddr("255.255.255.0"))
	b.AddAddr(wire.OptionDNS, server)
	b.AddUint32(wire.OptionLeaseTime, 3600)
	in := Datagram{ID: m.of.ID, What: dhcp4.Datagram{Message: b.Bytes(), From: server}}
	if !s.unresolved.IsValid() { // else it is behind a router
		in.What.Link = []byte{2, 0, 0, 0, 0, 99}
	}
	s.tell(in)
	return nil
}
