package dhcp4

import (
	"bytes"
	"net/netip"
	"strings"
	"time"

	"github.com/lessee/lessee/names"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// Extras are the parameters that few leases have. Most are sent only to clients
// that ask for them ([Config].Parameters). A value that makes no sense is as
// good as absent.
type Extras struct {
	NTP  []netip.Addr // option 42
	WINS []netip.Addr // option 44: NetBIOS name servers

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

	// CaptivePortal is option 114, where the API of the network's captive portal
	// is (RFC 8910). NoCaptivePortal says that the server says that there is none.
	CaptivePortal   names.URL
	NoCaptivePortal bool
	// WPAD is option 252, where the proxy configuration is.
	WPAD names.URL

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

// A family says who reads an option.
type family uint8

const (
	unknown family = iota // nobody: it goes to Extras.Other
	core                  // the client or Lease
	rare                  // Extras
)

var families = [256]family{
	wire.OptionSubnetMask:        core,
	wire.OptionRouter:            core,
	wire.OptionDNS:               core,
	wire.OptionHostName:          core,
	wire.OptionDomainName:        core,
	wire.OptionMTU:               core,
	wire.OptionBroadcast:         core,
	wire.OptionRequestedAddress:  core,
	wire.OptionLeaseTime:         core,
	wire.OptionOverload:          core,
	wire.OptionMessageType:       core,
	wire.OptionServerID:          core,
	wire.OptionParameterList:     core,
	wire.OptionMessage:           core,
	wire.OptionMaxMessageSize:    core,
	wire.OptionT1:                core,
	wire.OptionT2:                core,
	wire.OptionClientID:          core,
	wire.OptionRapidCommit:       core,
	wire.OptionRelayAgent:        core,
	wire.OptionAuthentication:    core,
	wire.OptionIPv6OnlyPreferred: core,
	wire.OptionAutoConfigure:     core,
	wire.OptionDomainSearch:      core,
	wire.OptionClasslessRoutes:   core,
	wire.OptionForceRenewNonce:   core,
	wire.OptionMSClasslessRoutes: core,

	wire.OptionNTP:               rare,
	wire.OptionNetBIOSNameServer: rare,
	wire.OptionTimeOffset:        rare,
	wire.OptionClientFQDN:        rare,
	wire.OptionPOSIXTimezone:     rare,
	wire.OptionTZDatabase:        rare,
	wire.OptionCaptivePortal:     rare,
	wire.OptionSIPServers:        rare,
	wire.OptionVIVendorOptions:   rare,
	wire.OptionDNR:               rare,
	wire.OptionWPAD:              rare,
}

// extras returns what a message has beyond an ordinary one, nil if nothing. The
// values are copies: a lease outlives its message.
func extras(m message) *Extras {
	var present [256]bool
	some := false
	for code := range m.Options() {
		if families[code] != core {
			present[code], some = true, true
		}
	}
	if !some {
		return nil
	}
	e := &Extras{}
	total := 0
	for i, is := range present {
		if !is {
			continue
		}
		code := wire.OptionCode(i)
		v, _ := m.Option(code)
		v = bytes.Clone(v)
		if families[code] == rare {
			e.read(code, v)
		} else if total += len(v); total <= maxOther {
			e.Other = append(e.Other, Option{code, v})
		} else {
			total -= len(v)
		}
	}
	if e.empty() {
		return nil
	}
	return e
}

// read decodes an option that Extras has a field for. Errors leave it unset.
func (e *Extras) read(code wire.OptionCode, v []byte) {
	// Servers end texts in zero bytes, and some a URL in a line feed.
	text := strings.TrimRight(string(v), "\x00")
	switch code {
	case wire.OptionNTP:
		e.NTP = hosts(wire.ParseAddrs(v))
	case wire.OptionNetBIOSNameServer:
		e.WINS = hosts(wire.ParseAddrs(v))
	case wire.OptionTimeOffset:
		if len(v) == 4 {
			secs := int32(uint32(v[0])<<24 | uint32(v[1])<<16 | uint32(v[2])<<8 | uint32(v[3]))
			d := time.Duration(secs) * time.Second
			if e.HasOffset = -maxZone <= d && d <= maxZone; e.HasOffset {
				e.Offset = d
			}
		}
	case wire.OptionClientFQDN:
		if f, err := wire.ParseFQDN(v); err == nil {
			e.FQDN = &f
		}
	case wire.OptionPOSIXTimezone:
		e.POSIXZone, _ = names.ParsePOSIXZone(text)
	case wire.OptionTZDatabase:
		e.Zone, _ = names.ParseZone(text)
	case wire.OptionCaptivePortal:
		e.NoCaptivePortal = text == unrestricted
		e.CaptivePortal, _ = names.ParseURL(text)
	case wire.OptionWPAD:
		e.WPAD, _ = names.ParseURL(strings.TrimRight(text, "\r\n\x00"))
	case wire.OptionSIPServers:
		var list []netip.Addr
		e.SIPDomains, list, _ = wire.ParseSIPServers(v)
		e.SIPServers = hosts(list)
	case wire.OptionVIVendorOptions:
		e.Vendors, _ = wire.ParseVendorOptions(v)
	case wire.OptionDNR:
		e.Resolvers, _ = wire.ParseDNR(v)
	default:
	}
}

func (e *Extras) empty() bool {
	return len(e.NTP) == 0 && len(e.WINS) == 0 &&
		e.Zone.IsZero() && e.POSIXZone.IsZero() && !e.HasOffset &&
		len(e.SIPDomains) == 0 && len(e.SIPServers) == 0 &&
		e.CaptivePortal.IsZero() && !e.NoCaptivePortal && e.WPAD.IsZero() &&
		len(e.Resolvers) == 0 && e.FQDN == nil && len(e.Vendors) == 0 && len(e.Other) == 0
}
