package dhcp4

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/lessee/lessee/boottime"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// TestTranscripts plays the exchanges in testdata/transcripts, which read as message charts.
// Rewrite them with: go test ./dhcp4 -run TestTranscripts -rewrite
//
// Commands (each prints what the client did, its state and its next deadline):
//
//	client [strict] [broadcast] [rapid] [v6only] [auto] [host=NAME] [id=HEX] [seed=N]   a new client; the clock is at 0
//	start [lease=PREFIX [age=D] [for=D|infinite] [in-use]]      Start
//	start-released [last=ADDR] [unsent lease=...]               StartReleased
//	start-inform [PREFIX]                                       StartInform
//	remember [lease=...], confirm [lease=...]                   Remember and Confirmed, the lease as in start
//	up, down, renew, release, stop, conflict [ADDR]             the inputs of these names
//	offer, ack, nak, message TYPE                               a server's message; it fits the exchange, but for:
//	    your=ADDR server=ADDR mask=ADDR lease=SECONDS t1= t2= link=LAST_BYTE relay=ADDR id=HEX
//	    routers=(ADDR,...) dns=(ADDR,...) routes=(PREFIX>ADDR,...) domain=TEXT mtu=N text=TEXT
//	    rapid=yes v6only=SECONDS auto=0|1 without=(OPTION,...) xid=(late|other) mac=other op=request cut=BYTES
//	wait [N]                                                    to the next deadline, N times
//	run D                                                       lets D pass
func TestTranscripts(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata/transcripts", func(t *testing.T, path string) {
		s := &stage{}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			return s.play(t, d)
		})
	})
}

type stage struct {
	*world
	epoch boottime.Instant
	text  strings.Builder
	xids  []uint32 // in their order, to name them x1, x2, ...
}

func (s *stage) play(t *testing.T, d *datadriven.TestData) string {
	s.text.Reset()
	if s.world != nil {
		s.t = t
	}
	switch d.Cmd {
	case "client":
		s.world = newWorld(t, func(cfg *Config) {
			for _, a := range d.CmdArgs {
				switch a.Key {
				case "strict":
					cfg.Timing = StrictTiming
				case "broadcast":
					cfg.Broadcast = true
				case "v6only":
					cfg.IPv6Only = true
				case "auto":
					cfg.AutoConfigure = true
				case "rapid":
					cfg.RapidCommit = true
				case "host":
					cfg.HostName = a.Vals[0]
				case "id":
					cfg.ClientID = []byte(a.Vals[0])
				case "seed":
					cfg.Seed, _ = strconv.ParseUint(a.Vals[0], 10, 64)
				default:
					t.Fatalf("%s: unknown argument %s", d.Pos, a.Key)
				}
			}
		})
		s.epoch, s.xids = s.now, nil
	case "start":
		s.do(s.startInput(t, d))
	case "start-released":
		in := StartReleased{}
		if v := arg(d, "last"); v != "" {
			in.Last = netip.MustParseAddr(v)
		}
		if d.HasArg("unsent") {
			in.Unsent = s.startInput(t, d).Lease
		}
		s.do(in)
	case "remember":
		s.do(Remember{Lease: s.startInput(t, d).Lease})
	case "confirm":
		s.do(Confirmed{Lease: s.startInput(t, d).Lease})
	case "start-inform":
		s.do(StartInform{netip.MustParsePrefix(d.CmdArgs[0].Key)})
	case "up":
		s.do(LinkUp{})
	case "down":
		s.do(LinkDown{})
	case "renew":
		s.do(Renew{})
	case "release":
		s.do(Release{})
	case "stop":
		s.do(Stop{})
	case "conflict":
		a := testAddr
		if len(d.CmdArgs) > 0 {
			a = netip.MustParseAddr(d.CmdArgs[0].Key)
		}
		s.do(Conflict{Address: a, By: []byte{2, 0, 0, 0, 0, 0x66}})
	case "offer":
		s.serve(t, d, wire.Offer)
	case "ack":
		s.serve(t, d, wire.ACK)
	case "nak":
		s.serve(t, d, wire.NAK)
	case "message":
		n, err := strconv.Atoi(d.CmdArgs[0].Key)
		if err != nil {
			t.Fatal(err)
		}
		s.serve(t, d, wire.MessageType(n))
	case "wait":
		n := 1
		if len(d.CmdArgs) > 0 {
			n, _ = strconv.Atoi(d.CmdArgs[0].Key)
		}
		for range n {
			s.wait()
			s.show()
		}
	case "run":
		by, err := time.ParseDuration(d.CmdArgs[0].Key)
		if err != nil {
			t.Fatal(err)
		}
		end := s.now.Add(by)
		for n := 0; ; n++ {
			at, _, ok := s.c.Deadline()
			if !ok || at.After(end) {
				break
			}
			if n > 10000 {
				t.Fatalf("%s: the client does not come to rest", d.Pos)
			}
			s.wait()
			s.show()
		}
		s.now = end
	default:
		t.Fatalf("%s: unknown command %s", d.Pos, d.Cmd)
	}
	s.line("%s", s.rest())
	return s.text.String()
}

// rest says where the client is now.
func (s *stage) rest() string {
	text := "[" + s.c.State().String()
	if l, ok := s.c.Lease(); ok {
		text += ", " + l.Address.Addr().String()
	}
	if at, why, ok := s.c.Deadline(); ok {
		text += fmt.Sprintf("; %v at %s", why, s.clock(at))
	}
	return text + "]"
}

func (s *stage) do(in Input) {
	s.tell(in)
	s.show()
}

func arg(d *datadriven.TestData, key string) string {
	for _, a := range d.CmdArgs {
		if a.Key == key {
			return strings.Join(a.Vals, ",")
		}
	}
	return ""
}

func (s *stage) startInput(t *testing.T, d *datadriven.TestData) Start {
	v := arg(d, "lease")
	if v == "" {
		return Start{}
	}
	l := &Lease{
		Address: netip.MustParsePrefix(v), Server: testServer, ServerLink: testLink,
		ClientID: append([]byte{1}, testMAC...), Start: s.now, Duration: time.Hour,
	}
	if a := arg(d, "age"); a != "" {
		age, err := time.ParseDuration(a)
		if err != nil {
			t.Fatal(err)
		}
		l.Start = s.now.Add(-age)
	}
	if a := arg(d, "for"); a != "" {
		var err error
		if l.Duration, err = time.ParseDuration(a); err != nil {
			t.Fatal(err)
		}
	}
	l.T1, l.T2 = l.Duration/2, l.Duration/8*7
	l.Infinite = d.HasArg("infinite")
	return Start{Lease: l, InUse: d.HasArg("in-use")}
}

func (s *stage) serve(t *testing.T, d *datadriven.TestData, typ wire.MessageType) {
	r := s.newReply(typ)
	r.without = map[wire.OptionCode]bool{}
	link := slices.Clone(testLink)
	mac := testMAC
	op := wire.OpReply
	cut := 0
	number := func(v string) uint64 {
		n, err := strconv.ParseUint(v, 0, 32)
		if err != nil {
			t.Fatalf("%s: %v", d.Pos, err)
		}
		return n
	}
	var adds []func(*wire.Builder)
	add := func(f func(*wire.Builder)) { adds = append(adds, f) }
	addrs := func(vals []string) (all []netip.Addr) {
		for _, v := range vals {
			all = append(all, netip.MustParseAddr(v))
		}
		return all
	}
	for i, a := range d.CmdArgs {
		if len(a.Vals) == 0 {
			if i > 0 {
				t.Fatalf("%s: argument %s has no value", d.Pos, a.Key)
			}
			continue // the number of a message
		}
		v := a.Vals[0]
		switch a.Key {
		case "your":
			r.your = netip.MustParseAddr(v)
		case "server":
			r.server = netip.MustParseAddr(v)
		case "mask":
			r.mask = netip.MustParseAddr(v)
		case "lease":
			r.lease = uint32(number(v))
		case "t1":
			r.t1 = uint32(number(v))
		case "t2":
			r.t2 = uint32(number(v))
		case "link":
			link[5] = byte(number(v))
		case "relay":
			add(func(b *wire.Builder) { b.SetRelay(netip.MustParseAddr(v)) })
		case "id":
			add(func(b *wire.Builder) { b.AddText(wire.OptionClientID, v) })
		case "routers":
			add(func(b *wire.Builder) { b.AddAddr(wire.OptionRouter, addrs(a.Vals)...) })
		case "dns":
			add(func(b *wire.Builder) { b.AddAddr(wire.OptionDNS, addrs(a.Vals)...) })
		case "routes":
			add(func(b *wire.Builder) {
				var list []wire.Route
				for _, r := range a.Vals {
					to, via, _ := strings.Cut(r, ">")
					list = append(list, wire.Route{Destination: netip.MustParsePrefix(to), Router: netip.MustParseAddr(via)})
				}
				b.AddOption(wire.OptionClasslessRoutes, wire.AppendClasslessRoutes(nil, list...))
			})
		case "domain":
			add(func(b *wire.Builder) { b.AddText(wire.OptionDomainName, v) })
		case "mtu":
			add(func(b *wire.Builder) { b.AddUint16(wire.OptionMTU, uint16(number(v))) })
		case "v6only":
			add(func(b *wire.Builder) { b.AddUint32(wire.OptionIPv6OnlyPreferred, uint32(number(v))) })
		case "auto":
			add(func(b *wire.Builder) { b.AddUint8(wire.OptionAutoConfigure, uint8(number(v))) })
		case "rapid":
			add(func(b *wire.Builder) { b.AddOption(wire.OptionRapidCommit, nil) })
		case "text":
			add(func(b *wire.Builder) { b.AddText(wire.OptionMessage, v) })
		case "without":
			for _, o := range a.Vals {
				r.without[wire.OptionCode(number(o))] = true
			}
		case "xid":
			if v == "late" { // of the exchange before
				r.xid = s.xids[len(s.xids)-2]
			} else {
				r.xid ^= 1
			}
		case "mac":
			mac = []byte{2, 0, 0, 0, 0, 9}
		case "op":
			op = wire.OpRequest
		case "cut":
			cut = int(number(v))
		default:
			t.Fatalf("%s: unknown argument %s", d.Pos, a.Key)
		}
	}
	r.change = func(b *wire.Builder) {
		for _, f := range adds {
			f(b)
		}
	}
	raw := r.bytes()
	raw[0] = byte(op)
	copy(raw[28:], mac)
	raw = raw[:len(raw)-cut]
	s.line("<-- %v from %v, %s", typ, r.server, s.xid(r.xid))
	s.do(Datagram{Message: raw, From: r.server, Link: link})
}

// clock returns an instant as seconds since the client was made, or as a duration if that is long.
func (s *stage) clock(at boottime.Instant) string {
	d := at.Sub(s.epoch)
	if d < 10*time.Minute {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return d.Round(time.Second).String()
}

func (s *stage) line(format string, args ...any) {
	fmt.Fprintf(&s.text, "%8s  %s\n", s.clock(s.now), fmt.Sprintf(format, args...))
}

func (s *stage) xid(x uint32) string {
	i := slices.Index(s.xids, x)
	if i < 0 {
		if s.c.state.awaited() == nil || s.c.state.awaited().xid != x {
			return "x?"
		}
		i = len(s.xids)
		s.xids = append(s.xids, x)
	}
	return "x" + strconv.Itoa(i+1)
}

// show writes the outputs of the last input.
func (s *stage) show() {
	for _, o := range s.out {
		switch o := o.(type) {
		case Transmit:
			s.showSent(o)
		case Offered:
			s.line("offered: %v by %v", o.Lease.Address.Addr(), o.Lease.Server)
		case Acquired:
			s.line("ACQUIRED %s", s.describe(o))
		case Lost:
			s.line("LOST %v: %v", o.Lease.Address, o.Why)
		case AutoConfigure:
			s.line("LINK-LOCAL allowed: %v", o.Allowed)
		case Informed:
			s.line("INFORMED %s", s.describe(Acquired{Lease: o.Lease}))
		case Done:
			s.line("DONE %v: %v", o.Op, o.Err)
		case Moved:
			s.line("%v -> %v", o.From, o.To)
		case Received:
			if !o.Text.IsZero() {
				s.line("it says %q", o.Text)
			}
		case Dropped:
			s.line("dropped: %v", o.Why)
		}
	}
}

func (s *stage) describe(a Acquired) string {
	l := a.Lease
	text := l.Address.String()
	if a.Renewed {
		text += " again"
	}
	text += fmt.Sprintf(" of %v", l.Server)
	if l.Infinite {
		text += " for ever"
	} else {
		end, _ := l.Expires()
		t1, _ := l.RenewsAt()
		t2, _ := l.RebindsAt()
		text += fmt.Sprintf(" from %s, T1 %s, T2 %s, end %s", s.clock(l.Start), s.clock(t1), s.clock(t2), s.clock(end))
	}
	show := func(name string, v any, is bool) {
		if is {
			text += fmt.Sprintf(", %s %v", name, v)
		}
	}
	show("link", l.ServerLink, len(l.ServerLink) > 0 && l.ServerLink[5] != testLink[5])
	show("relay", l.Relay, l.Relay.IsValid())
	show("broadcast", l.Broadcast, l.Broadcast.IsValid())
	show("routers", l.Routers, len(l.Routers) > 0)
	show("routes", l.Routes, len(l.Routes) > 0)
	show("dns", l.DNS, len(l.DNS) > 0)
	show("domain", l.Domain, !l.Domain.IsZero())
	show("mtu", l.MTU, l.MTU != 0)
	return text
}

func (s *stage) showSent(o Transmit) {
	p, err := wire.Parse(o.Message)
	if err != nil {
		s.t.Fatal(err)
	}
	// A message of an exchange that is over has an xid that nothing awaits.
	xid := "own xid"
	if o.Type == wire.Discover || o.Type == wire.Request || o.Type == wire.Inform {
		if slices.Index(s.xids, p.XID()) < 0 {
			s.xids = append(s.xids, p.XID())
		}
		xid = s.xid(p.XID())
	}
	to := o.Destination.String()
	if o.Destination == broadcast {
		to = "all"
	}
	text := fmt.Sprintf("--> %v to %s", o.Type, to)
	if o.Source != unspecified {
		text += fmt.Sprintf(" from %v", o.Source)
	}
	text += ", " + xid
	if n := p.Secs(); n != 0 {
		text += fmt.Sprintf(", secs %d", n)
	}
	if p.Broadcast() {
		text += ", flag B"
	}
	if a := p.ClientAddr(); a != unspecified {
		text += fmt.Sprintf(", ciaddr %v", a)
	}
	if a, ok := p.Addr(wire.OptionRequestedAddress); ok {
		text += fmt.Sprintf(", asks for %v", a)
	}
	if a, ok := p.Addr(wire.OptionServerID); ok {
		text += fmt.Sprintf(", of server %v", a)
	}
	if v, ok := p.Uint8(wire.OptionAutoConfigure); ok {
		text += fmt.Sprintf(", auto-configure %d", v)
	}
	if _, ok := p.Option(wire.OptionRapidCommit); ok {
		text += ", rapid commit"
	}
	if id, _ := p.Option(wire.OptionClientID); !slices.Equal(id, append([]byte{1}, testMAC...)) {
		text += fmt.Sprintf(", id %q", id)
	}
	if n, ok := p.Text(wire.OptionHostName); ok {
		text += ", host " + n
	}
	if m, ok := p.Text(wire.OptionMessage); ok {
		text += fmt.Sprintf(", says %q", m)
	}
	if len(o.Link) > 0 {
		text += ", frame to " + colons(o.Link)
	}
	s.line("%s", text)
}
