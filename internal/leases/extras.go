package leases

import (
	"net/netip"
	"time"

	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/option"
	"github.com/lessee/lessee/names"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// extras are the parameters that few leases have.
type extras struct {
	option.Servers
	Zone       names.Zone      `json:"zone,omitzero"`
	POSIXZone  names.POSIXZone `json:"posix_zone,omitzero"`
	Offset     *duration       `json:"utc_offset,omitempty"`
	SIPDomains []names.Domain  `json:"sip_domains,omitempty"`
	SIPServers []netip.Addr    `json:"sip_servers,omitempty"`
	option.Texts
	Resolvers []resolver       `json:"resolvers,omitempty"`
	FQDN      *fqdn            `json:"fqdn,omitempty"`
	Vendors   []vendor         `json:"vendors,omitempty"`
	Other     map[uint8]octets `json:"other,omitempty"`
}

type resolver struct {
	Priority  uint16         `json:"priority"`
	Name      names.Host     `json:"name"`
	Addresses []netip.Addr   `json:"addresses,omitempty"`
	ALPN      []names.Token  `json:"alpn,omitempty"`
	Port      uint16         `json:"port,omitempty"`
	DoHPath   names.Template `json:"dohpath,omitzero"`
}

type fqdn struct {
	Flags   uint8      `json:"flags"`
	RCode1  uint8      `json:"rcode1,omitempty"`
	RCode2  uint8      `json:"rcode2,omitempty"`
	Name    names.Host `json:"name,omitzero"`
	Partial bool       `json:"partial,omitempty"`
}

type vendor struct {
	Enterprise uint32      `json:"enterprise"`
	Options    []suboption `json:"options,omitempty"`
}

type suboption struct {
	Code  uint8  `json:"code"`
	Value octets `json:"value"`
}

func encodeExtras(e *dhcp4.Extras) *extras {
	if e == nil {
		return nil
	}
	f := &extras{
		Servers: e.Servers, Texts: e.Texts,
		Zone: e.Zone, POSIXZone: e.POSIXZone, SIPDomains: e.SIPDomains, SIPServers: e.SIPServers, FQDN: (*fqdn)(e.FQDN),
	}
	if e.HasOffset {
		offset := duration(e.Offset)
		f.Offset = &offset
	}
	for _, r := range e.Resolvers {
		f.Resolvers = append(f.Resolvers, resolver(r))
	}
	for _, v := range e.Vendors {
		to := vendor{Enterprise: v.Enterprise}
		for _, o := range v.Options {
			to.Options = append(to.Options, suboption{o.Code, o.Value})
		}
		f.Vendors = append(f.Vendors, to)
	}
	for _, o := range e.Other {
		if f.Other == nil {
			f.Other = make(map[uint8]octets, len(e.Other))
		}
		f.Other[uint8(o.Code)] = o.Value
	}
	return f
}

func (f *extras) decode() *dhcp4.Extras {
	if f == nil {
		return nil
	}
	e := &dhcp4.Extras{
		Servers: f.Servers, Texts: f.Texts,
		Zone: f.Zone, POSIXZone: f.POSIXZone, SIPDomains: f.SIPDomains, SIPServers: f.SIPServers, FQDN: (*wire.FQDN)(f.FQDN),
	}
	if f.Offset != nil {
		e.Offset, e.HasOffset = time.Duration(*f.Offset), true
	}
	for _, r := range f.Resolvers {
		e.Resolvers = append(e.Resolvers, wire.Resolver(r))
	}
	for _, v := range f.Vendors {
		to := wire.VendorOptions{Enterprise: v.Enterprise}
		for _, o := range v.Options {
			to.Options = append(to.Options, wire.SubOption{Code: o.Code, Value: o.Value})
		}
		e.Vendors = append(e.Vendors, to)
	}
	for code := range 256 {
		if v, ok := f.Other[uint8(code)]; ok {
			e.Other = append(e.Other, dhcp4.Option{Code: wire.OptionCode(code), Value: v})
		}
	}
	return e
}

// check returns an error if a field has a value that a record never has. Names
// and URLs were checked when they were read.
func (f *extras) check() error {
	if f == nil {
		return nil
	}
	switch {
	case f.Offset != nil && (time.Duration(*f.Offset)%time.Second != 0 || time.Duration(*f.Offset).Abs() > 24*time.Hour):
		return invalid("utc_offset")
	case len(f.SIPServers) > maxList || !all4(f.SIPServers):
		return invalid("sip_servers")
	case len(f.SIPDomains) > maxList || !allNamed(f.SIPDomains):
		return invalid("sip_domains")
	case len(f.Resolvers) > wire.MaxResolvers:
		return invalid("resolvers")
	case len(f.Vendors) > maxList:
		return invalid("vendors")
	}
	for _, row := range option.All() {
		if row.AddrsField == nil {
			continue
		}
		if list := *row.AddrsField(&f.Servers); len(list) > maxList || !all4(list) {
			return invalid(row.Record)
		}
	}
	for _, r := range f.Resolvers {
		if r.Name.IsZero() || len(r.Addresses) > maxList || !all4(r.Addresses) || len(r.ALPN) > maxList || !allNamed(r.ALPN) {
			return invalid("resolvers")
		}
	}
	for _, v := range f.Vendors {
		if len(v.Options) > maxList {
			return invalid("vendors")
		}
	}
	return nil
}

// allNamed reports whether each of the list has a value.
func allNamed[T interface{ IsZero() bool }](list []T) bool {
	for _, v := range list {
		if v.IsZero() {
			return false
		}
	}
	return true
}
