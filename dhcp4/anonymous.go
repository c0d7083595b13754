package dhcp4

import (
	"bytes"

	wire "github.com/lessee/lessee/wire/dhcp4"
)

// The anonymity profile (RFC 7844): a network learns the link address and that
// there is a DHCP client. That the link address itself tells nothing is for
// whoever sets it.

// anonymousParameters are what a host cannot do without.
//
// RFC 7844, section 3.6: a client "SHOULD only request a minimal number of
// options" and shuffle them.
var anonymousParameters = []byte{
	byte(wire.OptionClasslessRoutes),
	byte(wire.OptionRouter),
	byte(wire.OptionSubnetMask),
	byte(wire.OptionDNS),
	byte(wire.OptionDomainName),
}

// hide takes what could tell hosts apart out of a Config.
func (cfg *Config) hide() {
	*cfg = Config{
		HardwareType: cfg.HardwareType,
		HardwareAddr: cfg.HardwareAddr,
		Broadcast:    cfg.Broadcast,
		Anonymous:    true,
		Timing:       cfg.Timing,
		Seed:         cfg.Seed,
	}
}

// shuffledParameters returns the parameter list in an order of its own, but for
// what RFC 3442 wants: classless routes before routers.
func (c *Client) shuffledParameters() []byte {
	list := bytes.Clone(anonymousParameters)
	c.shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	routes := bytes.IndexByte(list, byte(wire.OptionClasslessRoutes))
	routers := bytes.IndexByte(list, byte(wire.OptionRouter))
	if routes > routers {
		list[routes], list[routers] = list[routers], list[routes]
	}
	return list
}

// shuffled returns the message with its options in an order by chance.
//
// RFC 7844, section 3.1: the order of options can tell one client's
// implementation from another's, and "SHOULD" be random.
func (c *Client) shuffled(message []byte) []byte {
	p, err := wire.Parse(message)
	if err != nil {
		return message
	}
	b := wire.NewBuilder(p.Op(), p.HardwareType(), c.hardwareAddr, p.XID())
	b.SetSecs(p.Secs())
	b.SetBroadcast(p.Broadcast())
	b.SetClientAddr(p.ClientAddr())
	var all []Option
	for code, value := range p.Options() {
		all = append(all, Option{code, value})
	}
	c.shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, o := range all {
		b.AddOption(o.Code, o.Value)
	}
	return b.Bytes()
}

func (c *Client) shuffle(n int, swap func(i, j int)) {
	for i := n - 1; i > 0; i-- {
		swap(i, int(c.random.Uint64()%uint64(i+1))) //nolint:gosec // under n
	}
}

// revealing reports whether to ask for a lease would tell a network more than
// this client may: it was got under another identifier.
func (c *Client) revealing(l *Lease) bool {
	return c.is(anonymous) && !bytes.Equal(l.ClientID, c.clientID)
}
