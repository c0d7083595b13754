package names

// MaxText is the length of the longest [Text].
const MaxText = 255

// A Text is a short text for people: 1 to 255 bytes of printable ASCII without
// the characters ` $ \ " { } | < > and &. In double quotes it stands for itself,
// in a shell as in JSON.
type Text struct{ s string }

// ParseText returns s as a Text. The error is an [*Error].
func ParseText(s string) (Text, error) {
	const kind = "text"
	if s == "" {
		return Text{}, &Error{kind, ReasonEmpty, 0}
	}
	if len(s) > MaxText {
		return Text{}, &Error{kind, ReasonTooLong, MaxText}
	}
	for i := range len(s) {
		if !isPlain(s[i]) {
			return Text{}, &Error{kind, ReasonCharacter, i}
		}
	}
	return Text{s}, nil
}

// CleanText returns as much of s as a [Text] can hold, with '?' for each byte
// that it cannot hold and ' for a double quote; none for an empty s.
func CleanText(s string) Text {
	s = s[:min(len(s), MaxText)]
	for i := range len(s) {
		if isPlain(s[i]) {
			continue
		}
		b := []byte(s)
		for j, c := range b {
			switch {
			case isPlain(c):
			case c == '"':
				b[j] = '\''
			default:
				b[j] = '?'
			}
		}
		return Text{string(b)}
	}
	return Text{s}
}

// String returns the text; "" for none.
func (t Text) String() string { return t.s }

// IsZero reports whether t is none.
func (t Text) IsZero() bool { return t.s == "" }

// MarshalText returns the text.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.s), nil }

// UnmarshalText sets t to what [ParseText] makes of text, none if it is empty.
func (t *Text) UnmarshalText(text []byte) error { return unmarshal(t, text, ParseText) }

func isPlain(c byte) bool {
	switch c {
	case '`', '$', '\\', '"', '{', '}', '|', '<', '>', '&':
		return false
	}
	return c >= ' ' && c < 0x7f
}
