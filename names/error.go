package names

import "strconv"

// A Reason says why a string is not a value of its type.
type Reason uint8

// The reasons.
const (
	// ReasonEmpty: there is nothing, or nothing where something must be.
	ReasonEmpty Reason = iota + 1
	// ReasonTooLong: the string, or one of its parts, is longer than allowed.
	ReasonTooLong
	// ReasonCharacter: a character that has no place there.
	ReasonCharacter
	// ReasonHyphen: a label begins or ends with a hyphen.
	ReasonHyphen
	// ReasonAddress: an IPv4 address where a name must be (RFC 1123 section 2.1).
	ReasonAddress
	// ReasonScheme: a URL that does not begin with http:// or https://.
	ReasonScheme
	// ReasonUserinfo: a URL with a user name or password.
	ReasonUserinfo
	// ReasonHost: a URL whose host is neither a host name nor an address.
	ReasonHost
	// ReasonPort: a URL whose port is not 1 to 65535.
	ReasonPort
	// ReasonEscape: a percent sign without two hexadecimal digits after it, or
	// with those of a control character.
	ReasonEscape
	// ReasonForm: the string does not have the form that its type prescribes.
	ReasonForm
	// ReasonRange: a number in the string is out of its range.
	ReasonRange
)

var reasonTexts = [...]string{
	ReasonEmpty:     "something is missing",
	ReasonTooLong:   "too long",
	ReasonCharacter: "a character that is not allowed",
	ReasonHyphen:    "a label begins or ends with a hyphen",
	ReasonAddress:   "an address, not a name",
	ReasonScheme:    "neither http nor https",
	ReasonUserinfo:  "a user name or password",
	ReasonHost:      "neither a host name nor an address",
	ReasonPort:      "port is not 1 to 65535",
	ReasonEscape:    "bad percent-encoding",
	ReasonForm:      "wrong form",
	ReasonRange:     "number out of range",
}

// String returns the reason in plain words.
func (r Reason) String() string {
	if int(r) < len(reasonTexts) && reasonTexts[r] != "" {
		return reasonTexts[r]
	}
	return "reason " + strconv.Itoa(int(r))
}

// An Error says what is wrong with a string, and where. It does not hold the
// string, so that it can be shown as it is.
type Error struct {
	// Kind says what the string should have been, such as "host name".
	Kind   string
	Reason Reason
	// Offset is the index of the offending byte.
	Offset int
}

// Error returns kind, reason and offset.
func (e *Error) Error() string {
	return "names: not a " + e.Kind + ": " + e.Reason.String() + " at byte " + strconv.Itoa(e.Offset)
}
