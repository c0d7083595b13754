package daemon

import (
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/driver"
	"github.com/lessee/lessee/names"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// A ClientConfig says what an adapter's client tells servers of itself and asks
// them for. What is absent is as in Defaults, and there as documented for each
// field; lists and tables are taken as a whole.
type ClientConfig struct {
	// ClientID is the client identifier (option 61): "mac" or "" for hardware
	// type and address, "duid" for one of the machine's (RFC 4361), or 2 to 255
	// bytes in hexadecimal, the type byte first, colons allowed. Default: "mac".
	ClientID *string `toml:"client_id"`
	// IAID tells the adapters of a machine apart where ClientID is "duid".
	// Default: the last four bytes of the hardware address.
	IAID *uint32 `toml:"iaid"`
	// Anonymous tells servers nothing but the hardware address (RFC 7844). The
	// other settings here then mean nothing. Default: false.
	Anonymous *bool `toml:"anonymous"`

	// HostName is sent to servers (option 12): a name, "auto" for the
	// system's, or "" for none. Default: "auto".
	HostName *string `toml:"hostname"`
	// FQDN is sent instead as the name that is to be in DNS (option 81), in the
	// same way; without a dot the server adds the domain. Default: "".
	FQDN *string `toml:"fqdn"`
	// FQDNUpdate says who updates DNS: "server", "client" or "none". Default: "server".
	FQDNUpdate *string `toml:"fqdn_update"`
	// VendorClass is option 60. Default: "".
	VendorClass *string `toml:"vendor_class"`
	// UserClass is option 77. Default: none.
	UserClass []string `toml:"user_class"`
	// VendorIdentifyingClass is option 124 and VendorIdentifyingOptions option
	// 125: by enterprise number, and there by code, values in hexadecimal.
	VendorIdentifyingClass   map[string]string            `toml:"vendor_identifying_class"`
	VendorIdentifyingOptions map[string]map[string]string `toml:"vendor_identifying_options"`
	// Send are further options by their code, values in hexadecimal.
	Send map[string]string `toml:"send"`
	// Request are codes of options to ask for beside the usual ones, and
	// NoRequest those not to ask for.
	Request   []uint32 `toml:"request"`
	NoRequest []uint32 `toml:"no_request"`

	// RapidCommit asks for two messages instead of four (RFC 4039). Default: true.
	RapidCommit *bool `toml:"rapid_commit"`
	// IPv6Only goes without IPv4 where the network prefers that (RFC 8925). Default: false.
	IPv6Only *bool `toml:"ipv6_only"`
	// ForceRenew lets the lease's server have it renewed (RFC 6704). Default: false.
	ForceRenew *bool `toml:"forcerenew"`
}

// The words of client_id.
const (
	clientIDMAC  = "mac"
	clientIDDUID = "duid"
)

var fqdnUpdates = map[string]dhcp4.FQDNUpdate{
	"server": dhcp4.FQDNByServer, "client": dhcp4.FQDNByClient, "none": dhcp4.FQDNByNobody,
}

// A keyError says which key of a section is wrong, and why.
type keyError struct {
	key string
	err error
}

func (e *keyError) Error() string { return e.key + ": " + e.err.Error() }

// check returns what is wrong with a section by itself, as a keyError.
func (c *ClientConfig) check() error {
	fail := func(key, format string, args ...any) error { return &keyError{key, fmt.Errorf(format, args...)} }
	for key, name := range map[string]*string{"hostname": c.HostName, "fqdn": c.FQDN} {
		if name == nil || *name == "" || *name == "auto" {
			continue
		}
		if _, err := names.ParseHost(*name); err != nil {
			return fail(key, "%q is not a host name (RFC 1123)", *name)
		}
	}
	if u := c.FQDNUpdate; u != nil && !known(fqdnUpdates, *u) {
		return fail("fqdn_update", "%q is not one of server, client, none", *u)
	}
	if id := c.ClientID; id != nil && *id != clientIDDUID {
		if _, err := parseClientID(*id); err != nil {
			return &keyError{"client_id", err}
		}
	}
	for key, list := range map[string][]uint32{"request": c.Request, "no_request": c.NoRequest} {
		if _, err := codes(list); err != nil {
			return &keyError{key, err}
		}
	}
	if _, err := c.options(); err != nil {
		return err
	}
	return nil
}

// options returns what the tables of options say.
func (c *ClientConfig) options() (*dhcp4.Profile, error) {
	p := &dhcp4.Profile{UserClasses: c.UserClass}
	for _, number := range sortedNumbers(c.VendorIdentifyingClass) {
		enterprise, data, err := numbered(number, 32, c.VendorIdentifyingClass[number])
		if err != nil {
			return nil, &keyError{"vendor_identifying_class." + number, err}
		}
		p.VendorClasses = append(p.VendorClasses, wire.VendorClass{Enterprise: uint32(enterprise), Data: data}) //nolint:gosec // 32 bits
	}
	for _, number := range sortedNumbers(c.VendorIdentifyingOptions) {
		enterprise, _, err := numbered(number, 32, "")
		if err != nil {
			return nil, &keyError{"vendor_identifying_options." + number, err}
		}
		v := wire.VendorOptions{Enterprise: uint32(enterprise)} //nolint:gosec // 32 bits
		for _, code := range sortedNumbers(c.VendorIdentifyingOptions[number]) {
			n, data, err := numbered(code, 8, c.VendorIdentifyingOptions[number][code])
			if err != nil {
				return nil, &keyError{"vendor_identifying_options." + number + "." + code, err}
			}
			v.Options = append(v.Options, wire.SubOption{Code: uint8(n), Value: data}) //nolint:gosec // 8 bits
		}
		p.VendorOptions = append(p.VendorOptions, v)
	}
	for _, code := range sortedNumbers(c.Send) {
		n, data, err := numbered(code, 8, c.Send[code])
		if err == nil {
			err = dhcp4.Sendable(wire.OptionCode(n)) //nolint:gosec // 8 bits
		}
		if err != nil {
			return nil, &keyError{"send." + code, err}
		}
		p.Send = append(p.Send, dhcp4.Option{Code: wire.OptionCode(n), Value: data}) //nolint:gosec // 8 bits
	}
	return p, nil
}

// sortedNumbers returns the keys of a table in the order of the numbers they are.
func sortedNumbers[T any](table map[string]T) []string {
	return slices.SortedFunc(maps.Keys(table), func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
}

// numbered reads a number and a value of bytes in hexadecimal.
func numbered(number string, bits int, value string) (uint64, []byte, error) {
	n, err := strconv.ParseUint(number, 10, bits)
	if err != nil || strconv.FormatUint(n, 10) != number {
		return 0, nil, fmt.Errorf("%q is not a number from 0 to %d", number, uint64(1)<<bits-1)
	}
	data, err := hexBytes(value)
	return n, data, err
}

// hexBytes reads hexadecimal digits, in pairs, with or without colons.
func hexBytes(s string) ([]byte, error) {
	b, err := hex.DecodeString(strings.ReplaceAll(s, ":", ""))
	if err != nil {
		return nil, fmt.Errorf("%q is not hexadecimal", s)
	}
	return b, nil
}

// parseClientID reads a client identifier that is not the machine's, nil for
// the hardware address.
func parseClientID(s string) ([]byte, error) {
	if s == "" || s == clientIDMAC {
		return nil, nil
	}
	id, err := hexBytes(s)
	if err != nil {
		return nil, fmt.Errorf("%q is not one of mac, duid, and is not hexadecimal", s)
	}
	// RFC 2132 section 9.14: the minimum length is 2.
	if len(id) < 2 || len(id) > 255 {
		return nil, fmt.Errorf("%q has %d bytes, not 2 to 255", s, len(id))
	}
	return id, nil
}

// codes reads a list of option codes.
func codes(list []uint32) ([]wire.OptionCode, error) {
	var all []wire.OptionCode
	for _, n := range list {
		if n < 1 || n > 254 {
			return nil, fmt.Errorf("%d is not the code of an option, 1 to 254", n)
		}
		all = append(all, wire.OptionCode(n))
	}
	return all, nil
}

// over returns the settings of c, and for those that are absent those of all.
func (c ClientConfig) over(all ClientConfig) ClientConfig {
	first := func(a, b *string) *string {
		if a != nil {
			return a
		}
		return b
	}
	c.ClientID, c.HostName = first(c.ClientID, all.ClientID), first(c.HostName, all.HostName)
	c.FQDN, c.FQDNUpdate = first(c.FQDN, all.FQDN), first(c.FQDNUpdate, all.FQDNUpdate)
	c.VendorClass = first(c.VendorClass, all.VendorClass)
	if c.IAID == nil {
		c.IAID = all.IAID
	}
	for _, b := range []struct{ one, all **bool }{
		{&c.Anonymous, &all.Anonymous},
		{&c.RapidCommit, &all.RapidCommit},
		{&c.IPv6Only, &all.IPv6Only},
		{&c.ForceRenew, &all.ForceRenew},
	} {
		if *b.one == nil {
			*b.one = *b.all
		}
	}
	if c.UserClass == nil {
		c.UserClass = all.UserClass
	}
	if c.VendorIdentifyingClass == nil {
		c.VendorIdentifyingClass = all.VendorIdentifyingClass
	}
	if c.VendorIdentifyingOptions == nil {
		c.VendorIdentifyingOptions = all.VendorIdentifyingOptions
	}
	if c.Send == nil {
		c.Send = all.Send
	}
	if c.Request == nil {
		c.Request = all.Request
	}
	if c.NoRequest == nil {
		c.NoRequest = all.NoRequest
	}
	return c
}

// profiles keeps what was built once: adapters with the same settings share it.
type profiles struct {
	mu    sync.Mutex
	built map[profileKey]*dhcp4.Profile
}

// A profileKey is a section of the configuration and the name that "auto" stood for.
type profileKey struct{ section, fqdn string }

func (p *profiles) get(key profileKey, build func() *dhcp4.Profile) *dhcp4.Profile {
	if p == nil {
		return build()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.built[key]; !known {
		if p.built == nil {
			p.built = map[profileKey]*dhcp4.Profile{}
		}
		p.built[key] = build()
	}
	return p.built[key]
}

// fill sets what an adapter's client is to tell and to ask.
func (c *Config) fill(out *driver.AdapterConfig, name string) {
	section, one := name, c.Adapter[name].ClientConfig
	if _, own := c.Adapter[name]; !own {
		section = ""
	}
	s := one.over(c.Defaults.ClientConfig)
	out.RapidCommit = pick(true, s.RapidCommit)
	out.IPv6Only = pick(false, s.IPv6Only)
	out.ForceRenew = pick(false, s.ForceRenew)
	out.Anonymous = pick(false, s.Anonymous)
	out.HostName = hostName(pick("auto", s.HostName))
	// What follows was checked when it was read.
	if id := pick(clientIDMAC, s.ClientID); id == clientIDDUID {
		out.DUID, out.IAID = c.duid, s.IAID
	} else {
		out.ClientID, _ = parseClientID(id)
	}
	out.Request, _ = codes(s.Request)
	out.NoRequest, _ = codes(s.NoRequest)
	fqdn := hostName(pick("", s.FQDN))
	out.Profile = c.profiles.get(profileKey{section, fqdn}, func() *dhcp4.Profile {
		p, err := s.options()
		if err != nil {
			return nil
		}
		p.FQDN, _ = names.ParseHost(fqdn)
		p.Update = fqdnUpdates[pick("server", s.FQDNUpdate)]
		p.VendorClass = pick("", s.VendorClass)
		if p.FQDN.IsZero() && p.VendorClass == "" && len(p.UserClasses)+len(p.VendorClasses)+len(p.VendorOptions)+len(p.Send) == 0 {
			return nil
		}
		return p
	})
}

// identify finds out who the machine is, if a setting needs it.
func (c *Config) identify(machineID string) error {
	sections := map[string]*string{"defaults": c.Defaults.ClientID}
	for name := range c.Adapter {
		sections["adapter."+name] = c.Adapter[name].ClientID
	}
	for _, section := range slices.Sorted(maps.Keys(sections)) {
		id := sections[section]
		if id == nil || *id != clientIDDUID {
			continue
		}
		duid, err := readDUID(machineID)
		if err != nil {
			return &keyError{section + ".client_id", fmt.Errorf("\"duid\" needs the machine's identifier: %w", err)}
		}
		c.duid = duid
		return nil
	}
	return nil
}

// try reports what a client would not take of an adapter's settings as a whole.
func try(a *driver.AdapterConfig) error {
	_, err := dhcp4.New(dhcp4.Config{
		HardwareType: 1, HardwareAddr: make([]byte, 6), ClientID: a.ClientID, HostName: a.HostName,
		Profile: a.Profile, Parameters: a.Request, NoParameters: a.NoRequest,
	})
	if err == nil {
		return nil
	}
	return errors.New(strings.TrimPrefix(err.Error(), "dhcp4: "))
}
