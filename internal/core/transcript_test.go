package core

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/event"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"github.com/lessee/lessee/reason"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// TestTranscripts plays the scripts of testdata: what happens to the adapters of a
// machine, and what is done about it. Rewrite them with -rewrite.
func TestTranscripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			datadriven.RunTest(t, file, newScene().play)
		})
	}
}

// A scene is a core on a virtual clock, whose kernel, disk and server are played by
// a script.
type scene struct {
	core    *Core
	now     boottime.Instant
	links   map[int]netconf.Link
	prepare map[string]Prepare // the last, by name
	sent    map[string]sent    // the last message, by name
	applied map[string]Do      // the last Apply, by name
	calls   uint64
	out     strings.Builder
}

// A sent is a message and whose it is.
type sent struct {
	of Adapter
	dhcp4.Transmit
}

func newScene() *scene {
	s := &scene{
		now: boottime.Instant(time.Hour), links: make(map[int]netconf.Link),
		prepare: make(map[string]Prepare), sent: make(map[string]sent), applied: make(map[string]Do),
	}
	s.core = New(Config{Tenancy: func(_ NS, l netconf.Link) v4.Config {
		return v4.Config{
			DHCP4:    dhcp4.Config{HardwareType: 1, HardwareAddr: l.HardwareAddr, Seed: 1},
			Policy:   v4.Policy{Metric: 1002},
			Conflict: v4.ConflictOff,
		}
	}})
	return s
}

func (s *scene) play(t *testing.T, d *datadriven.TestData) string {
	s.out.Reset()
	arg := func(key, value string) string {
		d.MaybeScanArgs(t, key, &value)
		return value
	}
	name := ""
	if len(d.CmdArgs) > 0 {
		name = d.CmdArgs[0].Key
	}
	switch d.Cmd {
	case "link":
		index := 0
		d.ScanArgs(t, "index", &index)
		l := netconf.Link{Index: index, Name: name, HardwareType: 1, MTU: 1500, Up: true, Carrier: !d.HasArg("down"), HardwareAddr: []byte{2, 0, 0, 0, 0, byte(index)}}
		if d.HasArg("new-address") {
			l.HardwareAddr[0] = 6
		}
		if d.HasArg("loopback") {
			l.Loopback = true
		}
		if a := arg("alt", ""); a != "" {
			l.AltNames = []string{a}
		}
		s.links[index] = l
		if !d.HasArg("untold") {
			s.tell(LinkChanged{Link: l})
		}
	case "gone":
		index := 0
		d.ScanArgs(t, "index", &index)
		l := s.links[index]
		delete(s.links, index)
		s.tell(LinkChanged{Link: l, Gone: true})
	case "manage":
		s.calls++
		s.tell(Manage{Call: s.calls, Name: name})
	case "call":
		s.calls++
		verbs := map[string]tenancy.Verb{"renew": tenancy.Renew, "release": tenancy.Release, "down": tenancy.End, "down-keep": tenancy.EndKeep}
		deadline := s.now.Add(20 * time.Second)
		who := d.CmdArgs[1].Key
		if name != "up" {
			s.tell(Call{Call: s.calls, Name: who, Verb: verbs[name], Deadline: deadline})
			break
		}
		for _, l := range s.links {
			if l.Name == who {
				s.tell(Up{Call: s.calls, Link: l, Deadline: deadline})
			}
		}
	case "cancel":
		var id uint64
		d.ScanArgs(t, "id", &id)
		s.tell(Cancel{Call: id})
	case "prepared":
		p := s.prepare[name]
		in := Prepared{Of: p.Of, Turn: p.Turn, Link: p.Link, Record: v4.Record{Up: d.HasArg("up-on-record")}}
		if d.HasArg("without-carrier") {
			in.Link.Carrier = false
		}
		if d.HasArg("with-carrier") {
			in.Link.Carrier = true
		}
		if d.HasArg("unreadable") {
			in.Unreadable = errors.New("permission denied")
		}
		if d.HasArg("refused") {
			in.Refusal = Refusal{errno.ERROR_BUSY, reason.Cause{Reason: reason.AnotherClient, Manager: "dhcpcd", How: "it runs"}}
		}
		s.tell(in)
	case "serve": // the server answers the last message
		s.serve(t, s.sent[name])
	case "applied":
		o := s.applied[name]
		s.tell(Happened{Of: o.Of, Turn: o.Turn, What: tenancy.Report(o.What.(tenancy.Apply).Seq, netconf.Outcome{})})
	case "disturbed":
		s.tell(Disturbed{})
	case "resolver":
		s.tell(ResolverChanged{File: name})
	case "advance":
		by, err := time.ParseDuration(name)
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		s.advance(by)
	case "view":
		index := 0
		d.ScanArgs(t, "index", &index)
		v := s.core.View(ID{Index: index})
		fmt.Fprintf(&s.out, "of %d %s refused=%q problem=%q\n", v.Of, v.Status.State, &v.Refused, &v.Status.Problem)
	case "why":
		p, j, _ := s.core.Present(Home, name)
		story := event.Tell(&j, p)
		fmt.Fprintf(&s.out, "%s\n", story.Verdict.Code)
	default:
		d.Fatalf(t, "no command %q", d.Cmd)
	}
	return s.out.String()
}

func (s *scene) tell(in Input) {
	s.core.Handle(s.now, in)
	for {
		o, ok := s.core.Poll()
		if !ok {
			return
		}
		if text := s.describe(o); text != "" {
			fmt.Fprintf(&s.out, "%v %s\n", time.Duration(s.now).Round(time.Second)-time.Hour, text)
		}
	}
}

func (s *scene) advance(by time.Duration) {
	end := s.now.Add(by)
	for {
		at, ok := s.core.Deadline()
		if !ok || at.After(end) {
			break
		}
		s.now = max(s.now, at)
		s.tell(Timeout{})
	}
	s.now = end
}

// serve answers a message as a server does that gives each adapter an address of
// its own.
func (s *scene) serve(t *testing.T, m sent) {
	t.Helper()
	p, err := wire.Parse(m.Message)
	if err != nil {
		t.Fatal(err)
	}
	server := netip.MustParseAddr("10.77.0.1")
	b := wire.NewBuilder(wire.OpReply, 1, p.HardwareAddr(), p.XID())
	b.AddMessageType(map[wire.MessageType]wire.MessageType{wire.Discover: wire.Offer, wire.Request: wire.ACK}[m.Type])
	b.AddAddr(wire.OptionServerID, server)
	b.SetYourAddr(netip.AddrFrom4([4]byte{10, 77, 0, 100 + p.HardwareAddr()[5]}))
	b.AddAddr(wire.OptionSubnetMask, netip.MustParseAddr("255.255.255.0"))
	b.AddAddr(wire.OptionDNS, server)
	b.AddUint32(wire.OptionLeaseTime, 3600)
	s.tell(Happened{Of: m.of.Of, Turn: m.of.Turn, What: v4.Datagram{Message: b.Bytes(), From: server, Link: []byte{2, 0, 0, 0, 0, 99}}})
}

func (s *scene) describe(o Output) string {
	switch o := o.(type) {
	case Prepare:
		s.prepare[o.Name] = o
		return fmt.Sprintf("%s prepare, set up: %v", who(o.Adapter), o.SetUp)
	case Do:
		return s.describeDo(o)
	case Close:
		return who(o.Adapter) + " close"
	case Receive:
		return fmt.Sprintf("%s receive at %v", who(o.Adapter), o.Address)
	case Leave:
		return who(o.Adapter) + " leave"
	case Dropped:
		return who(o.Adapter) + " dropped"
	case Rename:
		return fmt.Sprintf("%s rename from %s", who(o.Adapter), o.From)
	case Say:
		return strings.TrimRight(fmt.Sprintf("%s say %v %s", who(o.Adapter), o.Note.Kind, &o.Note.Cause), " ")
	case Unmanageable:
		return fmt.Sprintf("%s unmanageable: %s", who(o.Adapter), &o.Why.Cause)
	case Answer:
		return strings.TrimRight(fmt.Sprintf("answer %d: %s %s", o.Call, o.Result.Code.Name(), &o.Result.Cause), " ")
	}
	return fmt.Sprintf("unknown output %T", o)
}

func (s *scene) describeDo(o Do) string {
	switch w := o.What.(type) {
	case v4.Transmit:
		s.sent[o.Name] = sent{o.Adapter, dhcp4.Transmit(w)}
		return fmt.Sprintf("%s send %v", who(o.Adapter), w.Type)
	case tenancy.Apply:
		s.applied[o.Name] = o
		return fmt.Sprintf("%s apply %v", who(o.Adapter), w.Want.IPv4().Prefix)
	case v4.Save:
		return fmt.Sprintf("%s save, up: %v", who(o.Adapter), w.Record.Up)
	case tenancy.Forget:
		return who(o.Adapter) + " forget"
	case tenancy.Inspect:
		return who(o.Adapter) + " inspect"
	case tenancy.Answer:
		return strings.TrimRight(fmt.Sprintf("%s answer %d: %s %s", who(o.Adapter), w.ID, w.Result.Code.Name(), &w.Result.Cause), " ")
	}
	return "" // notes and ARP are the tenancy's
}

func who(a Adapter) string { return fmt.Sprintf("%s#%d.%d", a.Name, a.Of, a.Turn) }
