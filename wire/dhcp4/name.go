package dhcp4

import "github.com/lessee/lessee/names"

const (
	// maxName is the longest name on the wire: lengths, labels, final zero (RFC 1035 section 3.1).
	maxName = 255

	// MaxSearchLength bounds the search list of [ParseDomainSearch]: the bytes
	// of all names as text, with one separator each. Compression lets a short
	// option stand for a very long list.
	MaxSearchLength = 4096
)

// ParseDomainSearch decodes the value of option 119, the domain search list
// (RFC 3397), in the server's order and without final dots. Compression
// pointers (RFC 1035 section 4.1.4) count from the start of the joined value
// and must point to an earlier place, which makes loops impossible. If one name
// is malformed no list is returned. The error is an [*Error].
func ParseDomainSearch(value []byte) ([]names.Domain, error) {
	if len(value) == 0 {
		return nil, &Error{ReasonNameTruncated, 0}
	}
	var (
		list  []names.Domain
		total int
	)
	for i := 0; i < len(value); {
		name, next, err := parseDomain(value, i)
		if err != nil {
			return nil, err
		}
		if total += len(name.String()) + 1; total > MaxSearchLength {
			return nil, &Error{ReasonSearchTooLong, i}
		}
		list = append(list, name)
		i = next
	}
	return list, nil
}

// parseDomain decodes the name at value[at:] and returns where the next begins.
func parseDomain(value []byte, at int) (names.Domain, int, error) {
	text, next, err := parseName(value, at, false)
	if err != nil {
		return names.Domain{}, 0, err
	}
	d, err := names.ParseDomain(text)
	if err != nil {
		return names.Domain{}, 0, &Error{ReasonBadName, at}
	}
	return d, next, nil
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
			target := (size&names.MaxLabel)<<8 | int(value[i+1])
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
