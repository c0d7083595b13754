package dhcptest

import (
	"net/netip"
	"time"

	"github.com/lessee/lessee/boottime"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// Answer is what the server says to a message by RFC 2131 section 4.3, nil if
// nothing, and takes note of it. Behaviours have no part in it.
func (s *Server) Answer(now boottime.Instant, q wire.Packet) *Reply {
	id, _ := q.Option(wire.OptionClientID)
	client := clientKey(q.HardwareType(), q.HardwareAddr(), id)
	switch q.MessageType() {
	case wire.Discover:
		return s.discover(now, q, client)
	case wire.Request:
		return s.request(now, q, client)
	case wire.Decline:
		s.decline(now, q, client)
	case wire.Release:
		s.release(q, client)
	case wire.Inform:
		return s.inform(q)
	case wire.Offer, wire.ACK, wire.NAK, wire.ForceRenew: // not for a server
	default:
	}
	return nil
}

// discover offers an address.
//
// RFC 2131, section 4.3.1: the client's current address, else its previous one,
// else the one it asks for, if that is free, else a free one of the pool. With
// none the server "may" tell an administrator: it says nothing.
func (s *Server) discover(now boottime.Instant, q wire.Packet, client string) *Reply {
	wish, _ := q.Addr(wire.OptionRequestedAddress)
	address, ok := s.choose(now, client, q.HardwareAddr(), wish)
	if !ok {
		return nil
	}
	if _, rapid := q.Option(wire.OptionRapidCommit); rapid && s.cfg.RapidCommit {
		r := s.grant(now, q, client, address)
		r.Add(wire.OptionRapidCommit)
		return r
	}
	if b := s.clients[client]; b == nil || b.address != address || !b.current(now) {
		s.bind(client, address).until = now.Add(s.cfg.OfferHold)
	}
	r := s.newReply(wire.Offer, q)
	r.Your = address
	s.addLease(r, q)
	s.addParameters(r, q)
	return r
}

// request grants an address, refuses it or says nothing.
//
// RFC 2131, section 4.3.2, and its table 4 tell by server identifier, requested
// address and ciaddr which state the client is in.
func (s *Server) request(now boottime.Instant, q wire.Packet, client string) *Reply {
	server, selecting := q.Addr(wire.OptionServerID)
	requested, asked := q.Addr(wire.OptionRequestedAddress)
	b := s.clients[client]
	switch {
	case selecting && server != s.Address():
		// "Servers not selected by the DHCPREQUEST message use the message as
		// notification that the client has declined that server's offer."
		if b != nil && b.state == offered {
			s.unbind(b)
		}
		return nil
	case selecting:
		if !asked || !s.available(now, client, requested) {
			return s.refuse(q, "the address is not available")
		}
		return s.grant(now, q, client, requested)
	case asked:
		return s.confirm(now, q, client, requested)
	case !q.ClientAddr().IsUnspecified():
		return s.confirm(now, q, client, q.ClientAddr())
	}
	return nil
}

// confirm answers a client in INIT-REBOOT, RENEWING or REBINDING.
//
// RFC 2131, section 4.3.2: "If the DHCP server has no record of this client,
// then it MUST remain silent". A client on the wrong network is told so, and so
// is one with another address than it is known by.
func (s *Server) confirm(now boottime.Instant, q wire.Packet, client string, address netip.Addr) *Reply {
	b := s.clients[client]
	switch {
	case !s.cfg.Subnet.Contains(address):
		return s.refuse(q, "wrong network")
	case b == nil && !s.cfg.Authoritative:
		return nil
	case b == nil:
		return s.refuse(q, "no such lease")
	case b.address != address || !s.available(now, client, address):
		return s.refuse(q, "the address is another's")
	}
	return s.grant(now, q, client, address)
}

// decline takes an address out of use (section 4.3.3).
func (s *Server) decline(now boottime.Instant, q wire.Packet, client string) {
	address, ok := q.Addr(wire.OptionRequestedAddress)
	server, named := q.Addr(wire.OptionServerID)
	b := s.clients[client]
	if !ok || named && server != s.Address() || b == nil || b.address != address {
		return
	}
	s.unbind(b)
	s.declined[address] = now.Add(quarantine)
}

// release notes that a client gave its address back; it may get it again
// (section 4.3.4).
func (s *Server) release(q wire.Packet, client string) {
	server, named := q.Addr(wire.OptionServerID)
	b := s.clients[client]
	if named && server != s.Address() || b == nil || b.address != q.ClientAddr() {
		return
	}
	b.state = free
}

// inform gives parameters to a host that has its address from elsewhere: no
// lease time, no yiaddr (section 4.3.5).
func (s *Server) inform(q wire.Packet) *Reply {
	r := s.newReply(wire.ACK, q)
	s.addParameters(r, q)
	return r
}

// choose returns the address to offer.
func (s *Server) choose(now boottime.Instant, client string, hardwareAddr []byte, wish netip.Addr) (netip.Addr, bool) {
	if len(hardwareAddr) == len(LinkAddr{}) {
		if a, ok := s.cfg.Reserved[LinkAddr(hardwareAddr)]; ok {
			return a, s.available(now, client, a)
		}
	}
	if b := s.clients[client]; b != nil && s.available(now, client, b.address) {
		return b.address, true
	}
	if wish.IsValid() && s.available(now, client, wish) {
		return wish, true
	}
	if !s.cfg.First.IsValid() {
		return netip.Addr{}, false
	}
	a := s.cursor
	for {
		switch {
		case !a.IsValid() || a == s.cfg.Last:
			a = s.cfg.First
		default:
			a = a.Next()
		}
		if s.available(now, client, a) {
			s.cursor = a
			return a, true
		}
		if a == s.cursor || !s.cursor.IsValid() && a == s.cfg.Last {
			return netip.Addr{}, false
		}
	}
}

// available reports whether the client may have the address: it is the
// server's to give, not another client's, and not declined.
func (s *Server) available(now boottime.Instant, client string, a netip.Addr) bool {
	if !s.serves(a) || a == s.Address() {
		return false
	}
	if until, ok := s.declined[a]; ok && now.Before(until) {
		return false
	}
	b := s.holders[a]
	return b == nil || b.client == client || !b.current(now)
}

func (s *Server) serves(a netip.Addr) bool {
	if s.cfg.First.IsValid() && s.cfg.First.Compare(a) <= 0 && a.Compare(s.cfg.Last) <= 0 {
		return true
	}
	for _, r := range s.cfg.Reserved {
		if r == a {
			return true
		}
	}
	return false
}

// bind ties an address to a client, both without what tied them before.
func (s *Server) bind(client string, address netip.Addr) *binding {
	if b := s.clients[client]; b != nil {
		s.unbind(b)
	}
	if b := s.holders[address]; b != nil {
		s.unbind(b)
	}
	b := &binding{client: client, address: address}
	s.clients[client], s.holders[address] = b, b
	return b
}

func (s *Server) unbind(b *binding) {
	delete(s.clients, b.client)
	delete(s.holders, b.address)
}

func (s *Server) grant(now boottime.Instant, q wire.Packet, client string, address netip.Addr) *Reply {
	d := s.leaseTime(q)
	b := s.bind(client, address)
	b.state, b.until, b.forever = leased, now.Add(d), d == Infinite
	r := s.newReply(wire.ACK, q)
	r.Your = address
	s.addLease(r, q)
	s.addParameters(r, q)
	s.addNonce(r, q, client)
	return r
}

func (s *Server) refuse(q wire.Packet, why string) *Reply {
	r := s.newReply(wire.NAK, q)
	r.Set(wire.OptionMessage, []byte(why))
	return r
}

// leaseTime is the server's, or what the client asks for if that is less.
func (s *Server) leaseTime(q wire.Packet) time.Duration {
	if v, ok := q.Uint32(wire.OptionLeaseTime); ok && v > 0 {
		return min(s.cfg.Lease, time.Duration(v)*time.Second)
	}
	return s.cfg.Lease
}
