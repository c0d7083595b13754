package dhcp4

import (
	"strings"

	"github.com/lessee/lessee/names"
)

// The flags of option 81 (RFC 4702 section 2.1).
const (
	// FQDNServer (S): the server is to update the A record, or has done so.
	FQDNServer uint8 = 1 << iota
	// FQDNOverride (O): the server did not do as the client's S said. A client
	// sends it as zero.
	FQDNOverride
	// FQDNEncoded (E): the name is in the canonical wire format, not in the
	// deprecated ASCII encoding.
	FQDNEncoded
	// FQDNNoUpdate (N): the server is to make no update at all; S is then clear.
	FQDNNoUpdate
)

// fqdnHeader is the length of flags and result codes.
const fqdnHeader = 3

// An FQDN is the value of option 81, the client's fully qualified domain name
// (RFC 4702).
type FQDN struct {
	// Flags are FQDNServer and the like.
	Flags uint8
	// RCode1 and RCode2 are outdated result codes: a client sends 0, a server
	// 255, and nobody reads them (section 2.2).
	RCode1, RCode2 uint8
	// Name is none where the sender knows no name.
	Name names.Host
	// Partial says that Name is not fully qualified: the server adds the domain.
	Partial bool
}

// Append appends the option's value to dst: flags, result codes and the name in
// the encoding that FQDNEncoded chooses. In the canonical wire format a partial
// name has no final zero (RFC 4702 section 2.3). In the ASCII encoding a full
// name of one label gets a final dot; a partial name of several labels cannot
// be told from a full one.
func (f FQDN) Append(dst []byte) []byte {
	dst = append(dst, f.Flags, f.RCode1, f.RCode2)
	if f.Name.IsZero() {
		return dst
	}
	if f.Flags&FQDNEncoded != 0 {
		dst = appendLabels(dst, f.Name.String())
		if !f.Partial {
			dst = append(dst, 0)
		}
		return dst
	}
	dst = append(dst, f.Name.String()...)
	if !f.Partial && !f.Name.Qualified() {
		dst = append(dst, '.')
	}
	return dst
}

// ParseFQDN decodes the value of option 81. Flags that RFC 4702 does not define
// are kept but mean nothing. A name without a final zero is Partial; in the
// ASCII encoding one without any dot is. The error is an [*Error].
func ParseFQDN(value []byte) (FQDN, error) {
	if len(value) < fqdnHeader {
		return FQDN{}, &Error{ReasonValueTruncated, len(value)}
	}
	f := FQDN{Flags: value[0], RCode1: value[1], RCode2: value[2]}
	text, partial, err := f.text(value)
	if err != nil || text == "" {
		return f, err
	}
	name, err := names.ParseHost(text)
	if err != nil {
		return FQDN{}, &Error{ReasonBadName, fqdnHeader}
	}
	f.Name, f.Partial = name, partial
	return f, nil
}

// text returns the name of a value in either encoding.
func (f FQDN) text(value []byte) (text string, partial bool, err error) {
	field := value[fqdnHeader:]
	if f.Flags&FQDNEncoded == 0 {
		// Some servers end the text in a zero byte.
		s := strings.TrimRight(string(field), "\x00")
		if full, ok := strings.CutSuffix(s, "."); ok {
			return full, false, nil
		}
		return s, !strings.Contains(s, "."), nil
	}
	if len(field) == 0 {
		return "", false, nil
	}
	// There is no earlier name that a compression pointer could mean.
	text, next, err := parseName(field, 0, true)
	if err != nil {
		return "", false, &Error{reasonOf(err), fqdnHeader}
	}
	if next != len(field) {
		return "", false, &Error{ReasonValueLength, fqdnHeader + next}
	}
	return text, text != "" && field[len(field)-1] != 0, nil
}

// appendLabels appends a name's labels with their lengths, without the final
// zero (RFC 1035 section 3.1).
func appendLabels(dst []byte, name string) []byte {
	for label := range strings.SplitSeq(name, ".") {
		dst = append(dst, byte(len(label)))
		dst = append(dst, label...)
	}
	return dst
}

// AppendName appends a domain name in wire format, with its final zero and
// without compression (RFC 1035 section 3.1). None is the root: a single zero.
func AppendName(dst []byte, d names.Domain) []byte {
	if !d.IsZero() {
		dst = appendLabels(dst, d.String())
	}
	return append(dst, 0)
}
