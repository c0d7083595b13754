package dhcp4

import (
	"errors"
	"net/netip"

	"github.com/lessee/lessee/names"
)

// What the first byte of option 120 says (RFC 3361 section 3).
const (
	sipDomains   = 0
	sipAddresses = 1
)

// ParseSIPServers decodes the value of option 120 (RFC 3361): SIP outbound
// proxies, as domain names or as addresses, in the server's order. One of the
// lists is nil. The names may be compressed as in option 119, counted from the
// first name. The error is an [*Error].
func ParseSIPServers(value []byte) (domains []names.Domain, addrs []netip.Addr, err error) {
	if len(value) < 2 {
		return nil, nil, &Error{ReasonValueTruncated, len(value)}
	}
	list := value[1:]
	switch value[0] {
	case sipDomains:
		domains, err = ParseDomainSearch(list)
		if e := (*Error)(nil); errors.As(err, &e) {
			return nil, nil, &Error{e.Reason, e.Offset + 1}
		}
		return domains, nil, nil
	case sipAddresses:
		if len(list)%4 != 0 {
			return nil, nil, &Error{ReasonValueLength, 1}
		}
		for ; len(list) > 0; list = list[4:] {
			addrs = append(addrs, netip.AddrFrom4([4]byte(list)))
		}
		return nil, addrs, nil
	default:
		return nil, nil, &Error{ReasonBadEncoding, 0}
	}
}
