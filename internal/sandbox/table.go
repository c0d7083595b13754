//go:build linux

package sandbox

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// offerHold is how long an offered address waits for its REQUEST.
const offerHold = 30 * time.Second

// declineHold is how long a declined address is not offered to anybody.
const declineHold = time.Hour

// A LeaseState is what the server thinks of an address.
type LeaseState string

// The states of an address in the server's table.
const (
	Offered  LeaseState = "offered"
	Bound    LeaseState = "bound"
	Released LeaseState = "released"
	Declined LeaseState = "declined"
)

// A Lease is an entry of the server's table.
type Lease struct {
	Address netip.Addr
	// Client is what the server knows the client by, in hexadecimal: its client
	// identifier (option 61), or its hardware type and address if it sent none.
	Client       string
	HardwareAddr net.HardwareAddr
	HostName     string
	State        LeaseState
	// Until is when the entry stops to bind the server.
	Until time.Time
	// Granted counts the ACKs since the client got the address.
	Granted int
}

// A ServerConfig says what the server offers. The zero value of a field means
// the default that is named at it.
type ServerConfig struct {
	// Address is the server's own, with the length of the subnet: 10.77.0.1/24.
	Address netip.Prefix
	// First and Last bound the pool: .100 and .150 of the subnet.
	First, Last netip.Addr
	// Routers, DNS: the server's own address.
	Routers, DNS []netip.Addr
	// Domain: "sandbox.test".
	Domain string
	// LeaseTime: 2 minutes. T1, T2: half and seven eighths of it.
	LeaseTime, T1, T2 time.Duration
	// Options are sent besides, whether asked for or not; they win over the
	// ones above.
	Options []dhcpv4.Option
}

func (c ServerConfig) withDefaults() (ServerConfig, error) {
	if !c.Address.IsValid() {
		c.Address = netip.MustParsePrefix("10.77.0.1/24")
	}
	if !c.Address.Addr().Is4() {
		return c, fmt.Errorf("sandbox: server address %s: not an IPv4 address", c.Address)
	}
	host := func(n byte) netip.Addr {
		a := c.Address.Addr().As4()
		a[3] = n
		return netip.AddrFrom4(a)
	}
	if !c.First.IsValid() {
		c.First = host(100)
	}
	if !c.Last.IsValid() {
		c.Last = host(150)
	}
	if !c.Address.Contains(c.First) || !c.Address.Contains(c.Last) || c.Last.Less(c.First) {
		return c, fmt.Errorf("sandbox: pool %s-%s: not a range of %s", c.First, c.Last, c.Address.Masked())
	}
	if c.Routers == nil {
		c.Routers = []netip.Addr{c.Address.Addr()}
	}
	if c.DNS == nil {
		c.DNS = []netip.Addr{c.Address.Addr()}
	}
	c.Domain = cmp.Or(c.Domain, "sandbox.test")
	c.LeaseTime = cmp.Or(c.LeaseTime, 2*time.Minute)
	c.T1 = cmp.Or(c.T1, c.LeaseTime/2)
	c.T2 = cmp.Or(c.T2, c.LeaseTime*7/8)
	return c, nil
}

// A table is the server without its sockets: what it answers to a message.
// It is not safe for concurrent use.
type table struct {
	conf   ServerConfig
	now    func() time.Time
	leases map[netip.Addr]*Lease
}

func newTable(conf ServerConfig, now func() time.Time) *table {
	return &table{conf: conf, now: now, leases: make(map[netip.Addr]*Lease)}
}

// list returns copies of the entries, by address.
func (t *table) list() []Lease {
	all := make([]Lease, 0, len(t.leases))
	for _, l := range t.leases {
		all = append(all, *l)
	}
	slices.SortFunc(all, func(a, b Lease) int { return a.Address.Compare(b.Address) })
	return all
}

// clientKey is what RFC 2131 section 4.2 identifies a client by.
func clientKey(m *dhcpv4.DHCPv4) string {
	if id := m.GetOneOption(dhcpv4.OptionClientIdentifier); len(id) > 0 {
		return hex.EncodeToString(id)
	}
	return hex.EncodeToString(append([]byte{byte(m.HWType)}, m.ClientHWAddr...))
}

// addr returns ip as an IPv4 address; 0.0.0.0 and nil are not valid.
func addr(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip.To4())
	if a.IsUnspecified() {
		return netip.Addr{}
	}
	return a
}

// answer returns the reply to m, nil if there is none.
func (t *table) answer(m *dhcpv4.DHCPv4) *dhcpv4.DHCPv4 {
	if m.OpCode != dhcpv4.OpcodeBootRequest || len(m.ClientHWAddr) == 0 {
		return nil
	}
	//exhaustive:ignore The other types are for clients.
	switch m.MessageType() {
	case dhcpv4.MessageTypeDiscover:
		return t.discover(m)
	case dhcpv4.MessageTypeRequest:
		return t.request(m)
	case dhcpv4.MessageTypeRelease:
		t.release(m)
	case dhcpv4.MessageTypeDecline:
		t.decline(m)
	case dhcpv4.MessageTypeInform:
		return t.reply(m, dhcpv4.MessageTypeAck, netip.Addr{})
	}
	return nil
}

// discover answers a DHCPDISCOVER, RFC 2131 section 4.3.1: the client's present
// address, else the one it had, else the one it asks for, else a new one.
func (t *table) discover(m *dhcpv4.DHCPv4) *dhcpv4.DHCPv4 {
	client := clientKey(m)
	a, ok := t.pick(client, addr(m.RequestedIPAddress()))
	if !ok {
		return nil
	}
	l := t.leases[a]
	if l == nil || l.Client != client || l.State != Bound {
		l = &Lease{Address: a, Client: client, State: Offered, Until: t.now().Add(offerHold)}
		t.leases[a] = l
	}
	l.HardwareAddr, l.HostName = bytes.Clone(m.ClientHWAddr), m.HostName()
	return t.reply(m, dhcpv4.MessageTypeOffer, a)
}

func (t *table) pick(client string, wanted netip.Addr) (netip.Addr, bool) {
	var had netip.Addr
	for a, l := range t.leases {
		if l.Client != client || l.State == Declined {
			continue
		}
		if l.State == Bound && t.now().Before(l.Until) {
			return a, true
		}
		had = a
	}
	for _, a := range []netip.Addr{had, wanted} {
		if a.IsValid() && t.inPool(a) && t.free(a, client) {
			return a, true
		}
	}
	for a := t.conf.First; t.inPool(a); a = a.Next() {
		if _, used := t.leases[a]; !used {
			return a, true
		}
	}
	for a := t.conf.First; t.inPool(a); a = a.Next() {
		if t.free(a, client) {
			return a, true
		}
	}
	return netip.Addr{}, false
}

func (t *table) inPool(a netip.Addr) bool {
	return a.Compare(t.conf.First) >= 0 && a.Compare(t.conf.Last) <= 0
}

// free reports whether client may have the address.
func (t *table) free(a netip.Addr, client string) bool {
	if a == t.conf.Address.Addr() {
		return false
	}
	l := t.leases[a]
	return l == nil || l.State == Released || !t.now().Before(l.Until) || (l.Client == client && l.State != Declined)
}

// request answers a DHCPREQUEST, RFC 2131 section 4.3.2. Which of the four kinds it is
// shows in the fields of table 4 there.
func (t *table) request(m *dhcpv4.DHCPv4) *dhcpv4.DHCPv4 {
	client := clientKey(m)
	server, wanted, has := addr(m.ServerIdentifier()), addr(m.RequestedIPAddress()), addr(m.ClientIPAddr)
	switch {
	case server.IsValid() && server != t.conf.Address.Addr():
		// SELECTING, but another server: the offer is free again.
		for a, l := range t.leases {
			if l.Client == client && l.State == Offered {
				delete(t.leases, a)
			}
		}
		return nil
	case server.IsValid():
		// SELECTING: what was offered, or what the client holds.
		if l := t.leases[wanted]; l == nil || l.Client != client || l.State == Released || !t.free(wanted, client) {
			return t.nak(m, "this address was not offered to you")
		}
	case wanted.IsValid():
		// INIT-REBOOT: on the wrong network a NAK, from a stranger silence.
		if !addr(m.GatewayIPAddr).IsValid() && !t.conf.Address.Contains(wanted) {
			return t.nak(m, "wrong network")
		}
		if !t.known(client) {
			return nil
		}
		if !t.holds(client, wanted) {
			return t.nak(m, "this address is not yours")
		}
	case has.IsValid():
		// RENEWING or REBINDING.
		wanted = has
		if !t.holds(client, wanted) {
			return t.nak(m, "this address is not yours")
		}
	default:
		return nil
	}
	l := t.leases[wanted]
	if l.State != Bound {
		l.Granted = 0
	}
	l.State, l.Until = Bound, t.now().Add(t.conf.LeaseTime)
	l.Granted++
	l.HardwareAddr, l.HostName = bytes.Clone(m.ClientHWAddr), cmp.Or(m.HostName(), l.HostName)
	return t.reply(m, dhcpv4.MessageTypeAck, wanted)
}

// known reports whether the server has any record of the client.
func (t *table) known(client string) bool {
	for _, l := range t.leases {
		if l.Client == client {
			return true
		}
	}
	return false
}

// holds reports whether the address is bound to the client, or was and nobody
// took it since.
func (t *table) holds(client string, a netip.Addr) bool {
	l := t.leases[a]
	return l != nil && l.Client == client && l.State == Bound
}

// release frees an address, RFC 2131 section 4.3.4: the entry stays as the
// client's last address.
func (t *table) release(m *dhcpv4.DHCPv4) {
	if s := addr(m.ServerIdentifier()); s.IsValid() && s != t.conf.Address.Addr() {
		return
	}
	if l := t.leases[addr(m.ClientIPAddr)]; l != nil && l.Client == clientKey(m) && l.State == Bound {
		l.State, l.Until = Released, t.now()
	}
}

// decline sets an address aside, RFC 2131 section 4.3.3.
func (t *table) decline(m *dhcpv4.DHCPv4) {
	if s := addr(m.ServerIdentifier()); s.IsValid() && s != t.conf.Address.Addr() {
		return
	}
	if l := t.leases[addr(m.RequestedIPAddress())]; l != nil && l.Client == clientKey(m) {
		l.State, l.Until = Declined, t.now().Add(declineHold)
	}
}

func (t *table) nak(m *dhcpv4.DHCPv4, why string) *dhcpv4.DHCPv4 {
	r, err := dhcpv4.NewReplyFromRequest(m,
		dhcpv4.WithMessageType(dhcpv4.MessageTypeNak),
		dhcpv4.WithOption(dhcpv4.OptServerIdentifier(t.conf.Address.Addr().AsSlice())),
		dhcpv4.WithOption(dhcpv4.OptMessage(why)))
	if err != nil {
		return nil
	}
	return r
}

// reply builds an OFFER or ACK by RFC 2131 table 3. Without an address it
// answers a DHCPINFORM: no yiaddr and no times (section 4.3.5).
func (t *table) reply(m *dhcpv4.DHCPv4, kind dhcpv4.MessageType, a netip.Addr) *dhcpv4.DHCPv4 {
	server := net.IP(t.conf.Address.Addr().AsSlice())
	mods := []dhcpv4.Modifier{
		dhcpv4.WithMessageType(kind),
		dhcpv4.WithOption(dhcpv4.OptServerIdentifier(server)),
	}
	if kind == dhcpv4.MessageTypeAck {
		mods = append(mods, dhcpv4.WithClientIP(m.ClientIPAddr))
	}
	if a.IsValid() {
		mods = append(mods,
			dhcpv4.WithYourIP(a.AsSlice()),
			dhcpv4.WithOption(dhcpv4.OptIPAddressLeaseTime(t.conf.LeaseTime)),
			dhcpv4.WithOption(dhcpv4.OptRenewTimeValue(t.conf.T1)),
			dhcpv4.WithOption(dhcpv4.OptRebindingTimeValue(t.conf.T2)))
	}
	asked := []dhcpv4.Option{
		dhcpv4.OptSubnetMask(net.CIDRMask(t.conf.Address.Bits(), 32)),
		dhcpv4.OptDomainName(t.conf.Domain),
	}
	if len(t.conf.Routers) > 0 {
		asked = append(asked, dhcpv4.OptRouter(ips(t.conf.Routers)...))
	}
	if len(t.conf.DNS) > 0 {
		asked = append(asked, dhcpv4.OptDNS(ips(t.conf.DNS)...))
	}
	for _, o := range asked {
		if m.IsOptionRequested(o.Code) {
			mods = append(mods, dhcpv4.WithOption(o))
		}
	}
	for _, o := range t.conf.Options {
		mods = append(mods, dhcpv4.WithOption(o))
	}
	r, err := dhcpv4.NewReplyFromRequest(m, mods...)
	if err != nil {
		return nil
	}
	return r
}

func ips(addrs []netip.Addr) []net.IP {
	out := make([]net.IP, len(addrs))
	for i, a := range addrs {
		out[i] = a.AsSlice()
	}
	return out
}
