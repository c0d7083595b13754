package dhcp4

import "net/netip"

// A Route is a classless static route (RFC 3442).
type Route struct {
	// Destination has no host bits set; 0.0.0.0/0 is the default route.
	Destination netip.Prefix
	// Router is 0.0.0.0 for a destination that is on the link itself.
	Router netip.Addr
}

// ParseClasslessRoutes decodes the value of option 121 (or 249) in the server's
// order. Host bits of a destination are cleared. Where the value is malformed
// no route is returned, since half a routing table is worse than none; the
// error is an [*Error]. A destination is its prefix length, 0 to 32, and then
// only the octets that the prefix reaches into.
func ParseClasslessRoutes(value []byte) ([]Route, error) {
	if len(value) == 0 {
		return nil, &Error{ReasonRouteTruncated, 0}
	}
	// A route takes 5 to 9 bytes.
	routes := make([]Route, 0, len(value)/5)
	for i := 0; i < len(value); {
		bits := int(value[i])
		if bits > 32 {
			return nil, &Error{ReasonRouteWidth, i}
		}
		octets := (bits + 7) / 8
		next := i + 1 + octets + 4
		if next > len(value) {
			return nil, &Error{ReasonRouteTruncated, i}
		}
		var dst [4]byte
		copy(dst[:], value[i+1:i+1+octets])
		routes = append(routes, Route{
			Destination: netip.PrefixFrom(netip.AddrFrom4(dst), bits).Masked(),
			Router:      netip.AddrFrom4([4]byte(value[next-4 : next])),
		})
		i = next
	}
	return routes, nil
}

// AppendClasslessRoutes appends the value of option 121 to dst. Routes whose
// destination is not an IPv4 prefix are left out; a router that is not an IPv4
// address is written as 0.0.0.0.
func AppendClasslessRoutes(dst []byte, routes ...Route) []byte {
	for _, r := range routes {
		if !r.Destination.IsValid() || !r.Destination.Addr().Is4() {
			continue
		}
		bits := r.Destination.Bits()
		a, via := r.Destination.Masked().Addr().As4(), as4(r.Router)
		dst = append(dst, byte(bits))
		dst = append(dst, a[:(bits+7)/8]...)
		dst = append(dst, via[:]...)
	}
	return dst
}

// MaskBits returns the length of the prefix that a subnet mask (option 1)
// stands for, 0 to 32; false if its ones are not contiguous or it is not IPv4.
func MaskBits(mask netip.Addr) (bits int, ok bool) {
	if !mask.Unmap().Is4() {
		return 0, false
	}
	v := as4(mask)
	m := uint32(v[0])<<24 | uint32(v[1])<<16 | uint32(v[2])<<8 | uint32(v[3])
	for m<<bits>>31 == 1 && bits < 32 {
		bits++
	}
	return bits, m<<bits == 0
}
