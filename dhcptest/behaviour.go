package dhcptest

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"time"

	wire "github.com/lessee/lessee/wire/dhcp4"
	"github.com/lessee/lessee/wire/udp4"
)

// An Exchange is a message to a server and what it is going to say.
type Exchange struct {
	Server *Server
	Query  wire.Packet
	From   udp4.Datagram
	Rand   *rand.Rand
	// Deaf, set before, has the server not take note of the query at all.
	Deaf bool
	// Reply is nil where the server says nothing.
	Reply *Reply
	// Delay is how long the server takes.
	Delay time.Duration
}

// A Behaviour is a way in which a server is not the correct and quick one that
// it is by itself. Before is called when a query has come, After when the
// correct reply is there; either may be nil. Behaviours add up, in their order.
type Behaviour struct {
	Before, After func(*Exchange)
}

// Slow takes its time, a random one from lo to hi.
func Slow(lo, hi time.Duration) Behaviour {
	return Behaviour{After: func(x *Exchange) { x.Delay += Between(x.Rand, lo, hi) }}
}

// Silent neither hears nor says anything.
func Silent() Behaviour { return Behaviour{Before: func(x *Exchange) { x.Deaf = true }} }

// SilentTo is silent to messages of these types.
func SilentTo(types ...wire.MessageType) Behaviour {
	return Behaviour{Before: func(x *Exchange) {
		for _, t := range types {
			if x.Query.MessageType() == t {
				x.Deaf = true
			}
		}
	}}
}

// NAKing offers addresses and refuses every REQUEST that it answers.
func NAKing() Behaviour {
	return Behaviour{After: func(x *Exchange) {
		if x.Reply != nil && x.Reply.Type == wire.ACK && x.Query.MessageType() == wire.Request {
			x.Reply = x.Server.refuse(x.Query, "no")
		}
	}}
}

// Forgetting loses all leases before it hears a message, with probability p.
func Forgetting(p float64) Behaviour {
	return Behaviour{Before: func(x *Exchange) {
		if Chance(x.Rand, p) {
			x.Server.Forget()
		}
	}}
}

// Rogue answers what is not for it: REQUESTs that select another server are
// granted, and so are those of clients that it knows nothing of, each with an
// address of its own pool, whatever was asked for.
func Rogue() Behaviour {
	return Behaviour{After: func(x *Exchange) {
		if x.Query.MessageType() != wire.Request || x.Reply != nil && x.Reply.Type == wire.ACK {
			return
		}
		s, q, now := x.Server, x.Query, x.Server.clock.Now()
		id, _ := q.Option(wire.OptionClientID)
		client := clientKey(q.HardwareType(), q.HardwareAddr(), id)
		if a, ok := s.choose(now, client, q.HardwareAddr(), netip.Addr{}); ok {
			x.Reply = s.grant(now, q, client, a)
		}
	}}
}

// Sometimes has a behaviour with probability p, 0 to 1, decided for each query.
func Sometimes(p float64, b Behaviour) Behaviour {
	// Both halves see the same exchange.
	var chosen *Exchange
	return Behaviour{
		Before: func(x *Exchange) {
			chosen = nil
			if !Chance(x.Rand, p) {
				return
			}
			chosen = x
			if b.Before != nil {
				b.Before(x)
			}
		},
		After: func(x *Exchange) {
			if chosen == x && b.After != nil {
				b.After(x)
			}
		},
	}
}

// Racing has two servers answer in the same instant: which reply is first is
// left to chance. Give it to both.
func Racing(within time.Duration) Behaviour { return Slow(0, within) }

// OddOptions writes replies in ways that are legal but rare, or sloppy but
// seen: options in overloaded fields, in pieces, twice, without END, unknown
// ones, text that ends in a zero byte, and values of the wrong length in options
// that a client can do without.
func OddOptions() Behaviour {
	return Behaviour{After: func(x *Exchange) {
		r := x.Reply
		if r == nil {
			return
		}
		for range 1 + x.Rand.IntN(3) {
			oddities[x.Rand.IntN(len(oddities))](x.Rand, r)
		}
	}}
}

var oddities = []func(*rand.Rand, *Reply){
	func(_ *rand.Rand, r *Reply) { r.Overload = true },
	func(_ *rand.Rand, r *Reply) { r.NoEnd = true },
	func(c *rand.Rand, r *Reply) { // an unknown option, up to 255 bytes long
		r.Add(wire.OptionCode(224+c.IntN(30)), make([]byte, c.IntN(256))...)
	},
	func(_ *rand.Rand, r *Reply) { // in pieces (RFC 3396)
		r.Add(wire.OptionDomainName, []byte("exam")...)
		r.Add(wire.OptionDomainName, []byte("ple.org")...)
	},
	func(_ *rand.Rand, r *Reply) { r.Set(wire.OptionHostName, []byte("host\x00")) },
	func(_ *rand.Rand, r *Reply) { // the same twice
		if v, ok := r.Get(wire.OptionServerID); ok {
			r.Add(wire.OptionServerID, v...)
		}
	},
	func(_ *rand.Rand, r *Reply) { r.Set(wire.OptionMTU, []byte{5}) },
	func(_ *rand.Rand, r *Reply) { r.Set(wire.OptionDNS, []byte{10, 0, 0}) },
	func(_ *rand.Rand, r *Reply) { r.Set(wire.OptionClasslessRoutes, []byte{33, 10}) },
	func(_ *rand.Rand, r *Reply) { r.Set(wire.OptionRouter, []byte{0, 0, 0, 0}) },
	func(c *rand.Rand, r *Reply) { // times in no order
		r.Set(wire.OptionT1, binary.BigEndian.AppendUint32(nil, c.Uint32()))
		r.Set(wire.OptionT2, binary.BigEndian.AppendUint32(nil, c.Uint32()))
	},
	func(_ *rand.Rand, r *Reply) { // times of zero
		r.Set(wire.OptionT1, make([]byte, 4))
		r.Set(wire.OptionT2, make([]byte, 4))
	},
	func(_ *rand.Rand, r *Reply) { r.Next = netip.AddrFrom4([4]byte{192, 0, 2, 1}) },
}
