package dhcp4

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"
	"time"

	oracle "github.com/insomniacslk/dhcp/dhcpv4"

	wire "github.com/lessee/lessee/wire/dhcp4"
)

// A rule says what a message must look like: table 4 (section 4.3.6) and table
// 5 (section 4.4.1) of RFC 2131, and what the sections around them demand.
type rule struct {
	name string
	// make brings a world to the point where the message is sent last.
	make func(*world)

	typ         wire.MessageType
	ciaddr      netip.Addr // 0.0.0.0 or the leased address
	source      netip.Addr
	destination netip.Addr
	link        []byte
	flagB       bool // may be set
	secsZero    bool // secs must be 0
	requested   netip.Addr
	server      netip.Addr
	wishes      bool // options 55, 57 and 12
	message     bool // option 56
}

func rules() []rule {
	bound := func(w *world) { w.bind() }
	return []rule{
		{
			name: "DISCOVER", make: func(w *world) { w.tell(LinkUp{}); w.tell(Start{}) },
			typ: wire.Discover, ciaddr: unspecified, source: unspecified, destination: broadcast,
			flagB: true, wishes: true,
		},
		{
			name: "DISCOVER again with a wish",
			make: func(w *world) {
				bound(w)
				w.tell(Release{})
				w.tell(Renew{})
				w.wait()
			},
			typ: wire.Discover, ciaddr: unspecified, source: unspecified, destination: broadcast,
			flagB: true, requested: testAddr, wishes: true,
		},
		{
			name: "REQUEST in SELECTING",
			make: func(w *world) {
				w.tell(LinkUp{})
				w.tell(Start{})
				w.reply(w.newReply(wire.Offer))
			},
			typ: wire.Request, ciaddr: unspecified, source: unspecified, destination: broadcast,
			flagB: true, requested: testAddr, server: testServer, wishes: true,
		},
		{
			name: "REQUEST in SELECTING again",
			make: func(w *world) {
				w.tell(LinkUp{})
				w.tell(Start{})
				w.wait()
				w.reply(w.newReply(wire.Offer))
				w.wait()
			},
			typ: wire.Request, ciaddr: unspecified, source: unspecified, destination: broadcast,
			flagB: true, requested: testAddr, server: testServer, wishes: true,
		},
		{
			name: "REQUEST in INIT-REBOOT",
			make: func(w *world) { bound(w); w.tell(LinkDown{}); w.tell(LinkUp{}) },
			typ:  wire.Request, ciaddr: unspecified, source: unspecified, destination: broadcast,
			flagB: true, requested: testAddr, wishes: true,
		},
		{
			name: "REQUEST in RENEWING",
			make: func(w *world) { bound(w); w.wait() },
			typ:  wire.Request, ciaddr: testAddr, source: testAddr, destination: testServer, wishes: true,
		},
		{
			name: "REQUEST in RENEWING before T1",
			make: func(w *world) { bound(w); w.tell(Renew{}); w.wait() },
			typ:  wire.Request, ciaddr: testAddr, source: testAddr, destination: testServer, wishes: true,
		},
		{
			name: "REQUEST in REBINDING",
			make: func(w *world) {
				bound(w)
				for w.c.State() != StateRebinding {
					w.wait()
				}
			},
			typ: wire.Request, ciaddr: testAddr, source: testAddr, destination: broadcast, wishes: true,
		},
		{
			name: "INFORM",
			make: func(w *world) { w.tell(LinkUp{}); w.tell(StartInform{netip.PrefixFrom(testAddr, 24)}) },
			typ:  wire.Inform, ciaddr: testAddr, source: testAddr, destination: broadcast, wishes: true,
		},
		{
			name: "DECLINE",
			make: func(w *world) { bound(w); w.tell(Conflict{Address: testAddr}) },
			typ:  wire.Decline, ciaddr: unspecified, source: unspecified, destination: broadcast,
			secsZero: true, requested: testAddr, server: testServer, message: true,
		},
		{
			name: "RELEASE",
			make: func(w *world) { bound(w); w.tell(Release{}) },
			typ:  wire.Release, ciaddr: testAddr, source: testAddr, destination: testServer, link: testLink,
			secsZero: true, server: testServer, message: true,
		},
		{
			name: "RELEASE in REBINDING",
			make: func(w *world) {
				bound(w)
				for w.c.State() != StateRebinding {
					w.wait()
				}
				w.tell(Release{})
			},
			typ: wire.Release, ciaddr: testAddr, source: testAddr, destination: testServer, link: testLink,
			secsZero: true, server: testServer, message: true,
		},
	}
}

func TestMessageRules(t *testing.T) {
	t.Parallel()
	for _, flag := range []bool{false, true} {
		for _, r := range rules() {
			name := r.name
			if flag {
				name += " with flag B"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, func(cfg *Config) {
					cfg.Broadcast, cfg.HostName = flag, "lab-1"
					cfg.Parameters = []wire.OptionCode{wire.OptionTZDatabase, wire.OptionRouter}
				})
				r.make(w)
				sent := w.sent()
				if len(sent) != 1 {
					t.Fatalf("%d messages were sent, want 1: %v", len(sent), w.out)
				}
				checkTransmit(t, r, sent[0])
				checkByWire(t, r, sent[0].Message, flag)
				checkByOracle(t, r, sent[0].Message, flag)
			})
		}
	}
}

func checkTransmit(t *testing.T, r rule, got Transmit) {
	t.Helper()
	if got.Type != r.typ || got.Source != r.source || got.Destination != r.destination {
		t.Errorf("%v from %v to %v, want %v from %v to %v",
			got.Type, got.Source, got.Destination, r.typ, r.source, r.destination)
	}
	if !bytes.Equal(got.Link, r.link) {
		t.Errorf("frame to %v, want %v", got.Link, r.link)
	}
	if len(got.Message) < 300 {
		t.Errorf("%d bytes, want 300 or more", len(got.Message))
	}
}

// allowed are the options that a message may have.
func (r rule) allowed() map[wire.OptionCode]bool {
	return map[wire.OptionCode]bool{
		wire.OptionMessageType:      true,
		wire.OptionClientID:         true,
		wire.OptionRequestedAddress: r.requested.IsValid(),
		wire.OptionServerID:         r.server.IsValid(),
		wire.OptionParameterList:    r.wishes,
		wire.OptionMaxMessageSize:   r.wishes,
		wire.OptionHostName:         r.wishes,
		wire.OptionMessage:          r.message,
	}
}

func checkByWire(t *testing.T, r rule, raw []byte, flag bool) {
	t.Helper()
	p, err := wire.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	if p.Op() != wire.OpRequest || p.HardwareType() != 1 || !bytes.Equal(p.HardwareAddr(), testMAC) || p.Hops() != 0 {
		t.Errorf("op %v, htype %d, chaddr %v, hops %d", p.Op(), p.HardwareType(), p.HardwareAddr(), p.Hops())
	}
	if p.YourAddr() != unspecified || p.NextServer() != unspecified || p.Relay() != unspecified {
		t.Errorf("yiaddr %v, siaddr %v, giaddr %v, want zeros", p.YourAddr(), p.NextServer(), p.Relay())
	}
	if p.ClientAddr() != r.ciaddr {
		t.Errorf("ciaddr %v, want %v", p.ClientAddr(), r.ciaddr)
	}
	if p.Broadcast() != (flag && r.flagB) {
		t.Errorf("flag B is %v", p.Broadcast())
	}
	if r.secsZero && p.Secs() != 0 {
		t.Errorf("secs %d, want 0", p.Secs())
	}
	if p.MessageType() != r.typ {
		t.Errorf("type %v, want %v", p.MessageType(), r.typ)
	}
	seen := map[wire.OptionCode]int{}
	for code := range p.Options() {
		seen[code]++
	}
	for code, is := range r.allowed() {
		if want := map[bool]int{true: 1}[is]; seen[code] != want {
			t.Errorf("option %d appears %d times, want %d", code, seen[code], want)
		}
		delete(seen, code)
	}
	if len(seen) != 0 {
		t.Errorf("options that must not be there: %v", seen)
	}
	for code, want := range map[wire.OptionCode]netip.Addr{
		wire.OptionRequestedAddress: r.requested, wire.OptionServerID: r.server,
	} {
		if a, ok := p.Addr(code); ok != want.IsValid() || a != want {
			t.Errorf("option %d is %v, want %v", code, a, want)
		}
	}
	if id, _ := p.Option(wire.OptionClientID); !bytes.Equal(id, append([]byte{1}, testMAC...)) {
		t.Errorf("option 61 is %v, want hardware type and address", id)
	}
	if r.wishes {
		list, _ := p.Option(wire.OptionParameterList)
		want := []byte{1, 121, 249, 3, 6, 12, 15, 26, 28, 51, 54, 58, 59, 119, 44, 42, 114, 101}
		if r.typ == wire.Inform { // 51, 58 and 59 are lease time parameters
			want = []byte{1, 121, 249, 3, 6, 12, 15, 26, 28, 54, 119, 44, 42, 114, 101}
		}
		if !bytes.Equal(list, want) {
			t.Errorf("option 55 is %v, want %v", list, want)
		}
		if n, _ := p.Uint16(wire.OptionMaxMessageSize); n != 1472 {
			t.Errorf("option 57 is %d", n)
		}
	}
}

// checkByOracle reads the message with an implementation that is not ours.
func checkByOracle(t *testing.T, r rule, raw []byte, flag bool) {
	t.Helper()
	p, err := oracle.FromBytes(raw)
	if err != nil {
		t.Fatal(err)
	}
	addr := func(ip []byte) netip.Addr {
		a, _ := netip.AddrFromSlice(ip)
		return a.Unmap()
	}
	if p.OpCode != oracle.OpcodeBootRequest || byte(p.MessageType()) != byte(r.typ) || !bytes.Equal(p.ClientHWAddr, testMAC) {
		t.Errorf("op %v, type %v, chaddr %v", p.OpCode, p.MessageType(), p.ClientHWAddr)
	}
	if addr(p.ClientIPAddr) != r.ciaddr || addr(p.YourIPAddr) != unspecified ||
		addr(p.ServerIPAddr) != unspecified || addr(p.GatewayIPAddr) != unspecified {
		t.Errorf("ciaddr %v, yiaddr %v, siaddr %v, giaddr %v", p.ClientIPAddr, p.YourIPAddr, p.ServerIPAddr, p.GatewayIPAddr)
	}
	if p.IsBroadcast() != (flag && r.flagB) {
		t.Errorf("flag B is %v", p.IsBroadcast())
	}
	if r.secsZero && p.NumSeconds != 0 {
		t.Errorf("secs %d", p.NumSeconds)
	}
	if addr(p.RequestedIPAddress()) != r.requested {
		t.Errorf("option 50 is %v, want %v", p.RequestedIPAddress(), r.requested)
	}
	if addr(p.ServerIdentifier()) != r.server {
		t.Errorf("option 54 is %v, want %v", p.ServerIdentifier(), r.server)
	}
	var codes []uint8
	for code := range p.Options {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	var want []uint8
	for code, is := range r.allowed() {
		if is {
			want = append(want, uint8(code))
		}
	}
	slices.Sort(want)
	if !slices.Equal(codes, want) {
		t.Errorf("options %v, want %v", codes, want)
	}
}

// TestTransactionRules: what messages of one exchange have in common.
func TestTransactionRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	parse := func() wire.Packet {
		t.Helper()
		sent := w.sent()
		if len(sent) != 1 {
			t.Fatalf("%d messages, want 1", len(sent))
		}
		p, err := wire.Parse(sent[0].Message)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	w.tell(LinkUp{})
	w.tell(Start{})
	first := parse()
	for range 3 {
		w.wait()
	}
	discover := parse()
	if discover.XID() != first.XID() || discover.Secs() == 0 {
		t.Errorf("a repeated DISCOVER has xid %x and secs %d", discover.XID(), discover.Secs())
	}
	w.now = w.now.Add(3 * time.Second)
	w.reply(w.newReply(wire.Offer))
	for range 2 {
		request := parse()
		if request.XID() != discover.XID() || request.Secs() != discover.Secs() {
			t.Errorf("the REQUEST has xid %x and secs %d, want the DISCOVER's %x and %d",
				request.XID(), request.Secs(), discover.XID(), discover.Secs())
		}
		w.wait()
	}
	w.reply(w.newReply(wire.ACK))
	w.tell(Renew{})
	if parse().XID() == discover.XID() {
		t.Error("a renewal has the xid of the exchange before")
	}
}

// TestServerIdentifierIsTheDestination: RFC 2131, section 4.1: "DHCP clients MUST
// use the IP address provided in the 'server identifier' option for any unicast
// requests to the DHCP server", wherever the ACK came from.
func TestServerIdentifierIsTheDestination(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.tell(LinkUp{})
	w.tell(Start{})
	for _, typ := range []wire.MessageType{wire.Offer, wire.ACK} {
		r := w.newReply(typ)
		r.server = netip.MustParseAddr("192.0.2.7")
		w.tell(Datagram{Message: r.bytes(), From: testServer, Link: testLink})
	}
	for _, in := range []Input{Renew{}, Release{}} {
		w.tell(in)
		if sent := w.sent(); len(sent) != 1 || sent[0].Destination.String() != "192.0.2.7" {
			t.Errorf("%T is sent to %v, want the server identifier", in, sent)
		}
	}
}

// TestLongHardwareAddress: RFC 4390 section 2.1: an address that does not fit
// chaddr is left out, so the client must have option 61 and flag B.
func TestLongHardwareAddress(t *testing.T) {
	t.Parallel()
	long := bytes.Repeat([]byte{0xab}, 20)
	w := newWorld(t, func(cfg *Config) { cfg.HardwareType, cfg.HardwareAddr = wire.HardwareInfiniBand, long })
	w.tell(LinkUp{})
	w.tell(Start{})
	p, err := wire.Parse(w.sent()[0].Message)
	if err != nil {
		t.Fatal(err)
	}
	if id, _ := p.Option(wire.OptionClientID); len(p.HardwareAddr()) != 0 || !p.Broadcast() || !bytes.Equal(id, append([]byte{32}, long...)) {
		t.Errorf("chaddr %v, flag B %v, option 61 %v", p.HardwareAddr(), p.Broadcast(), id)
	}
	b := wire.NewBuilder(wire.OpReply, wire.HardwareInfiniBand, long, p.XID())
	b.AddMessageType(wire.Offer)
	b.SetYourAddr(testAddr)
	b.AddAddr(wire.OptionServerID, testServer)
	b.AddUint32(wire.OptionLeaseTime, 60)
	w.tell(Datagram{Message: b.Bytes(), From: testServer})
	if w.c.State() != StateRequesting {
		t.Errorf("the offer is not taken: %v", w.out)
	}
}
