package names

import (
	"net/netip"
	"strings"
)

const (
	// MaxName is the length of the longest [Host] and [Domain] as text: 255 bytes
	// on the wire without the first length and the final zero (RFC 1035 section 3.1).
	MaxName = 253
	// MaxLabel is the length of the longest label (RFC 1035 section 2.3.1).
	MaxLabel = 63
)

// A Host is a host name by RFC 1123 section 2.1, with or without a domain: at
// most 253 bytes of labels, each of 1 to 63 letters, digits and hyphens, without
// a hyphen at either end. It is not the text of an IPv4 address.
type Host struct{ s string }

// ParseHost returns s as a Host. The error is an [*Error].
func ParseHost(s string) (Host, error) {
	if err := checkName("host name", s, false); err != nil {
		return Host{}, err
	}
	return Host{s}, nil
}

// String returns the name; "" for none.
func (h Host) String() string { return h.s }

// IsZero reports whether h is none.
func (h Host) IsZero() bool { return h.s == "" }

// Label returns the first label of the name: the host without its domain.
func (h Host) Label() Host {
	label, _, _ := strings.Cut(h.s, ".")
	return Host{label}
}

// Qualified reports whether the name has more than one label.
func (h Host) Qualified() bool { return strings.Contains(h.s, ".") }

// MarshalText returns the name.
func (h Host) MarshalText() ([]byte, error) { return []byte(h.s), nil }

// UnmarshalText sets h to what [ParseHost] makes of text, none if it is empty.
func (h *Host) UnmarshalText(text []byte) error { return unmarshal(h, text, ParseHost) }

// A Domain is a domain name for the resolver: as a [Host], but a label may have
// underscores too, since domains with one are in use. It has no final dot.
type Domain struct{ s string }

// ParseDomain returns s as a Domain; one final dot is dropped. The error is an [*Error].
func ParseDomain(s string) (Domain, error) {
	s = strings.TrimSuffix(s, ".")
	if err := checkName("domain", s, true); err != nil {
		return Domain{}, err
	}
	return Domain{s}, nil
}

// String returns the name; "" for none.
func (d Domain) String() string { return d.s }

// IsZero reports whether d is none.
func (d Domain) IsZero() bool { return d.s == "" }

// Host returns the domain as a host name, false if it has an underscore or is none.
func (d Domain) Host() (Host, bool) {
	if d.s == "" || strings.Contains(d.s, "_") {
		return Host{}, false
	}
	return Host(d), true
}

// MarshalText returns the name.
func (d Domain) MarshalText() ([]byte, error) { return []byte(d.s), nil }

// UnmarshalText sets d to what [ParseDomain] makes of text, none if it is empty.
func (d *Domain) UnmarshalText(text []byte) error { return unmarshal(d, text, ParseDomain) }

func checkName(kind, s string, underscore bool) error {
	if s == "" {
		return &Error{kind, ReasonEmpty, 0}
	}
	if len(s) > MaxName {
		return &Error{kind, ReasonTooLong, MaxName}
	}
	start := 0
	for i := 0; i <= len(s); i++ {
		if i < len(s) && s[i] != '.' {
			switch c := s[i]; {
			case isLetter(c), isDigit(c), c == '-', c == '_' && underscore:
			default:
				return &Error{kind, ReasonCharacter, i}
			}
			continue
		}
		switch n := i - start; {
		case n == 0:
			return &Error{kind, ReasonEmpty, i}
		case n > MaxLabel:
			return &Error{kind, ReasonTooLong, start + MaxLabel}
		case s[start] == '-':
			return &Error{kind, ReasonHyphen, start}
		case s[i-1] == '-':
			return &Error{kind, ReasonHyphen, i - 1}
		}
		start = i + 1
	}
	// RFC 1123, section 2.1: "a valid host name can never have the dotted-decimal
	// form #.#.#.#, since at least the highest-level component label will be
	// alphabetic."
	if isDigit(s[0]) && isDotted(s) {
		return &Error{kind, ReasonAddress, 0}
	}
	return nil
}

// isDotted reports whether s reads as an IPv4 address, to a strict reader
// (10.0.0.1) or to a lenient one (010.0.0.1, 10.0.0.999).
func isDotted(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	return strings.Count(s, ".") == 3 && strings.Trim(s, "0123456789.") == ""
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// unmarshal sets v to what parse makes of text, to its zero value if that is empty.
func unmarshal[T any](v *T, text []byte, parse func(string) (T, error)) error {
	if len(text) == 0 {
		var none T
		*v = none
		return nil
	}
	parsed, err := parse(string(text))
	if err != nil {
		return err
	}
	*v = parsed
	return nil
}
