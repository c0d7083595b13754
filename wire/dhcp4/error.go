package dhcp4

import (
	"errors"
	"strconv"
)

// A Reason says why a message or an option's value was refused.
type Reason uint8

// The reasons. Those before [ReasonRouteTruncated] come from [Parse].
const (
	// ReasonTooShort: the message is shorter than the fixed fields and the magic cookie (240 bytes).
	ReasonTooShort Reason = iota + 1
	// ReasonBadOp: op is neither BOOTREQUEST (1) nor BOOTREPLY (2).
	ReasonBadOp
	// ReasonHardwareAddrTooLong: hlen is more than the 16 bytes of chaddr.
	ReasonHardwareAddrTooLong
	// ReasonBadMagicCookie: the options do not begin with 99.130.83.99 (RFC 2131 section 3).
	ReasonBadMagicCookie
	// ReasonOptionTruncated: an option runs past the end of its field.
	ReasonOptionTruncated
	// ReasonBadOverload: an option 52 is not one byte with the value 1, 2 or 3.
	ReasonBadOverload
	// ReasonMessageTypeLength: an option 53 is not one byte long.
	ReasonMessageTypeLength
	// ReasonMessageTypeZero: an option 53 has the value 0, which no message type has.
	ReasonMessageTypeZero

	// ReasonRouteTruncated: a classless route ends before its router does, or there is none at all.
	ReasonRouteTruncated
	// ReasonRouteWidth: a classless route's prefix is longer than 32 bits.
	ReasonRouteWidth
	// ReasonNameTruncated: a domain name runs past the end of the value, or there is none at all.
	ReasonNameTruncated
	// ReasonNameLabel: a label's length byte has a reserved form (RFC 1035 section 4.1.4).
	ReasonNameLabel
	// ReasonNamePointer: a compression pointer does not point to an earlier place in the value.
	ReasonNamePointer
	// ReasonNameTooLong: a domain name is longer than 255 bytes on the wire.
	ReasonNameTooLong
	// ReasonBadName: a domain name is not one that package names accepts.
	ReasonBadName
	// ReasonSearchTooLong: the search list is longer than [MaxSearchLength] bytes once its names are written out.
	ReasonSearchTooLong
	// ReasonValueTruncated: an option's value ends before its lengths say, or is empty.
	ReasonValueTruncated
	// ReasonValueLength: an option's value, or a list in it, is of a length that it cannot have.
	ReasonValueLength
	// ReasonBadEncoding: an option's value has an encoding byte or flag that no RFC defines.
	ReasonBadEncoding
)

var reasonTexts = [...]string{
	ReasonTooShort:            "message too short",
	ReasonBadOp:               "op is neither request nor reply",
	ReasonHardwareAddrTooLong: "hardware address longer than 16 bytes",
	ReasonBadMagicCookie:      "bad magic cookie",
	ReasonOptionTruncated:     "option runs past the end of its field",
	ReasonBadOverload:         "bad option overload",
	ReasonMessageTypeLength:   "message type of wrong length",
	ReasonMessageTypeZero:     "message type is zero",
	ReasonRouteTruncated:      "classless route truncated",
	ReasonRouteWidth:          "classless route wider than 32 bits",
	ReasonNameTruncated:       "domain name truncated",
	ReasonNameLabel:           "reserved label form in domain name",
	ReasonNamePointer:         "compression pointer not backwards",
	ReasonNameTooLong:         "domain name longer than 255 bytes",
	ReasonBadName:             "malformed domain name",
	ReasonSearchTooLong:       "search list too long",
	ReasonValueTruncated:      "value truncated",
	ReasonValueLength:         "value of wrong length",
	ReasonBadEncoding:         "unknown encoding",
}

// String returns the reason in plain words.
func (r Reason) String() string {
	if int(r) < len(reasonTexts) && reasonTexts[r] != "" {
		return reasonTexts[r]
	}
	return "reason " + strconv.Itoa(int(r))
}

// An Error says what is wrong with a message or an option's value, and where.
type Error struct {
	Reason Reason
	// Offset is the index of the offending byte in what was parsed.
	Offset int
}

// Error returns the reason and the offset.
func (e *Error) Error() string {
	return "dhcp4: " + e.Reason.String() + " at byte " + strconv.Itoa(e.Offset)
}

// reasonOf returns the reason of an error that a parser of this package gave.
func reasonOf(err error) Reason {
	if e := (*Error)(nil); errors.As(err, &e) {
		return e.Reason
	}
	return 0
}
