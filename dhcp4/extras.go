package dhcp4

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/lessee/lessee/internal/option"
	"github.com/lessee/lessee/names"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// Extras are the parameters that few leases have. Most are sent only to clients
// that ask for them ([Config].Parameters). A value that makes no sense is as
// good as absent.
type Extras struct {
	Servers
	Texts

	// Zone is option 101 and POSIXZone option 100, two ways to name the time
	// zone (RFC 4833).
	Zone      names.Zone
	POSIXZone names.POSIXZone
	// Offset is option 2, the time east of UTC, up to a day either way. It
	// counts with HasOffset only; RFC 4833 has outdated it.
	Offset    time.Duration
	HasOffset bool

	// SIPDomains or SIPServers are option 120, SIP outbound proxies (RFC 3361).
	SIPDomains []names.Domain
	SIPServers []netip.Addr

	// Resolvers are option 162, encrypted DNS resolvers (RFC 9463).
	Resolvers []wire.Resolver
	// FQDN is option 81, what the server did about the name in DNS; nil if it
	// does not say (RFC 4702).
	FQDN *wire.FQDN

	// Vendors is option 125, vendor-identifying vendor options (RFC 3925).
	Vendors []wire.VendorOptions
	// Other are the options that this package knows nothing about, option 43
	// among them, in the order of their codes: as they came, with their pieces
	// joined (RFC 3396).
	Other []Option
}

// Servers are the options that are lists of addresses, such as [Servers].NTP.
type Servers = option.Servers

// Texts are the options that are names, URLs or other texts, such as [Texts].WPAD.
type Texts = option.Texts

// An Option is an option as it stands in a message, its pieces joined (RFC 3396).
type Option struct {
	Code  wire.OptionCode
	Value []byte
}

const (
	// unrestricted in option 114 says that there is no captive portal (RFC 8910
	// section 2.4.1).
	unrestricted = "urn:ietf:params:capport:unrestricted"
	// maxOther bounds the memory for options that nobody may ever look at.
	maxOther = 4096
	maxZone  = 24 * time.Hour
)

// extras returns what a message has beyond an ordinary one, nil if nothing. The
// values are copies: a lease outlives its message.
func extras(m message) *Extras {
	var present [256]bool
	some := false
	for code := range m.Options() {
		if option.UseOf(uint8(code)) != option.Client {
			present[code], some = true, true
		}
	}
	if !some {
		return nil
	}
	e, some := &Extras{}, false
	total := 0
	for i, is := range present {
		if !is {
			continue
		}
		code := wire.OptionCode(i)
		v, _ := m.Option(code)
		v = bytes.Clone(v)
		if option.UseOf(uint8(code)) == option.HandedOn {
			some = e.read(code, v) || some
		} else if total += len(v); total <= maxOther {
			e.Other, some = append(e.Other, Option{code, v}), true
		} else {
			total -= len(v)
		}
	}
	if !some {
		return nil
	}
	return e
}

// read decodes an option that Extras has a field for. It reports whether the
// field is set then: a value that is not valid is as good as absent.
func (e *Extras) read(code wire.OptionCode, v []byte) bool {
	// Servers end texts in zero bytes, and some a URL in a line feed.
	text := bytes.TrimRight(v, "\x00")
	switch code {
	case wire.OptionTimeOffset:
		return e.readOffset(v)
	case wire.OptionClientFQDN:
		if f, err := wire.ParseFQDN(v); err == nil {
			e.FQDN = &f
		}
		return e.FQDN != nil
	case wire.OptionPOSIXTimezone:
		e.POSIXZone, _ = names.ParsePOSIXZone(string(text))
		return !e.POSIXZone.IsZero()
	case wire.OptionTZDatabase:
		e.Zone, _ = names.ParseZone(string(text))
		return !e.Zone.IsZero()
	case wire.OptionSIPServers:
		var list []netip.Addr
		e.SIPDomains, list, _ = wire.ParseSIPServers(v)
		e.SIPServers = hosts(list)
		return len(e.SIPDomains) > 0 || len(e.SIPServers) > 0
	case wire.OptionVIVendorOptions:
		e.Vendors, _ = wire.ParseVendorOptions(v)
		return len(e.Vendors) > 0
	case wire.OptionDNR:
		e.Resolvers, _ = wire.ParseDNR(v)
		return len(e.Resolvers) > 0
	case wire.OptionCaptivePortal:
		if e.NoCaptivePortal = string(text) == unrestricted; e.NoCaptivePortal {
			return true
		}
	case wire.OptionWPAD:
		text = bytes.TrimRight(text, "\r\n\x00")
	default:
	}
	switch row := option.Of(uint8(code)); {
	case row.AddrsField != nil:
		list := row.AddrsField(&e.Servers)
		*list = hosts(wire.ParseAddrs(v))
		return len(*list) > 0
	case row.TextField != nil:
		field := row.TextField(&e.Texts)
		return field.UnmarshalText(text) == nil && !field.IsZero()
	}
	return false
}

// readOffset decodes option 2.
func (e *Extras) readOffset(v []byte) bool {
	if len(v) != 4 {
		return false
	}
	d := time.Duration(int32(binary.BigEndian.Uint32(v))) * time.Second
	if e.HasOffset = -maxZone <= d && d <= maxZone; e.HasOffset {
		e.Offset = d
	}
	return e.HasOffset
}
