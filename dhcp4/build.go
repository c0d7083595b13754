package dhcp4

import (
	"net/netip"
	"slices"

	"github.com/lessee/lessee/boottime"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

var (
	unspecified = netip.AddrFrom4([4]byte{})
	broadcast   = netip.AddrFrom4([4]byte{255, 255, 255, 255})
)

// maxMessageSize is option 57: what fits an Ethernet frame beside the IP and
// UDP headers.
//
// Deviation: "Maximum message size" in docs/deviations.md: RFC 3442 counts the
// headers as well.
const maxMessageSize = 1500 - 20 - 8

// sendDiscover asks any server for an offer.
//
// RFC 2131, section 4.4.1: "The client sets 'ciaddr' to 0x00000000. The client
// MAY request specific parameters by including the 'parameter request list'
// option. The client MAY suggest a network address [...] by including the
// 'requested IP address'".
//
// With rapid it asks for an ACK at once. RFC 4039, section 4: "A client MUST
// include this option in a DHCPDISCOVER message if the client is prepared to
// perform the DHCPDISCOVER-DHCPACK message exchange".
func (c *Client) sendDiscover(now boottime.Instant, x *exchange, rapid bool) {
	b := c.begin(wire.Discover, x.xid, x.clientID)
	b.SetSecs(x.secs(now))
	b.SetBroadcast(c.broadcast)
	if c.hint != [4]byte{} {
		b.AddAddr(wire.OptionRequestedAddress, netip.AddrFrom4(c.hint))
	}
	if c.is(autoConfigure) {
		b.AddUint8(wire.OptionAutoConfigure, 1)
	}
	if rapid {
		b.AddOption(wire.OptionRapidCommit, nil)
	}
	c.addWishes(&b)
	c.transmit(wire.Discover, &b, unspecified, broadcast, nil)
}

// sendSelect asks the chosen server for what it offered.
//
// RFC 2131, section 4.3.2: "DHCPREQUEST generated during SELECTING state:
// Client inserts the address of the selected server in 'server identifier',
// 'ciaddr' MUST be zero, 'requested IP address' MUST be filled in with the
// yiaddr value from the chosen DHCPOFFER." Section 3.1: it "MUST use the same
// value in the DHCP message header's 'secs' field".
func (c *Client) sendSelect(s *requesting) {
	b := c.begin(wire.Request, s.xid, s.clientID)
	b.SetSecs(s.discovered)
	b.SetBroadcast(c.broadcast)
	b.AddAddr(wire.OptionRequestedAddress, s.address)
	b.AddAddr(wire.OptionServerID, s.server)
	c.addWishes(&b)
	c.transmit(wire.Request, &b, unspecified, broadcast, nil)
}

// sendReboot asks whether a lease still holds on this link.
//
// RFC 2131, section 4.3.2: "DHCPREQUEST generated during INIT-REBOOT state:
// 'server identifier' MUST NOT be filled in, 'requested IP address' option
// MUST be filled in with client's notion of its previously assigned address.
// 'ciaddr' MUST be zero."
func (c *Client) sendReboot(now boottime.Instant, x *exchange, l *Lease) {
	b := c.begin(wire.Request, x.xid, x.clientID)
	b.SetSecs(x.secs(now))
	b.SetBroadcast(c.broadcast)
	b.AddAddr(wire.OptionRequestedAddress, l.Address.Addr())
	c.addWishes(&b)
	c.transmit(wire.Request, &b, unspecified, broadcast, nil)
}

// sendExtend asks the lease's server, or with broadcast as destination any
// server, to extend the lease.
//
// RFC 2131, section 4.3.2: "DHCPREQUEST generated during RENEWING state:
// 'server identifier' MUST NOT be filled in, 'requested IP address' option MUST
// NOT be filled in, 'ciaddr' MUST be filled in with client's IP address." The
// same for REBINDING, but: "This message MUST be broadcast to the 0xffffffff IP
// broadcast address." The BROADCAST flag stays clear: with ciaddr the answer
// comes to an address that works.
func (c *Client) sendExtend(now boottime.Instant, x *exchange, l *Lease, to netip.Addr) {
	b := c.begin(wire.Request, x.xid, x.clientID)
	b.SetSecs(x.secs(now))
	b.SetClientAddr(l.Address.Addr())
	c.addWishes(&b)
	c.transmit(wire.Request, &b, l.Address.Addr(), to, nil)
}

// sendInform asks all servers for parameters.
//
// RFC 2131, section 4.4.3: "The client places its own network address in the
// 'ciaddr' field. The client SHOULD NOT request lease time parameters." "The
// client then unicasts the DHCPINFORM to the DHCP server if it knows the
// server's address, otherwise it broadcasts the message": any server may
// answer. Table 5: options 50, 51 and 54 MUST NOT be there.
func (c *Client) sendInform(now boottime.Instant, x *exchange, address netip.Addr) {
	b := c.begin(wire.Inform, x.xid, x.clientID)
	b.SetSecs(x.secs(now))
	b.SetClientAddr(address)
	c.addWishesFor(&b, slices.DeleteFunc(slices.Clone(c.parameters), ofLease))
	c.transmit(wire.Inform, &b, address, broadcast, nil)
}

// sendDecline tells the server that its address is in use by another host.
//
// RFC 2131, section 4.4.4: "Because the client is declining the use of the IP
// address supplied by the server, the client broadcasts DHCPDECLINE messages."
// Table 5: ciaddr 0; options 50, 53 and 54 MUST, 61 MAY, 56 SHOULD, others MUST NOT.
func (c *Client) sendDecline(l *Lease, by []byte) {
	b := c.begin(wire.Decline, c.newXID(), l.ClientID)
	b.AddAddr(wire.OptionRequestedAddress, l.Address.Addr())
	b.AddAddr(wire.OptionServerID, l.Server)
	text := "in use by another host"
	if len(by) > 0 && len(by) <= maxChaddr {
		text = "in use by " + colons(by)
	}
	c.addText(&b, text)
	c.transmit(wire.Decline, &b, unspecified, broadcast, nil)
}

// sendRelease gives the lease back.
//
// RFC 2131, section 4.4.4: "The client unicasts DHCPRELEASE messages to the
// server." Section 4.3.4 has the server find the lease by client identifier
// or chaddr, and address. Table 5: ciaddr is the address; options 53 and 54
// MUST, 61 as in the lease, 56 SHOULD, others MUST NOT.
//
// Deviation: "RELEASE link address" in docs/deviations.md: the frame goes where
// the last ACK came from.
func (c *Client) sendRelease(l *Lease) {
	b := c.begin(wire.Release, c.newXID(), l.ClientID)
	b.SetClientAddr(l.Address.Addr())
	b.AddAddr(wire.OptionServerID, l.Server)
	c.addText(&b, "released on request")
	c.transmit(wire.Release, &b, l.Address.Addr(), l.Server, l.ServerLink)
}

// begin begins a message with what all have: Table 5 of RFC 2131, and option 61
// right after the message type, where simple servers look first.
func (c *Client) begin(t wire.MessageType, xid uint32, clientID []byte) wire.Builder {
	b := *wire.NewBuilder(wire.OpRequest, c.hardwareType, c.hardwareAddr, xid)
	b.AddMessageType(t)
	if len(clientID) > 0 {
		b.AddOption(wire.OptionClientID, clientID)
	}
	return b
}

// addWishes adds what DISCOVER and every REQUEST say alike. RFC 2131, section
// 4.4.1: "If the client included a list of requested parameters in a
// DHCPDISCOVER message, it MUST include that list in all subsequent messages."
//
// RFC 6704, section 3.1.1: DISCOVER and REQUEST say which algorithms a
// FORCERENEW may be authenticated with.
func (c *Client) addWishes(b *wire.Builder) {
	if c.is(forceRenew) {
		b.AddUint8(wire.OptionForceRenewNonce, wire.AuthHMACMD5)
	}
	c.addWishesFor(b, c.parameters)
}

func (c *Client) addWishesFor(b *wire.Builder, parameters []byte) {
	if !c.is(anonymous) {
		b.AddUint16(wire.OptionMaxMessageSize, maxMessageSize)
	}
	switch p := c.profile; {
	case p != nil && !p.FQDN.IsZero():
		// RFC 4702, section 3.1: "clients that send the Client FQDN option in
		// their messages MUST NOT also send the Host Name option."
		p.addTo(b)
	default:
		if c.hostName != "" {
			b.AddText(wire.OptionHostName, c.hostName)
		}
		if p != nil {
			p.addTo(b)
		}
	}
	b.AddOption(wire.OptionParameterList, parameters)
}

// ofLease reports whether an option means nothing without a lease.
func ofLease(code byte) bool {
	switch wire.OptionCode(code) {
	case wire.OptionLeaseTime, wire.OptionT1, wire.OptionT2:
		return true
	default:
		return false
	}
}

// addText adds words for the server's log, which could tell one client's
// implementation from another's.
func (c *Client) addText(b *wire.Builder, text string) {
	if !c.is(anonymous) {
		b.AddText(wire.OptionMessage, text)
	}
}

func (c *Client) transmit(t wire.MessageType, b *wire.Builder, from, to netip.Addr, link []byte) {
	c.counters.countSent(t)
	message := b.Finish()
	if c.is(anonymous) {
		message = c.shuffled(message)
	}
	c.emit(Transmit{Message: message, Type: t, Source: from, Destination: to, Link: link})
}

// colons writes a link address in the usual notation.
func colons(link []byte) string {
	const digits = "0123456789abcdef"
	text := make([]byte, 0, 3*len(link))
	for i, b := range link {
		if i > 0 {
			text = append(text, ':')
		}
		text = append(text, digits[b>>4], digits[b&15])
	}
	return string(text)
}
