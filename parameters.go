package lessee

import (
	"net/netip"

	"github.com/lessee/lessee/internal/option"
	"github.com/lessee/lessee/names"
)

// Servers are the options that are lists of addresses, such as [Servers].NTP.
type Servers = option.Servers

// Texts are the options that are names, URLs or other texts, such as [Texts].WPAD.
type Texts = option.Texts

// Parameters are what a lease says that a host can do without. Servers send
// most of it only to clients that ask (the setting "request"). The daemon hands
// it on; it acts on none of it.
type Parameters struct {
	// TimeZone is options 101, 100 and 2.
	TimeZone *TimeZone `json:"timezone,omitempty"`
	// SIP is option 120.
	SIP *SIP `json:"sip,omitempty"`
	// Texts has CaptivePortal, WPAD and the like; their JSON fields are this
	// object's own.
	Texts
	// DNR are encrypted DNS resolvers (option 162, RFC 9463).
	DNR []EncryptedDNS `json:"dnr,omitempty"`
	// FQDN is what the server did about the host's name in DNS (option 81, RFC 4702).
	FQDN *FQDN `json:"fqdn,omitempty"`
	// Vendor is option 125, vendor-identifying vendor options (RFC 3925).
	Vendor []Vendor `json:"vendor,omitempty"`
	// Options are those that have no field of their own, and 43, by their
	// numbers: the bytes in hexadecimal.
	Options map[uint8]string `json:"options,omitempty"`
}

// A TimeZone says what time it is where the server is, in up to three ways.
type TimeZone struct {
	// Name is a name of the TZ database (option 101).
	Name names.Zone `json:"name,omitzero"`
	// POSIX is the form of the variable TZ (option 100).
	POSIX names.POSIXZone `json:"posix,omitzero"`
	// Offset is in seconds east of UTC (option 2); nil where not told.
	Offset *int `json:"offset,omitempty"`
}

// SIP are outbound proxies for telephony, by name or by address (RFC 3361).
type SIP struct {
	Domains []names.Domain `json:"domains,omitempty"`
	Servers []netip.Addr   `json:"servers,omitempty"`
}

// EncryptedDNS is an encrypted DNS resolver.
type EncryptedDNS struct {
	// Priority orders resolvers: the lowest is tried first.
	Priority uint16 `json:"priority"`
	// Name is what the resolver's certificate has to be for.
	Name names.Host `json:"name"`
	// Addresses are absent where Name has to be resolved.
	Addresses []netip.Addr `json:"addresses,omitempty"`
	// ALPN are its protocols, such as dot, doq and h2.
	ALPN []names.Token `json:"alpn,omitempty"`
	// Port is absent for the protocol's own.
	Port uint16 `json:"port,omitempty"`
	// DoHPath is the URI template of DNS over HTTPS.
	DoHPath names.Template `json:"dohpath,omitzero"`
}

// FQDN is what a server says of the host's name in DNS.
type FQDN struct {
	// Name is absent where the server tells none. Partial says that it is not
	// fully qualified.
	Name    names.Host `json:"name,omitzero"`
	Partial bool       `json:"partial,omitempty"`
	// ServerUpdates says that the server updates the name's address record,
	// Overridden that this is not what the client asked for, NoUpdates that the
	// server leaves DNS alone.
	ServerUpdates bool `json:"server_updates,omitempty"`
	Overridden    bool `json:"overridden,omitempty"`
	NoUpdates     bool `json:"no_updates,omitempty"`
}

// Vendor are the options of one vendor.
type Vendor struct {
	// Enterprise is the vendor's number in IANA's registry.
	Enterprise uint32         `json:"enterprise"`
	Options    []VendorOption `json:"options,omitempty"`
}

// A VendorOption is an option that its vendor knows the meaning of.
type VendorOption struct {
	Code uint8 `json:"code"`
	// Value is in hexadecimal.
	Value string `json:"value"`
}
