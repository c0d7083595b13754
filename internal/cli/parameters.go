package cli

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/internal/option"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// option is the label of an option, as the table has it.
func (s speaker) option(code wire.OptionCode) string { return s.Text(option.Of(uint8(code)).Label) }

// parameters lists what few leases have.
func (s speaker) parameters(p lessee.Parameters, add func(key, value string)) {
	if z := p.TimeZone; z != nil {
		add(s.option(wire.OptionTZDatabase), z.Name.String())
		add(s.option(wire.OptionTZDatabase), z.POSIX.String())
		if z.Offset != nil {
			add(s.option(wire.OptionTZDatabase), utcOffset(*z.Offset))
		}
	}
	if p.SIP != nil {
		add(s.option(wire.OptionSIPServers), cmp.Or(list(p.SIP.Domains), list(p.SIP.Servers)))
	}
	if p.NoCaptivePortal {
		add(s.option(wire.OptionCaptivePortal), s.Text("none"))
	}
	for code, row := range option.All() {
		if row.TextField != nil {
			add(s.option(wire.OptionCode(code)), row.TextField(&p.Texts).String())
		}
	}
	for _, r := range p.DNR {
		add(s.option(wire.OptionDNR), encryptedDNS(r))
	}
	if p.FQDN != nil {
		add(s.option(wire.OptionClientFQDN), s.fqdn(*p.FQDN))
	}
	for _, v := range p.Vendor {
		for _, o := range v.Options {
			add(s.option(wire.OptionVIVendorOptions), strings.TrimSuffix(fmt.Sprintf("%d/%d: %s", v.Enterprise, o.Code, o.Value), ": "))
		}
	}
	for _, code := range slices.Sorted(maps.Keys(p.Options)) {
		add(s.Text("option"), strings.TrimSuffix(fmt.Sprintf("%d: %s", code, p.Options[code]), ": "))
	}
}

// utcOffset writes an offset such as UTC+05:30.
func utcOffset(seconds int) string {
	sign := '+'
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	text := fmt.Sprintf("UTC%c%02d:%02d", sign, seconds/3600, seconds/60%60)
	if seconds%60 != 0 {
		text += fmt.Sprintf(":%02d", seconds%60)
	}
	return text
}

// encryptedDNS writes a resolver: its name, addresses, port, protocols and path.
func encryptedDNS(r lessee.EncryptedDNS) string {
	parts := []string{r.Name.String()}
	for _, a := range r.Addresses {
		parts = append(parts, a.String())
	}
	if r.Port != 0 {
		parts = append(parts, ":"+strconv.Itoa(int(r.Port)))
	}
	for _, id := range r.ALPN {
		parts = append(parts, id.String())
	}
	if !r.DoHPath.IsZero() {
		parts = append(parts, r.DoHPath.String())
	}
	return strings.Join(parts, " ")
}

// fqdn writes the host's name and what the server does about it.
func (s speaker) fqdn(f lessee.FQDN) string {
	var who string
	switch {
	case f.NoUpdates:
		who = s.Text("not put into DNS")
	case f.ServerUpdates:
		who = s.Text("put into DNS by the server")
	default:
		who = s.Text("left to this machine to put into DNS")
	}
	if f.Name.IsZero() {
		return who
	}
	return f.Name.String() + ", " + who
}
