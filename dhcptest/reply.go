package dhcptest

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	wire "github.com/lessee/lessee/wire/dhcp4"
)

// An Option is one option of a message.
type Option struct {
	Code  wire.OptionCode
	Value []byte
}

// A Reply is what a server says, before it is written down: a [Behaviour] may
// change all of it.
type Reply struct {
	Type wire.MessageType
	// Client, Your, Next and Relay are ciaddr, yiaddr, siaddr and giaddr.
	Client, Your, Next, Relay netip.Addr
	Broadcast                 bool
	// XID and HardwareAddr are those of the query.
	XID          uint32
	HardwareAddr []byte
	// Options are those after the message type, in order.
	Options []Option
	// Overload puts the options from the second on into the fields file and
	// sname, as far as they fit there (RFC 2132 section 9.3).
	Overload bool
	// NoEnd leaves option 255 out, which RFC 2131 section 4.1 wants.
	NoEnd bool
	// Raw, where not nil, is sent instead of all that.
	Raw []byte
}

// Set gives an option a value, in the place where it stands or at the end.
func (r *Reply) Set(code wire.OptionCode, value []byte) {
	for i := range r.Options {
		if r.Options[i].Code == code {
			r.Options[i].Value = value
			return
		}
	}
	r.Options = append(r.Options, Option{code, value})
}

// Add appends an option, even if it is there already.
func (r *Reply) Add(code wire.OptionCode, value ...byte) {
	r.Options = append(r.Options, Option{code, value})
}

// SetAddr gives an option addresses as its value.
func (r *Reply) SetAddr(code wire.OptionCode, addrs ...netip.Addr) {
	var v []byte
	for _, a := range addrs {
		v = append(v, a.AsSlice()...)
	}
	r.Set(code, v)
}

// SetSeconds gives an option a duration as its value, [Infinite] included.
func (r *Reply) SetSeconds(code wire.OptionCode, d time.Duration) {
	r.Set(code, binary.BigEndian.AppendUint32(nil, uint32(min(max(d/time.Second, 0), 0xffffffff)))) //nolint:gosec // bounded
}

// Remove takes an option away.
func (r *Reply) Remove(code wire.OptionCode) {
	r.Options = slices.DeleteFunc(r.Options, func(o Option) bool { return o.Code == code })
}

// Get returns an option's value; false if it is absent.
func (r *Reply) Get(code wire.OptionCode) ([]byte, bool) {
	for _, o := range r.Options {
		if o.Code == code {
			return o.Value, true
		}
	}
	return nil, false
}

func (r *Reply) repeated(code wire.OptionCode) bool {
	n := 0
	for _, o := range r.Options {
		if o.Code == code {
			n++
		}
	}
	return n > 1
}

// newReply begins a reply.
//
// RFC 2131, table 3: xid, flags, giaddr and chaddr are the client's; ciaddr is
// the client's in an ACK, else 0; secs, hops, siaddr are 0; options 53 and 54.
// RFC 6842 adds the client's option 61, in all of them.
func (s *Server) newReply(t wire.MessageType, q wire.Packet) *Reply {
	r := &Reply{
		Type: t, XID: q.XID(), HardwareAddr: slices.Clone(q.HardwareAddr()), Broadcast: q.Broadcast(),
		Client: unspecified, Your: unspecified, Next: unspecified, Relay: q.Relay(),
	}
	if t == wire.ACK {
		r.Client = q.ClientAddr()
	}
	if s.cfg.Relay.IsValid() && q.Relay().IsUnspecified() {
		r.Relay = s.cfg.Relay
	}
	if t == wire.NAK && !q.Relay().IsUnspecified() {
		// Section 4.3.2: "If 'giaddr' is set in the DHCPREQUEST message, [...]
		// the server MUST set the broadcast bit in the DHCPNAK".
		r.Broadcast = true
	}
	r.SetAddr(wire.OptionServerID, s.Address())
	if id, ok := q.Option(wire.OptionClientID); ok {
		r.Set(wire.OptionClientID, slices.Clone(id))
	}
	return r
}

func (s *Server) addLease(r *Reply, q wire.Packet) {
	r.SetSeconds(wire.OptionLeaseTime, s.leaseTime(q))
	if s.cfg.T1 > 0 {
		r.SetSeconds(wire.OptionT1, s.cfg.T1)
	}
	if s.cfg.T2 > 0 {
		r.SetSeconds(wire.OptionT2, s.cfg.T2)
	}
}

// addParameters adds the mask, and what the client asks for.
//
// RFC 2132, section 3.3: "If both the subnet mask and the router option are
// specified in a DHCP reply, the subnet mask option MUST be first."
func (s *Server) addParameters(r *Reply, q wire.Packet) {
	r.Set(wire.OptionSubnetMask, maskOf(s.cfg.Subnet.Bits()))
	wishes, asks := q.Option(wire.OptionParameterList)
	wants := func(code wire.OptionCode) bool { return !asks || slices.Contains(wishes, byte(code)) }
	if wants(wire.OptionRouter) && len(s.cfg.Routers) > 0 {
		r.SetAddr(wire.OptionRouter, s.cfg.Routers...)
	}
	if wants(wire.OptionDNS) && len(s.cfg.DNS) > 0 {
		r.SetAddr(wire.OptionDNS, s.cfg.DNS...)
	}
	if wants(wire.OptionDomainName) && s.cfg.Domain != "" {
		r.Set(wire.OptionDomainName, []byte(s.cfg.Domain))
	}
	if wants(wire.OptionMTU) && s.cfg.MTU > 0 {
		r.Set(wire.OptionMTU, binary.BigEndian.AppendUint16(nil, s.cfg.MTU))
	}
	for _, o := range s.cfg.Options {
		r.Set(o.Code, o.Value)
	}
}

func maskOf(bits int) []byte {
	return binary.BigEndian.AppendUint32(nil, ^uint32(0)<<(32-bits))
}

// Encode writes the reply to a query as the payload of a UDP datagram.
func (r *Reply) Encode(q wire.Packet) []byte {
	if r.Raw != nil {
		return r.Raw
	}
	b := wire.NewBuilder(wire.OpReply, q.HardwareType(), r.HardwareAddr, r.XID)
	b.SetBroadcast(r.Broadcast)
	b.SetClientAddr(r.Client)
	b.SetYourAddr(r.Your)
	b.SetNextServer(r.Next)
	b.SetRelay(r.Relay)
	b.AddMessageType(r.Type)
	var file, sname []byte
	for i, o := range r.Options {
		need := 2 + len(o.Value)
		switch {
		case !r.Overload || i == 0 || r.repeated(o.Code): // pieces stay together, in order
			b.AddOption(o.Code, o.Value)
		case len(file)+need < fileLength:
			file = append(append(file, byte(o.Code), byte(len(o.Value))), o.Value...)
		case len(sname)+need < snameLength:
			sname = append(append(sname, byte(o.Code), byte(len(o.Value))), o.Value...)
		default:
			b.AddOption(o.Code, o.Value)
		}
	}
	var overload uint8
	if len(file) > 0 {
		overload |= 1
	}
	if len(sname) > 0 {
		overload |= 2
	}
	if overload != 0 {
		b.AddUint8(wire.OptionOverload, overload)
	}
	message := b.Bytes()
	if overload != 0 {
		place(message[fileOffset:], file)
		place(message[snameOffset:], sname)
	}
	if r.NoEnd {
		message = withoutEnd(message)
	}
	return message
}

// Where options go that do not fit elsewhere.
const (
	snameOffset = 44
	snameLength = 64
	fileOffset  = 108
	fileLength  = 128
)

func place(field, options []byte) {
	if len(options) > 0 {
		field[copy(field, options)] = byte(wire.OptionEnd)
	}
}

// withoutEnd cuts a message off before its END.
func withoutEnd(message []byte) []byte {
	const header = 240
	for i := header; i < len(message); {
		switch wire.OptionCode(message[i]) {
		case wire.OptionPad:
			i++
		case wire.OptionEnd:
			return message[:i]
		default:
			i += 2 + int(message[i+1])
		}
	}
	return message
}
