package names

import "strings"

const (
	// MaxToken is the length of the longest [Token].
	MaxToken = 64
	// MaxTemplate is the length of the longest [Template].
	MaxTemplate = 255
)

// A Token is a protocol's identifier in a registry, such as the ALPN
// identifiers h2, dot and http/1.1 (RFC 7301): 1 to 64 letters, digits and the
// characters - . _ / +, beginning with a letter or digit and without "..".
type Token struct{ s string }

// ParseToken returns s as a Token. The error is an [*Error].
func ParseToken(s string) (Token, error) {
	const kind = "token"
	if s == "" {
		return Token{}, &Error{kind, ReasonEmpty, 0}
	}
	if len(s) > MaxToken {
		return Token{}, &Error{kind, ReasonTooLong, MaxToken}
	}
	for i := range len(s) {
		c := s[i]
		if !isLetter(c) && !isDigit(c) && (i == 0 || strings.IndexByte("-._/+", c) < 0) {
			return Token{}, &Error{kind, ReasonCharacter, i}
		}
	}
	if i := strings.Index(s, ".."); i >= 0 {
		return Token{}, &Error{kind, ReasonForm, i}
	}
	return Token{s}, nil
}

// String returns the identifier; "" for none.
func (t Token) String() string { return t.s }

// IsZero reports whether t is none.
func (t Token) IsZero() bool { return t.s == "" }

// MarshalText returns the identifier.
func (t Token) MarshalText() ([]byte, error) { return []byte(t.s), nil }

// UnmarshalText sets t to what [ParseToken] makes of text, none if it is empty.
func (t *Token) UnmarshalText(text []byte) error { return unmarshal(t, text, ParseToken) }

// A Template is a URI template for DNS over HTTPS, relative to the resolver,
// such as /dns-query{?dns} (RFC 9461 section 5, RFC 6570): an absolute path of
// at most 255 bytes with the characters of a [URL], and with expressions in
// braces, one of which has the variable dns. It does not begin with "//", which
// would name another host.
type Template struct{ s string }

// ParseTemplate returns s as a Template. The error is an [*Error].
func ParseTemplate(s string) (Template, error) {
	const kind = "URI template"
	if len(s) > MaxTemplate {
		return Template{}, &Error{kind, ReasonTooLong, MaxTemplate}
	}
	if !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") {
		return Template{}, &Error{kind, ReasonForm, 0}
	}
	dns := false
	for at := 0; at < len(s); {
		literal, rest, found := strings.Cut(s[at:], "{")
		if r, i := checkResource(literal); r != 0 {
			return Template{}, &Error{kind, r, at + i}
		}
		if i := strings.IndexByte(literal, '#'); i >= 0 {
			return Template{}, &Error{kind, ReasonCharacter, at + i}
		}
		if !found {
			break
		}
		at += len(literal)
		expression, _, closed := strings.Cut(rest, "}")
		if !closed {
			return Template{}, &Error{kind, ReasonForm, at}
		}
		list, ok := variables(expression)
		if !ok {
			return Template{}, &Error{kind, ReasonForm, at}
		}
		for v := range strings.SplitSeq(list, ",") {
			dns = dns || v == "dns"
		}
		at += len(expression) + 2
	}
	if !dns {
		return Template{}, &Error{kind, ReasonForm, len(s)}
	}
	return Template{s}, nil
}

// variables returns the variables of an expression (RFC 6570 section 2.2),
// without its operator; false if one has a character that it cannot have.
func variables(expression string) (string, bool) {
	list := strings.TrimLeft(expression, "?&/+")
	if len(expression)-len(list) > 1 {
		return "", false
	}
	for v := range strings.SplitSeq(list, ",") {
		if v == "" {
			return "", false
		}
		for i := range len(v) {
			if !isLetter(v[i]) && !isDigit(v[i]) && v[i] != '_' {
				return "", false
			}
		}
	}
	return list, true
}

// String returns the template; "" for none.
func (t Template) String() string { return t.s }

// IsZero reports whether t is none.
func (t Template) IsZero() bool { return t.s == "" }

// MarshalText returns the template.
func (t Template) MarshalText() ([]byte, error) { return []byte(t.s), nil }

// UnmarshalText sets t to what [ParseTemplate] makes of text, none if it is empty.
func (t *Template) UnmarshalText(text []byte) error { return unmarshal(t, text, ParseTemplate) }
