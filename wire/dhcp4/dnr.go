package dhcp4

import (
	"encoding/binary"
	"net/netip"

	"github.com/lessee/lessee/names"
)

// The service parameters that option 162 may have (RFC 9460 section 14.3.2,
// RFC 9461).
const (
	svcMandatory = 0
	svcALPN      = 1
	svcNoDefault = 2
	svcPort      = 3
	svcDoHPath   = 7
)

// A Resolver is an encrypted DNS resolver, as option 162 names it (RFC 9463).
type Resolver struct {
	// Priority orders resolvers: the lowest is tried first.
	Priority uint16
	// Name is the authentication domain name, which the resolver's certificate
	// has to be for.
	Name names.Host
	// Addresses are the resolver's; none where only the name was told:
	// it has to be resolved (section 3.1.6).
	Addresses []netip.Addr
	// ALPN are the protocols, such as dot, doq and h2; none where not told.
	ALPN []names.Token
	// Port is 0 for the protocol's own.
	Port uint16
	// DoHPath is where DNS over HTTPS is served; none where not told.
	DoHPath names.Template
}

const (
	// dnrFixed is the length of priority and length of the name.
	dnrFixed = 3
	// MaxResolvers bounds the list of [ParseDNR]; what follows is left out.
	MaxResolvers = 16
	// svcHeader is the length of a parameter's key and length.
	svcHeader = 4
)

// ParseDNR decodes the value of option 162. Resolvers that a client must not
// use are left out: with a malformed name, address or parameter, or with a
// mandatory parameter that is not known here (RFC 9463 section 5.2, RFC 9460
// section 8). Where the lengths do not fit, none is returned; the error is an
// [*Error].
func ParseDNR(value []byte) ([]Resolver, error) {
	if len(value) == 0 {
		return nil, &Error{ReasonValueTruncated, 0}
	}
	var list []Resolver
	for i := 0; i < len(value); {
		from := i + 2
		if from > len(value) {
			return nil, &Error{ReasonValueTruncated, i}
		}
		to := from + int(binary.BigEndian.Uint16(value[i:]))
		if to > len(value) {
			return nil, &Error{ReasonValueTruncated, i}
		}
		if r, ok := parseResolver(value[from:to]); ok && len(list) < MaxResolvers {
			list = append(list, r)
		}
		i = to
	}
	return list, nil
}

func parseResolver(b []byte) (r Resolver, ok bool) {
	if len(b) < dnrFixed || len(b) < dnrFixed+int(b[2]) {
		return r, false
	}
	r.Priority = binary.BigEndian.Uint16(b)
	name := b[dnrFixed : dnrFixed+int(b[2])]
	rest := b[len(name)+dnrFixed:]
	text, next, err := parseName(name, 0, false)
	if err != nil || next != len(name) {
		return r, false
	}
	if r.Name, err = names.ParseHost(text); err != nil {
		return r, false
	}
	if len(rest) == 0 {
		return r, true // the name is all
	}
	n := int(rest[0])
	if n == 0 || n%4 != 0 || 1+n > len(rest) {
		return r, false
	}
	for a := rest[1 : 1+n]; len(a) > 0; a = a[4:] {
		addr := netip.AddrFrom4([4]byte(a))
		// RFC 9463, section 5.2: a client discards multicast and loopback addresses.
		if !addr.IsUnspecified() && !addr.IsMulticast() && !addr.IsLoopback() {
			r.Addresses = append(r.Addresses, addr)
		}
	}
	return r, len(r.Addresses) > 0 && r.parseParams(rest[1+n:])
}

// parseParams decodes service parameters: key, length, value, with keys in
// strictly increasing order (RFC 9460 section 2.2).
func (r *Resolver) parseParams(b []byte) bool {
	last := -1
	for len(b) > 0 {
		if len(b) < svcHeader {
			return false
		}
		key, n := int(binary.BigEndian.Uint16(b)), int(binary.BigEndian.Uint16(b[2:]))
		if key <= last || svcHeader+n > len(b) || !r.parseParam(key, b[svcHeader:svcHeader+n]) {
			return false
		}
		last, b = key, b[svcHeader+n:]
	}
	return true
}

func (r *Resolver) parseParam(key int, v []byte) bool {
	var err error
	switch key {
	case svcMandatory:
		if len(v) == 0 || len(v)%2 != 0 {
			return false
		}
		for ; len(v) > 0; v = v[2:] {
			switch binary.BigEndian.Uint16(v) {
			case svcALPN, svcNoDefault, svcPort, svcDoHPath:
			default:
				return false
			}
		}
	case svcALPN:
		if len(v) == 0 {
			return false
		}
		for len(v) > 0 {
			n := int(v[0])
			if n == 0 || 1+n > len(v) {
				return false
			}
			id, err := names.ParseToken(string(v[1 : 1+n]))
			if err != nil {
				return false
			}
			r.ALPN = append(r.ALPN, id)
			v = v[1+n:]
		}
	case svcPort:
		if len(v) != 2 {
			return false
		}
		r.Port = binary.BigEndian.Uint16(v)
		return r.Port != 0
	case svcDoHPath:
		r.DoHPath, err = names.ParseTemplate(string(v))
		return err == nil
	}
	return true
}

// AppendDNR appends the value of option 162 to dst. Resolvers without a name are
// left out; so are addresses that are not IPv4, and where there is none, the
// parameters.
func AppendDNR(dst []byte, resolvers ...Resolver) []byte {
	for _, r := range resolvers {
		if r.Name.IsZero() {
			continue
		}
		start := len(dst)
		dst = append(dst, 0, 0)
		dst = binary.BigEndian.AppendUint16(dst, r.Priority)
		dst = append(dst, byte(len(r.Name.String())+2))
		dst = append(appendLabels(dst, r.Name.String()), 0)
		var addrs []byte
		for _, a := range r.Addresses {
			if v := as4(a); a.Unmap().Is4() && len(addrs)+4 <= maxPiece {
				addrs = append(addrs, v[:]...)
			}
		}
		if len(addrs) > 0 {
			dst = append(append(dst, byte(len(addrs))), addrs...)
			dst = r.appendParams(dst)
		}
		binary.BigEndian.PutUint16(dst[start:], uint16(len(dst)-start-2))
	}
	return dst
}

func (r *Resolver) appendParams(dst []byte) []byte {
	param := func(key uint16, v []byte) {
		dst = binary.BigEndian.AppendUint16(dst, key)
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(v)))
		dst = append(dst, v...)
	}
	var ids []byte
	for _, id := range r.ALPN {
		ids = append(append(ids, byte(len(id.String()))), id.String()...)
	}
	if len(ids) > 0 {
		param(svcALPN, ids)
	}
	if r.Port != 0 {
		param(svcPort, []byte{byte(r.Port >> 8), byte(r.Port)})
	}
	if !r.DoHPath.IsZero() {
		param(svcDoHPath, []byte(r.DoHPath.String()))
	}
	return dst
}
