package v4

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/event"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/reason"
	"github.com/lessee/lessee/wire/arp"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// TestTranscripts plays the scripts of testdata: what happens to an adapter,
// and what its tenancy does about it. Rewrite them with -rewrite.
func TestTranscripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			datadriven.RunTest(t, file, s.play)
		})
	}
}

var (
	hardwareAddr = []byte{2, 0, 0, 0, 0, 2}
	serverAddr   = netip.MustParseAddr("10.77.0.1")
)

// A scene is a tenancy on a virtual clock whose network, kernel and callers
// are played by a script.
type scene struct {
	cfg     Config
	tenancy *Tenancy
	now     boottime.Instant
	sent    dhcp4.Transmit
	record  Record
	seq     uint64
	inspect tenancy.Inspect
	calls   uint64
	out     strings.Builder
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{now: boottime.Instant(time.Hour), cfg: Config{
		DHCP4:    dhcp4.Config{HardwareType: 1, Seed: 1},
		Policy:   Policy{Metric: 1002, MTU: true, DNS: true},
		Conflict: ConflictOff,
	}}
	s.reset(t, hardwareAddr)
	return s
}

func (s *scene) reset(t *testing.T, mac []byte) {
	t.Helper()
	s.cfg.DHCP4.HardwareAddr = mac
	tn, err := New(s.cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.tenancy = tn
}

func (s *scene) play(t *testing.T, d *datadriven.TestData) string {
	s.out.Reset()
	arg := func(key, value string) string {
		d.MaybeScanArgs(t, key, &value)
		return value
	}
	seconds := func(key, value string) time.Duration {
		v, err := time.ParseDuration(arg(key, value))
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		return v
	}
	switch d.Cmd {
	case "config":
		modes := map[string]ConflictMode{"off": ConflictOff, "optimistic": ConflictOptimistic, "probe": ConflictProbe}
		s.cfg.Conflict = modes[arg("conflict", "off")]
		s.cfg.LinkLocal, s.cfg.Inform = d.HasArg("link-local"), d.HasArg("inform")
		s.cfg.DHCP4.Anonymous = d.HasArg("anonymous")
		s.cfg.DHCP4.IPv6Only, s.cfg.DHCP4.RapidCommit = d.HasArg("ipv6-only"), d.HasArg("rapid-commit")
		s.reset(t, hardwareAddr)
	case "begin":
		in := Begin{Record: s.record, Link: tenancy.Link{Usable: d.HasArg("up"), MTU: 1500}}
		if a := arg("configured", ""); a != "" {
			in.Configured = append(in.Configured, netip.MustParsePrefix(a))
		}
		s.tell(in)
	case "restart":
		mac := hardwareAddr
		if d.HasArg("new-address") {
			mac = []byte{2, 0, 0, 0, 0, 9}
		}
		s.reset(t, mac)
	case "link":
		mtu := 1500
		d.MaybeScanArgs(t, "mtu", &mtu)
		s.tell(tenancy.Link{Usable: d.HasArg("up"), MTU: mtu})
	case "gone":
		s.tell(tenancy.Gone{})
	case "call":
		verbs := map[string]tenancy.Verb{"renew": tenancy.Renew, "release": tenancy.Release, "up": tenancy.Await, "down": tenancy.End, "down-keep": tenancy.EndKeep}
		verb, ok := verbs[d.CmdArgs[0].Key]
		if !ok {
			d.Fatalf(t, "no verb %q", d.CmdArgs[0].Key)
		}
		s.calls++
		s.tell(tenancy.Call{ID: s.calls, Verb: verb, Deadline: s.now.Add(seconds("patience", "20s"))})
	case "cancel":
		var id uint64
		d.ScanArgs(t, "id", &id)
		s.tell(tenancy.Cancel{ID: id})
	case "reply":
		s.tell(s.reply(d, arg))
	case "arp":
		s.tell(s.arpPacket(t, d, arg))
	case "applied":
		in := tenancy.Applied{Seq: s.seq, Extent: tenancy.AppliedAll}
		if e := arg("error", ""); e != "" {
			in.Err, in.Extent = errors.New(e), tenancy.AppliedNothing
			if d.HasArg("partly") {
				in.Extent = tenancy.AppliedAddress
			}
		}
		if r := arg("refused", ""); r != "" {
			in.Refused = []netconf.Object{{Kind: netconf.ObjectRoute, Prefix: netip.MustParsePrefix(r), Metric: s.cfg.Policy.Metric, Table: netconf.TableMain}}
		}
		s.tell(in)
	case "save-failed":
		s.tell(tenancy.SaveFailed{Err: errors.New("no space left on device")})
	case "disturbed":
		s.tell(tenancy.Disturbed{})
	case "inspected":
		s.tell(s.inspected(t, d, arg))
	case "saved":
		s.tell(tenancy.SaveFailed{})
	case "persisted":
		s.tell(tenancy.PersistFailed{})
	case "persist-failed":
		s.tell(tenancy.PersistFailed{Err: errors.New("input/output error")})
	case "send-failed":
		s.tell(SendFailed{Type: s.sent.Type, Err: errors.New("network is down")})
	case "advance":
		by, err := time.ParseDuration(d.CmdArgs[0].Key)
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		s.advance(by)
	case "suspend": // time passes, and nobody is there to see it
		by, err := time.ParseDuration(d.CmdArgs[0].Key)
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		s.now = s.now.Add(by)
	case "status":
		st := s.tenancy.Status()
		if st.LinkLocal.IsValid() {
			fmt.Fprintf(&s.out, "%v ", st.LinkLocal)
		}
		fmt.Fprintf(&s.out, "%v lease=%v problem=%q awaiting=%v\n", st.State, leaseAddress(st.Lease), &st.Problem, s.tenancy.Awaiting())
	default:
		d.Fatalf(t, "no command %q", d.Cmd)
	}
	s.out.WriteString(s.standing())
	return s.out.String()
}

// standing is the line under each command: the state, what the client does next,
// and when a Timeout is due.
func (s *scene) standing() string {
	text := s.tenancy.Status().State.String()
	if n := s.tenancy.Status().Next; n != nil {
		text += fmt.Sprintf(", %v at %v", n.Timer, s.since(n.At))
	}
	if at, ok := s.tenancy.Deadline(); ok {
		text += fmt.Sprintf(", due at %v", s.since(at))
	}
	return "= " + text + "\n"
}

// since is an instant as the transcripts show it.
func (s *scene) since(at boottime.Instant) time.Duration {
	return time.Duration(at).Round(time.Millisecond) - time.Hour
}

// inspected answers the last Inspect: "address" and "route=PREFIX" are missing.
func (s *scene) inspected(t *testing.T, d *datadriven.TestData, arg func(key, value string) string) tenancy.Inspected {
	t.Helper()
	in := tenancy.Inspected{Seq: s.inspect.Seq, Cause: s.inspect.Cause, Manager: arg("manager", "")}
	if d.HasArg("address") {
		in.Missing = append(in.Missing, netconf.Object{Prefix: s.inspect.Want.IPv4().Prefix})
	}
	for _, r := range s.inspect.Want.Routes {
		if r.Destination.String() == arg("route", "") {
			o := r.Object()
			o.Table = netconf.TableMain // as the kernel has it
			in.Missing = append(in.Missing, o)
		}
	}
	if e := arg("error", ""); e != "" {
		in.Err = errors.New(e)
	}
	return in
}

func (s *scene) tell(in tenancy.Input) {
	s.tenancy.Handle(s.now, in)
	s.drain()
}

// advance lets time pass; every deadline on the way is met.
func (s *scene) advance(by time.Duration) {
	end := s.now.Add(by)
	for {
		at, ok := s.tenancy.Deadline()
		if !ok || at.After(end) {
			break
		}
		if at.After(s.now) {
			s.now = at
		}
		before := s.out.Len()
		s.tenancy.Handle(s.now, tenancy.Timeout{})
		s.drain()
		if at2, ok := s.tenancy.Deadline(); ok && !at2.After(s.now) && s.out.Len() == before {
			s.out.WriteString("LIVELOCK\n")
			return
		}
	}
	s.now = end
}

// arpPacket is an ARP packet of another host: "claim" uses the address, "probe" asks
// for it, "answer" says that it is the host's own, "router" answers a question.
func (s *scene) arpPacket(t *testing.T, d *datadriven.TestData, arg func(key, value string) string) ARP {
	t.Helper()
	mac, err := net.ParseMAC(arg("mac", "02:00:00:00:00:07"))
	if err != nil {
		d.Fatalf(t, "%v", err)
	}
	from, a := arp.HardwareAddr(mac), netip.MustParseAddr(arg("address", "10.77.0.105"))
	var p arp.Packet
	switch d.CmdArgs[0].Key {
	case "claim":
		p = arp.Announcement(from, a)
	case "probe":
		p = arp.Probe(from, a)
	case "router":
		from, a = arp.HardwareAddr(mac), netip.MustParseAddr(arg("address", "10.77.0.1"))
		p = arp.Packet{Op: arp.OpReply, SenderHardware: from, Sender: a, TargetHardware: arp.HardwareAddr(hardwareAddr), Target: netip.MustParseAddr(arg("to", "10.77.0.105"))}
	case "answer":
		p = arp.Packet{Op: arp.OpReply, SenderHardware: from, Sender: a, TargetHardware: arp.HardwareAddr(hardwareAddr)}
	default:
		d.Fatalf(t, "no ARP packet %q", d.CmdArgs[0].Key)
	}
	return ARP{Packet: arp.Append(nil, p), From: mac}
}

// reply is a server's answer to the message sent last.
func (s *scene) reply(d *datadriven.TestData, arg func(key, value string) string) Datagram {
	p, err := wire.Parse(s.sent.Message)
	if err != nil {
		panic(err)
	}
	types := map[string]wire.MessageType{"offer": wire.Offer, "ack": wire.ACK, "nak": wire.NAK}
	b := wire.NewBuilder(wire.OpReply, 1, p.HardwareAddr(), p.XID())
	b.AddMessageType(types[d.CmdArgs[0].Key])
	b.AddAddr(wire.OptionServerID, netip.MustParseAddr(arg("server", serverAddr.String())))
	if d.CmdArgs[0].Key != "nak" {
		if a := arg("address", "10.77.0.105"); a != "none" {
			b.SetYourAddr(netip.MustParseAddr(a))
		}
		b.AddAddr(wire.OptionSubnetMask, netip.MustParseAddr("255.255.255.0"))
		b.AddAddr(wire.OptionRouter, netip.MustParseAddr(arg("router", serverAddr.String())))
		b.AddAddr(wire.OptionDNS, serverAddr)
		lease, err := time.ParseDuration(arg("lease", "1h"))
		if err != nil {
			panic(err)
		}
		b.AddUint32(wire.OptionLeaseTime, uint32(lease/time.Second))
		if mtu := arg("mtu", ""); mtu != "" {
			var v uint16
			if _, err := fmt.Sscan(mtu, &v); err != nil {
				panic(err)
			}
			b.AddUint16(wire.OptionMTU, v)
		}
		if d.HasArg("ipv6-only") {
			b.AddUint32(wire.OptionIPv6OnlyPreferred, 1800)
		}
		if d.HasArg("no-link-local") {
			b.AddUint8(wire.OptionAutoConfigure, 0)
		}
		if d.HasArg("rapid") {
			b.AddOption(wire.OptionRapidCommit, nil)
		}
	}
	link, err := net.ParseMAC(arg("mac", "02:00:00:00:00:01"))
	if err != nil {
		panic(err)
	}
	return Datagram{Message: b.Bytes(), From: serverAddr, Link: link}
}

func (s *scene) drain() {
	for {
		o, ok := s.tenancy.Poll()
		if !ok {
			return
		}
		if n, ok := o.(Note); ok && (n.Kind == event.Sent || n.Kind == event.State || n.Kind == event.IPv6Only) {
			continue // Transmit says as much, status the rest
		}
		at := time.Duration(s.now).Round(time.Second) - time.Hour
		fmt.Fprintf(&s.out, "%v %s\n", at, s.describe(o))
	}
}

func (s *scene) describe(o tenancy.Output) string {
	switch o := o.(type) {
	case Transmit:
		s.sent = dhcp4.Transmit(o)
		return fmt.Sprintf("send %v %v>%v", o.Type, o.Source, o.Destination)
	case TransmitARP:
		p, err := arp.Parse(o.Packet)
		if err != nil {
			return err.Error()
		}
		to := "all"
		if o.To != nil {
			to = net.HardwareAddr(o.To).String()
		}
		return fmt.Sprintf("arp %v for %v from %v to %s", p.Op, p.Target, p.Sender, to)
	case Listen:
		return fmt.Sprintf("listen %v", o.Addresses)
	case Save:
		s.record = o.Record
		networks := ""
		for _, n := range o.Record.Networks {
			networks += fmt.Sprintf(" network=%v via %v", n.Lease.Address, net.HardwareAddr(n.RouterLink))
		}
		release := map[ReleaseState]string{NotReleased: "no", Releasing: "releasing", Released: "released"}[o.Record.Release]
		return fmt.Sprintf("save lease=%v release=%s ours=%v mtu=%d", leaseAddress(o.Record.Lease), release, o.Record.Ours, o.Record.BaseMTU) + networks
	case tenancy.Forget:
		s.record = Record{}
		return "forget"
	case tenancy.Apply:
		s.seq = o.Seq
		want := o.Want.IPv4()
		if !want.Prefix.IsValid() {
			text := fmt.Sprintf("apply nothing, ours=%v mtu=%d", o.Ours, o.Want.MTU)
			if !o.Want.DNS.Empty() {
				text += fmt.Sprintf(" dns=%v", o.Want.DNS.Servers)
			}
			return text
		}
		end := "forever"
		if l := want.Lifetime; !l.Forever {
			end = "until " + (time.Duration(l.ValidUntil).Round(time.Second) - time.Hour).String()
		}
		var routes []string
		for _, r := range o.Want.Routes {
			route := r.Destination.String()
			if r.Router.IsValid() {
				route += " via " + r.Router.String()
			}
			if r.OnLink {
				route += " onlink"
			}
			routes = append(routes, route)
		}
		text := fmt.Sprintf("apply %v %s ours=%v routes=[%s] mtu=%d dns=%v", want.Prefix, end, o.Ours, strings.Join(routes, ", "), o.Want.MTU, o.Want.DNS.Servers)
		if len(o.Want.Leave) > 0 {
			text += fmt.Sprintf(" leave=%v", o.Want.Leave)
		}
		return text
	case tenancy.Inspect:
		s.inspect = o
		return "inspect, " + map[tenancy.Cause]string{tenancy.HintGiven: "a hint was given", tenancy.PutBackDue: "to put back"}[o.Cause]
	case tenancy.Answer:
		return strings.TrimRight(fmt.Sprintf("answer %d: %s lease=%v %s", o.ID, o.Result.Code.Name(), o.Result.Held.Address, &o.Result.Cause), " ")
	case Note:
		text := "note " + o.Kind.String()
		if o.Message != 0 {
			text += " " + o.Message.String()
		}
		if o.Address.IsValid() && (o.Kind == event.LinkLocal || o.Kind == event.Conflict || o.Kind == event.Defended) {
			text += " " + o.Address.String()
		}
		if o.Lease != nil {
			text += " " + o.Lease.Address.String()
		}
		switch {
		case o.Cause.Reason != reason.None:
			text += ": " + o.Cause.String()
		case o.Why != 0:
			text += ": " + o.Why.Name()
		case o.Text != "":
			text += ": " + o.Text
		}
		return text
	case tenancy.Ended:
		return "ended"
	}
	return fmt.Sprintf("unknown output %T", o)
}
