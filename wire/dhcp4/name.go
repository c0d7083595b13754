package dhcp4

import "strings"

const (
	maxLabel = 63
	// maxName is the longest name on the wire: lengths, labels, final zero (RFC 1035 section 3.1).
	maxName = 255
	// maxNameText is the longest name as text without a final dot.
	maxNameText = maxName - 2

	// MaxSearchLength bounds the search list of [ParseDomainSearch]: the bytes
	// of all names as text, with one separator each. Compression lets a short
	// option stand for a very long list.
	MaxSearchLength = 4096
)

// ParseDomainSearch decodes the value of option 119, the domain search list
// (RFC 3397), in the server's order and without final dots. Compression
// pointers (RFC 1035 section 4.1.4) count from the start of the joined value
// and must point to an earlier place, which makes loops impossible. Each name
// is checked by [ValidDomain]; if one is malformed no list is returned. The
// error is an [*Error].
func ParseDomainSearch(value []byte) ([]string, error) {
	if len(value) == 0 {
		return nil, &Error{ReasonNameTruncated, 0}
	}
	var (
		list  []string
		total int
	)
	for i := 0; i < len(value); {
		name, next, err := parseName(value, i, false)
		if err != nil {
			return nil, err
		}
		if !ValidDomain(name) {
			return nil, &Error{ReasonBadName, i}
		}
		if total += len(name) + 1; total > MaxSearchLength {
			return nil, &Error{ReasonSearchTooLong, i}
		}
		list = append(list, name)
		i = next
	}
	return list, nil
}

// parseName decodes the name at value[at:] and returns where the next begins.
// Where open is true a name may lack its final zero if the value ends there.
func parseName(value []byte, at int, open bool) (name string, next int, err error) {
	var text [maxName]byte
	n := 0
	// lowest is the earliest place read so far: a pointer must go below it.
	lowest := at
	i := at
	for {
		if i >= len(value) {
			if open && i == len(value) && n > 0 {
				return string(text[:n-1]), max(i, next), nil
			}
			return "", 0, &Error{ReasonNameTruncated, at}
		}
		size := int(value[i])
		switch size >> 6 {
		case 0:
			if size == 0 {
				if next == 0 {
					next = i + 1
				}
				return string(text[:max(n-1, 0)]), next, nil
			}
			if i+1+size > len(value) {
				return "", 0, &Error{ReasonNameTruncated, at}
			}
			if n+size+1 > maxName-1 {
				return "", 0, &Error{ReasonNameTooLong, at}
			}
			label := value[i+1 : i+1+size]
			for _, c := range label {
				if c == '.' {
					// A dot inside a label would read as two labels.
					return "", 0, &Error{ReasonBadName, i}
				}
			}
			n += copy(text[n:], label)
			text[n] = '.'
			n++
			i += 1 + size
		case 3:
			if i+2 > len(value) {
				return "", 0, &Error{ReasonNameTruncated, at}
			}
			target := (size&maxLabel)<<8 | int(value[i+1])
			if target >= lowest {
				return "", 0, &Error{ReasonNamePointer, i}
			}
			if next == 0 {
				next = i + 2
			}
			lowest, i = target, target
		default:
			return "", 0, &Error{ReasonNameLabel, i}
		}
	}
}

// ValidDomain reports whether s can be used as a domain name without danger to
// what reads it: 1 to 253 bytes of labels, each of 1 to 63 letters, digits,
// hyphens and underscores, not beginning or ending in a hyphen; one final dot
// is allowed. RFC 1123 section 2.1 has no underscore, but domains with one are in use.
func ValidDomain(s string) bool { return validName(strings.TrimSuffix(s, "."), true) }

// ValidHostName reports whether s is a host name by RFC 1123 section 2.1: as
// for [ValidDomain], but without underscores and final dot.
func ValidHostName(s string) bool { return validName(s, false) }

func validName(s string, underscore bool) bool {
	if s == "" || len(s) > maxNameText {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			switch c := label[i]; {
			case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-':
			case c == '_' && underscore:
			default:
				return false
			}
		}
	}
	return true
}

// Printable returns s with every byte that is not printable ASCII replaced by
// '?': text from the network that is safe to log or to show.
func Printable(s string) string {
	clean := func(c byte) bool { return c >= ' ' && c < 0x7f }
	for i := range len(s) {
		if clean(s[i]) {
			continue
		}
		b := []byte(s)
		for j := range b {
			if !clean(b[j]) {
				b[j] = '?'
			}
		}
		return string(b)
	}
	return s
}
