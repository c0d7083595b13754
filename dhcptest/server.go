package dhcptest

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/lessee/lessee/boottime"
	wire "github.com/lessee/lessee/wire/dhcp4"
	"github.com/lessee/lessee/wire/udp4"
)

// A ServerConfig says what a server serves.
type ServerConfig struct {
	// Address is the server's own address and the length of its subnet's mask;
	// it is the server identifier, too.
	Address netip.Prefix
	// Subnet is the network that the pool is of; not valid: that of Address. A
	// server behind a relay agent has its own address elsewhere.
	Subnet netip.Prefix
	// First and Last bound the pool, both included. Not valid: there is none.
	First, Last netip.Addr
	// Reserved addresses are for one link address each, in the pool or not.
	Reserved map[LinkAddr]netip.Addr
	// Lease is the lease time, in whole seconds; 0 means an hour, Infinite none
	// at all. A client that asks for a shorter one gets what it asks for.
	Lease time.Duration
	// T1 and T2 are sent where they are not 0.
	T1, T2 time.Duration
	// Mask, Routers, DNS, Domain and MTU are sent where they are asked for
	// and set; the subnet's mask always.
	Routers, DNS []netip.Addr
	Domain       string
	MTU          uint16
	// Options are sent besides, asked for or not.
	Options []Option
	// RapidCommit has a DISCOVER with option 80 answered by an ACK (RFC 4039).
	RapidCommit bool
	// ForceRenew gives clients that can do with it a nonce (RFC 6704), so that
	// they obey [Server.ForceRenew].
	ForceRenew bool
	// Authoritative has a REQUEST for an address that the server knows nothing
	// of answered by a NAK. RFC 2131 section 4.3.2 has it stay silent; most
	// servers can do either.
	Authoritative bool
	// Relay, where valid, is the address of the relay agent that stands on the
	// link in the server's place: giaddr of all replies.
	Relay netip.Addr
	// OfferHold is how long an offered address is kept; 0 means 30 s.
	OfferHold time.Duration
}

// Infinite is the lease time that never ends (RFC 2131 section 3.3).
const Infinite = 0xffffffff * time.Second

const (
	defaultLease = time.Hour
	defaultHold  = 30 * time.Second
	// quarantine is how long a declined address is not given out again.
	quarantine = time.Hour
)

// A Server is the server side of RFC 2131 sections 4.1 and 4.3, on a host. It
// shares no code with a client but the reading and writing of messages. By
// itself it is correct and quick; behaviours change that.
type Server struct {
	cfg        ServerConfig
	host       *Host
	clock      *Clock
	chance     *rand.Rand
	behaviours []Behaviour

	clients  map[string]*binding
	holders  map[netip.Addr]*binding
	declined map[netip.Addr]boottime.Instant // until when
	cursor   netip.Addr                      // the address of the pool given out last
	nonces   map[string][nonceLength]byte    // by client
	replay   uint64                          // the last replay detection value
}

// A binding is what the server knows of a client.
type binding struct {
	client  string
	address netip.Addr
	state   bindingState
	until   boottime.Instant
	forever bool
}

type bindingState uint8

const (
	offered bindingState = iota
	leased
	free // the client had the address, and may have it again
)

// NewServer has a host serve; it owns the server's address then.
func NewServer(h *Host, cfg ServerConfig, behaviours ...Behaviour) *Server {
	if cfg.Lease == 0 {
		cfg.Lease = defaultLease
	}
	if !cfg.Subnet.IsValid() {
		cfg.Subnet = cfg.Address.Masked()
	}
	if cfg.OfferHold == 0 {
		cfg.OfferHold = defaultHold
	}
	s := &Server{
		cfg: cfg, host: h, clock: &h.world.Clock,
		chance:     h.world.Rand("server " + cfg.Address.String()),
		behaviours: behaviours,
		declined:   map[netip.Addr]boottime.Instant{},
		nonces:     map[string][nonceLength]byte{},
	}
	s.Forget()
	h.Own(cfg.Address.Addr())
	if cfg.Relay.IsValid() {
		h.Own(cfg.Relay)
	}
	h.Listen(portServer, s.receive)
	return s
}

// Host returns the machine that the server runs on.
func (s *Server) Host() *Host { return s.host }

// Address returns the server's address, which is its identifier.
func (s *Server) Address() netip.Addr { return s.cfg.Address.Addr() }

// SetBehaviours replaces how the server misbehaves; none: it does not.
func (s *Server) SetBehaviours(b ...Behaviour) { s.behaviours = b }

// SetLease changes the lease time of what is granted from now on; T1 and T2 are
// not sent any more.
func (s *Server) SetLease(d time.Duration) { s.cfg.Lease, s.cfg.T1, s.cfg.T2 = d, 0, 0 }

// Forget loses all leases, as a server does whose disk was replaced.
func (s *Server) Forget() {
	s.clients = map[string]*binding{}
	s.holders = map[netip.Addr]*binding{}
}

// Leased returns the address that the client with that link address and client
// identifier (nil if it sends none) has a current lease of; false if none.
func (s *Server) Leased(addr LinkAddr, clientID []byte) (netip.Addr, bool) {
	b := s.clients[clientKey(wire.HardwareEthernet, addr[:], clientID)]
	if b == nil || b.state != leased || !b.current(s.clock.Now()) {
		return netip.Addr{}, false
	}
	return b.address, true
}

func (b *binding) current(now boottime.Instant) bool {
	return b.state != free && (b.forever || now.Before(b.until))
}

// clientKey is what a server tells clients apart by (RFC 2131 section 4.2).
func clientKey(hardwareType uint8, hardwareAddr, clientID []byte) string {
	if len(clientID) > 0 {
		return "id" + string(clientID)
	}
	return "hw" + string(hardwareType) + string(hardwareAddr)
}

func (s *Server) receive(d Datagram) {
	q, err := wire.Parse(d.Payload)
	if err != nil || q.Op() != wire.OpRequest {
		return
	}
	now := s.clock.Now()
	x := &Exchange{Server: s, Query: q, From: d.Datagram, Rand: s.chance}
	for _, b := range s.behaviours {
		if b.Before != nil {
			b.Before(x)
		}
	}
	if !x.Deaf {
		x.Reply = s.Answer(now, q)
	}
	for _, b := range s.behaviours {
		if b.After != nil {
			b.After(x)
		}
	}
	if x.Reply == nil {
		return
	}
	if x.Delay <= 0 {
		s.send(x)
		return
	}
	s.clock.After(x.Delay, func() { s.send(x) })
}

// send sends a reply where RFC 2131 section 4.1 has it go.
func (s *Server) send(x *Exchange) {
	q, r := x.Query, x.Reply
	d := udp4.Datagram{
		Source:  netip.AddrPortFrom(s.cfg.Address.Addr(), portServer),
		Payload: r.Encode(q),
	}
	to, link := destination(q, r)
	d.Destination = netip.AddrPortFrom(to, portClient)
	switch {
	case link != nil:
		_ = s.host.SendTo(*link, d) // unplugged: lost
	default:
		if to == q.Relay() {
			d.Destination = netip.AddrPortFrom(to, portServer)
		}
		_ = s.host.Send(d)
	}
}

// destination returns where a reply goes, and the link address where that is
// not found by ARP.
//
// RFC 2131, section 4.1: to the relay agent if giaddr is not zero; else to
// ciaddr if that is not zero; else to all if the BROADCAST flag is set; else to
// yiaddr and the client's hardware address. "In all cases, when 'giaddr' is
// zero, the server broadcasts any DHCPNAK messages".
func destination(q wire.Packet, r *Reply) (netip.Addr, *LinkAddr) {
	all := LinkBroadcast
	switch hw := q.HardwareAddr(); {
	case !q.Relay().IsUnspecified():
		return q.Relay(), nil
	case r.Type == wire.NAK:
		return broadcast, &all
	case !q.ClientAddr().IsUnspecified():
		return q.ClientAddr(), nil
	case q.Broadcast() || len(hw) != len(LinkAddr{}):
		return broadcast, &all
	default:
		to := LinkAddr(hw)
		return r.Your, &to
	}
}
