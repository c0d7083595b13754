package dhcp4

import (
	"time"

	"github.com/lessee/lessee/boottime"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// minV6OnlyWait is MIN_V6ONLY_WAIT (RFC 8925 section 3.4).
const minV6OnlyWait = 300 * time.Second

// v6Only is IPV6-ONLY: the network would rather have us without IPv4, for a
// while. There is no lease in it.
type v6Only struct {
	quiet
	until boottime.Instant
}

func (*v6Only) name() State { return StateIPv6Only }

func (s *v6Only) timer(*Client) (boottime.Instant, Timer, bool) {
	return s.until, TimerBegin, true
}

func (*v6Only) timeout(c *Client, now boottime.Instant)  { c.enterInit(now, 0) }
func (*v6Only) linkUp(*Client, boottime.Instant)         {}
func (*v6Only) linkDown(c *Client, now boottime.Instant) { c.unlink(now) }
func (*v6Only) expired(*Client, boottime.Instant)        {}

// renew asks anew: whoever calls for it may know that the network has changed.
func (*v6Only) renew(c *Client, now boottime.Instant) { c.enterInit(now, c.setback()) }

// withoutIPv4 goes to IPV6-ONLY if the server asks for it and we asked whether
// to.
//
// RFC 8925, section 3.2: "If the client did not include the IPv6-Only Preferred
// option code in the Parameter Request List in the DHCPDISCOVER or DHCPREQUEST
// message, it MUST ignore the IPv6-Only Preferred option in any messages
// received from the server." Where an OFFER has it the address "SHOULD NOT" be
// requested; where the ACK of an INIT-REBOOT has it the client "SHOULD stop the
// DHCPv4 configuration process", and both for V6ONLY_WAIT seconds or until the
// network is another. A lease that is being extended is not taken away by it.
func (c *Client) withoutIPv4(now boottime.Instant, m message) bool {
	secs, ok := m.Uint32(wire.OptionIPv6OnlyPreferred)
	if !ok || !c.is(ipv6Only) {
		return false
	}
	c.lose(LossIPv6Only)
	c.move(now, &v6Only{until: now.Add(max(time.Duration(secs)*time.Second, minV6OnlyWait))})
	c.answerRenew(ErrIPv6Only)
	return true
}

// autoConfigured tells what a server says of link-local addresses.
//
// RFC 2563, section 2: a client that can do without a lease sends option 116,
// and a server without an address for it answers with "yiaddr" zero and the
// option: 0 is DoNotAutoConfigure, 1 is AutoConfigure.
func (c *Client) autoConfigured(m message) bool {
	v, ok := m.Uint8(wire.OptionAutoConfigure)
	if !ok || v > 1 || !c.is(autoConfigure) {
		return false
	}
	c.emit(AutoConfigure{Allowed: v == 1})
	return true
}
