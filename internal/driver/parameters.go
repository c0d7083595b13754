package driver

import (
	"encoding/hex"
	"time"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/dhcp4"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// parameters puts what few leases have into the form of the API.
func parameters(e *dhcp4.Extras) lessee.Parameters {
	p := lessee.Parameters{Texts: e.Texts}
	if !e.Zone.IsZero() || !e.POSIXZone.IsZero() || e.HasOffset {
		p.TimeZone = &lessee.TimeZone{Name: e.Zone, POSIX: e.POSIXZone}
		if e.HasOffset {
			seconds := int(e.Offset / time.Second)
			p.TimeZone.Offset = &seconds
		}
	}
	if len(e.SIPDomains) > 0 || len(e.SIPServers) > 0 {
		p.SIP = &lessee.SIP{Domains: e.SIPDomains, Servers: e.SIPServers}
	}
	for _, r := range e.Resolvers {
		p.DNR = append(p.DNR, lessee.EncryptedDNS(r))
	}
	if f := e.FQDN; f != nil {
		p.FQDN = &lessee.FQDN{
			Name:          f.Name,
			Partial:       f.Partial,
			ServerUpdates: f.Flags&wire.FQDNServer != 0,
			Overridden:    f.Flags&wire.FQDNOverride != 0,
			NoUpdates:     f.Flags&wire.FQDNNoUpdate != 0,
		}
	}
	for _, v := range e.Vendors {
		vendor := lessee.Vendor{Enterprise: v.Enterprise}
		for _, o := range v.Options {
			vendor.Options = append(vendor.Options, lessee.VendorOption{Code: o.Code, Value: hex.EncodeToString(o.Value)})
		}
		p.Vendor = append(p.Vendor, vendor)
	}
	for _, o := range e.Other {
		if p.Options == nil {
			p.Options = make(map[uint8]string, len(e.Other))
		}
		p.Options[uint8(o.Code)] = hex.EncodeToString(o.Value)
	}
	return p
}
