package names

import (
	"net/netip"
	"strconv"
	"strings"
)

// MaxURL is the length of the longest [URL].
const MaxURL = 2048

// A URL is an absolute http or https URL (RFC 3986) of at most 2048 bytes,
// without user name and password. Its host is a host name, an IPv4 address or
// an IPv6 address in brackets. The characters ! $ ' ( ) * ; that RFC 3986 allows
// are refused where they stand for themselves: a URL can do without them (%24
// is a dollar sign), and a shell that reads one cannot. Percent-encoded control
// characters are refused as well.
type URL struct{ s string }

// ParseURL returns s as a URL. The error is an [*Error].
func ParseURL(s string) (URL, error) {
	if s == "" {
		return URL{}, &Error{"URL", ReasonEmpty, 0}
	}
	if len(s) > MaxURL {
		return URL{}, &Error{"URL", ReasonTooLong, MaxURL}
	}
	at := 0
	for _, scheme := range [...]string{"http://", "https://"} {
		if len(s) >= len(scheme) && strings.EqualFold(s[:len(scheme)], scheme) {
			at = len(scheme)
		}
	}
	if at == 0 {
		return URL{}, &Error{"URL", ReasonScheme, 0}
	}
	end := len(s)
	if i := strings.IndexAny(s[at:], "/?#"); i >= 0 {
		end = at + i
	}
	if r, i := checkAuthority(s[at:end]); r != 0 {
		return URL{}, &Error{"URL", r, at + i}
	}
	if r, i := checkResource(s[end:]); r != 0 {
		return URL{}, &Error{"URL", r, end + i}
	}
	return URL{s}, nil
}

// String returns the URL; "" for none.
func (u URL) String() string { return u.s }

// IsZero reports whether u is none.
func (u URL) IsZero() bool { return u.s == "" }

// MarshalText returns the URL.
func (u URL) MarshalText() ([]byte, error) { return []byte(u.s), nil }

// UnmarshalText sets u to what [ParseURL] makes of text, none if it is empty.
func (u *URL) UnmarshalText(text []byte) error { return unmarshal(u, text, ParseURL) }

// checkAuthority checks host and port (RFC 3986 section 3.2).
func checkAuthority(s string) (Reason, int) {
	if i := strings.IndexByte(s, '@'); i >= 0 {
		return ReasonUserinfo, i
	}
	var (
		host, port string
		found      bool
	)
	if strings.HasPrefix(s, "[") {
		inside, rest, closed := strings.Cut(s[1:], "]")
		a, err := netip.ParseAddr(inside)
		if !closed || err != nil || !a.Is6() || a.Zone() != "" {
			return ReasonHost, 0
		}
		if port, found = strings.CutPrefix(rest, ":"); !found && rest != "" {
			return ReasonHost, len(s) - len(rest)
		}
	} else {
		host, port, found = strings.Cut(s, ":")
		if a, err := netip.ParseAddr(host); err != nil || !a.Is4() {
			if checkName("", host, false) != nil {
				return ReasonHost, 0
			}
		}
	}
	if found {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 || !isDigit(port[0]) {
			return ReasonPort, len(s) - len(port)
		}
	}
	return 0, 0
}

// checkResource checks path, query and fragment (RFC 3986 sections 3.3 to 3.5).
func checkResource(s string) (Reason, int) {
	fragment := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case isLetter(c), isDigit(c), strings.IndexByte("-._~&+,=:@/?", c) >= 0:
		case c == '#' && !fragment:
			fragment = true
		case c == '%':
			if i+2 >= len(s) {
				return ReasonEscape, i
			}
			v, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
			if err != nil || !isHex(s[i+1]) || v < ' ' || v == 0x7f {
				return ReasonEscape, i
			}
			i += 2
		default:
			return ReasonCharacter, i
		}
	}
	return 0, 0
}

func isHex(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }
