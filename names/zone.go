package names

const (
	// MaxZone is the length of the longest [Zone].
	MaxZone = 64
	// MaxPOSIXZone is the length of the longest [POSIXZone].
	MaxPOSIXZone = 128

	maxZonePart = 32
	// maxOffset and maxRuleHours are the most hours of an offset and of a
	// rule's time: a day, and by RFC 8536 section 3.3.1 a week.
	maxOffset    = 24
	maxRuleHours = 167
)

// A Zone is the name of a time zone in the TZ database, such as Europe/Paris
// or Etc/GMT+5, of at most 64 bytes: parts of up to 32 letters, digits, '+', '-'
// and '_', each beginning with a letter, between slashes. No part has a dot, so
// that the name leads nowhere but into the directory it is looked up in, and to
// none of the files there that are not zones. Whether the zone exists is not
// checked.
type Zone struct{ s string }

// ParseZone returns s as a Zone. The error is an [*Error].
func ParseZone(s string) (Zone, error) {
	const kind = "time zone"
	if len(s) > MaxZone {
		return Zone{}, &Error{kind, ReasonTooLong, MaxZone}
	}
	start := 0
	for i := 0; i <= len(s); i++ {
		if i == len(s) || s[i] == '/' {
			if i == start {
				return Zone{}, &Error{kind, ReasonEmpty, i}
			}
			if i-start > maxZonePart {
				return Zone{}, &Error{kind, ReasonTooLong, start + maxZonePart}
			}
			start = i + 1
			continue
		}
		switch c := s[i]; {
		case isLetter(c):
		case i > start && (isDigit(c) || c == '+' || c == '-' || c == '_'):
		default:
			return Zone{}, &Error{kind, ReasonCharacter, i}
		}
	}
	return Zone{s}, nil
}

// String returns the name; "" for none.
func (z Zone) String() string { return z.s }

// IsZero reports whether z is none.
func (z Zone) IsZero() bool { return z.s == "" }

// MarshalText returns the name.
func (z Zone) MarshalText() ([]byte, error) { return []byte(z.s), nil }

// UnmarshalText sets z to what [ParseZone] makes of text, none if it is empty.
func (z *Zone) UnmarshalText(text []byte) error { return unmarshal(z, text, ParseZone) }

// A POSIXZone is a time zone as POSIX has it in the variable TZ and RFC 4833 in
// option 100, such as EST5EDT4,M3.2.0/02:00,M11.1.0/02:00, of at most 128
// bytes. The whole grammar is checked, ranges included; the form that begins
// with a colon, which systems read as a file's name, is refused. Names in angle
// brackets are allowed, so a shell must find the value quoted.
type POSIXZone struct{ s string }

// ParsePOSIXZone returns s as a POSIXZone. The error is an [*Error].
func ParsePOSIXZone(s string) (POSIXZone, error) {
	const kind = "POSIX time zone"
	if s == "" {
		return POSIXZone{}, &Error{kind, ReasonEmpty, 0}
	}
	if len(s) > MaxPOSIXZone {
		return POSIXZone{}, &Error{kind, ReasonTooLong, MaxPOSIXZone}
	}
	p := posix{s: s}
	p.zone()
	if p.reason != 0 {
		return POSIXZone{}, &Error{kind, p.reason, p.at}
	}
	return POSIXZone{s}, nil
}

// String returns the zone; "" for none.
func (z POSIXZone) String() string { return z.s }

// IsZero reports whether z is none.
func (z POSIXZone) IsZero() bool { return z.s == "" }

// MarshalText returns the zone.
func (z POSIXZone) MarshalText() ([]byte, error) { return []byte(z.s), nil }

// UnmarshalText sets z to what [ParsePOSIXZone] makes of text, none if it is empty.
func (z *POSIXZone) UnmarshalText(text []byte) error { return unmarshal(z, text, ParsePOSIXZone) }

// A posix reads a zone from left to right (POSIX.1-2017, Base Definitions,
// section 8.3). The first mistake stays; nothing is read after it.
type posix struct {
	s      string
	at     int
	reason Reason
}

func (p *posix) fail(r Reason) {
	if p.reason == 0 {
		p.reason = r
	}
}

func (p *posix) peek() byte {
	if p.reason != 0 || p.at >= len(p.s) {
		return 0
	}
	return p.s[p.at]
}

// take reads c if it comes next.
func (p *posix) take(c byte) bool {
	if p.peek() != c {
		return false
	}
	p.at++
	return true
}

// zone reads std offset [dst [offset] [,start,end]].
func (p *posix) zone() {
	p.name()
	p.time(maxOffset)
	if p.peek() != 0 && p.peek() != ',' {
		p.name()
		if c := p.peek(); c != 0 && c != ',' {
			p.time(maxOffset)
		}
		if p.take(',') {
			p.rule()
			if !p.take(',') {
				p.fail(ReasonForm)
			}
			p.rule()
		}
	}
	if p.at < len(p.s) {
		p.fail(ReasonForm)
	}
}

// name reads three or more letters, or letters, digits and signs in brackets.
func (p *posix) name() {
	quoted := p.take('<')
	n := 0
	for c := p.peek(); isLetter(c) || quoted && (isDigit(c) || c == '+' || c == '-'); c = p.peek() {
		p.at++
		n++
	}
	switch {
	case quoted && !p.take('>'), n < 3:
		p.fail(ReasonForm)
	case n > maxZonePart:
		p.fail(ReasonTooLong)
	}
}

// time reads [+-]hh[:mm[:ss]].
func (p *posix) time(hours int) {
	if !p.take('-') {
		p.take('+')
	}
	p.number(0, hours)
	for range 2 {
		if !p.take(':') {
			return
		}
		p.number(0, 59)
	}
}

// rule reads Jn, n or Mm.w.d, and /time.
func (p *posix) rule() {
	switch {
	case p.take('J'):
		p.number(1, 365)
	case p.take('M'):
		p.number(1, 12)
		p.dot()
		p.number(1, 5)
		p.dot()
		p.number(0, 6)
	default:
		p.number(0, 365)
	}
	if p.take('/') {
		p.time(maxRuleHours)
	}
}

func (p *posix) dot() {
	if !p.take('.') {
		p.fail(ReasonForm)
	}
}

// number reads one to three digits.
func (p *posix) number(lo, hi int) {
	n, digits := 0, 0
	for ; isDigit(p.peek()) && digits < 3; digits++ {
		n = 10*n + int(p.peek()-'0')
		p.at++
	}
	switch {
	case digits == 0:
		p.fail(ReasonForm)
	case n < lo || n > hi:
		p.fail(ReasonRange)
	}
}
