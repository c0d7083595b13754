package dhcp4

import (
	"fmt"

	"github.com/lessee/lessee/names"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// A Profile is what a client tells servers beside its identity, in every
// DISCOVER, REQUEST and INFORM. Many clients may share one; it must not be
// changed once it was given to [New].
type Profile struct {
	// FQDN is the name that servers are to know the host by (option 81, RFC
	// 4702); without a dot it is a host name whose domain the server adds. It
	// is sent instead of Config.HostName. Update says who is to put it into DNS.
	FQDN   names.Host
	Update FQDNUpdate
	// VendorClass is option 60, at most 255 bytes.
	VendorClass string
	// UserClasses are option 77 (RFC 3004), each of 1 to 255 bytes.
	UserClasses []string
	// VendorClasses are option 124 and VendorOptions option 125 (RFC 3925), each
	// with at most 255 bytes of data.
	VendorClasses []wire.VendorClass
	VendorOptions []wire.VendorOptions
	// Send are further options, in this order. Those that the client itself is
	// responsible for are refused: see [Sendable].
	Send []Option
}

// An FQDNUpdate says who is to put a client's name into DNS.
type FQDNUpdate uint8

// Who updates DNS (RFC 4702 section 3).
const (
	// FQDNByServer: the server updates both directions.
	FQDNByServer FQDNUpdate = iota
	// FQDNByClient: the host itself updates the address of its name; the server
	// updates the name of the address. The update is not this package's to make.
	FQDNByClient
	// FQDNByNobody: the server is to leave DNS alone.
	FQDNByNobody
)

// Sendable says why an option cannot be among [Profile].Send: the client writes
// it itself, or it has a setting of its own. The error is nil if it can.
func Sendable(code wire.OptionCode) error {
	switch code {
	case wire.OptionPad, wire.OptionEnd:
		return fmt.Errorf("option %d has no value", code)
	case wire.OptionRequestedAddress, wire.OptionLeaseTime, wire.OptionOverload, wire.OptionMessageType,
		wire.OptionServerID, wire.OptionParameterList, wire.OptionMaxMessageSize, wire.OptionT1, wire.OptionT2,
		wire.OptionRelayAgent, wire.OptionAuthentication:
		return fmt.Errorf("option %d (%v) is the protocol's own", code, code)
	case wire.OptionHostName, wire.OptionVendorClass, wire.OptionClientID, wire.OptionUserClass,
		wire.OptionRapidCommit, wire.OptionClientFQDN, wire.OptionIPv6OnlyPreferred, wire.OptionAutoConfigure,
		wire.OptionVIVendorClass, wire.OptionVIVendorOptions, wire.OptionForceRenewNonce:
		return fmt.Errorf("option %d (%v) has a setting of its own", code, code)
	default:
		return nil
	}
}

// maxProfile is how many bytes of options a profile may add: with the rest they
// still fit a frame.
const maxProfile = 800

func (p *Profile) check() error {
	if n := len(p.VendorClass); n > maxOption {
		return fmt.Errorf("vendor class of %d bytes: it must have %d at most", n, maxOption)
	}
	for _, u := range p.UserClasses {
		if len(u) == 0 || len(u) > maxOption {
			return fmt.Errorf("user class of %d bytes: it must have 1 to %d", len(u), maxOption)
		}
	}
	for _, v := range p.VendorClasses {
		if len(v.Data) > maxOption {
			return fmt.Errorf("vendor class of enterprise %d with %d bytes: it must have %d at most", v.Enterprise, len(v.Data), maxOption)
		}
	}
	for _, v := range p.VendorOptions {
		n := 0
		for _, o := range v.Options {
			n += 2 + len(o.Value)
		}
		if n > maxOption {
			return fmt.Errorf("options of enterprise %d with %d bytes: they must have %d at most", v.Enterprise, n, maxOption)
		}
	}
	for _, o := range p.Send {
		if err := Sendable(o.Code); err != nil {
			return err
		}
	}
	b := wire.NewBuilder(wire.OpRequest, 1, nil, 0)
	p.addTo(b)
	if n := len(b.Bytes()) - emptyMessage; n > maxProfile {
		return fmt.Errorf("options of %d bytes: they must have %d at most", n, maxProfile)
	}
	return nil
}

// emptyMessage is the length of a message without options, END included.
const emptyMessage = 241

// addTo adds the profile's options.
func (p *Profile) addTo(b *wire.Builder) {
	if !p.FQDN.IsZero() {
		b.AddOption(wire.OptionClientFQDN, p.fqdn())
	}
	if p.VendorClass != "" {
		b.AddText(wire.OptionVendorClass, p.VendorClass)
	}
	if len(p.UserClasses) > 0 {
		var v []byte
		for _, u := range p.UserClasses {
			v = wire.AppendUserClass(v, []byte(u))
		}
		b.AddOption(wire.OptionUserClass, v)
	}
	if len(p.VendorClasses) > 0 {
		b.AddOption(wire.OptionVIVendorClass, wire.AppendVendorClasses(nil, p.VendorClasses...))
	}
	if len(p.VendorOptions) > 0 {
		b.AddOption(wire.OptionVIVendorOptions, wire.AppendVendorOptions(nil, p.VendorOptions...))
	}
	for _, o := range p.Send {
		b.AddOption(o.Code, o.Value)
	}
}

// fqdn returns the value of option 81.
//
// RFC 4702, section 2.1: of the O bit, "A client MUST set this bit to 0"; where
// the N bit is 1 the S bit must be 0; E says that the name is in the canonical
// wire format, which clients should use. Section 2.3: a name that is known in
// part only has no final zero-length label.
func (p *Profile) fqdn() []byte {
	f := wire.FQDN{Flags: wire.FQDNEncoded, Name: p.FQDN, Partial: !p.FQDN.Qualified()}
	switch p.Update {
	case FQDNByServer:
		f.Flags |= wire.FQDNServer
	case FQDNByClient:
	case FQDNByNobody:
		f.Flags |= wire.FQDNNoUpdate
	}
	return f.Append(nil)
}
