package udp4

import "strconv"

// A Reason says why a packet was refused.
type Reason uint8

// The reasons.
const (
	// ReasonTooShort: there are fewer bytes than an IPv4 header without options has (20).
	ReasonTooShort Reason = iota + 1
	// ReasonNotIPv4: the version is not 4, or, from [Append], an address is not IPv4.
	ReasonNotIPv4
	// ReasonHeaderLength: the IP header is shorter than 20 bytes or longer than the packet.
	ReasonHeaderLength
	// ReasonTotalLength: the IP total length is less than the header or more than the bytes there are.
	ReasonTotalLength
	// ReasonHeaderChecksum: the IP header's checksum is wrong.
	ReasonHeaderChecksum
	// ReasonFragment: the packet is a fragment.
	ReasonFragment
	// ReasonNotUDP: the protocol is not 17.
	ReasonNotUDP
	// ReasonUDPLength: the UDP length is less than its header (8) or more than the IP payload.
	ReasonUDPLength
	// ReasonUDPChecksum: the UDP checksum is there and wrong.
	ReasonUDPChecksum
	// ReasonTooLong: from [Append], the payload is longer than [MaxPayload].
	ReasonTooLong
)

var reasonTexts = [...]string{
	ReasonTooShort:       "packet too short",
	ReasonNotIPv4:        "not IPv4",
	ReasonHeaderLength:   "bad IP header length",
	ReasonTotalLength:    "bad IP total length",
	ReasonHeaderChecksum: "bad IP header checksum",
	ReasonFragment:       "fragment",
	ReasonNotUDP:         "not UDP",
	ReasonUDPLength:      "bad UDP length",
	ReasonUDPChecksum:    "bad UDP checksum",
	ReasonTooLong:        "payload too long",
}

// String returns the reason in plain words.
func (r Reason) String() string {
	if int(r) < len(reasonTexts) && reasonTexts[r] != "" {
		return reasonTexts[r]
	}
	return "reason " + strconv.Itoa(int(r))
}

// An Error says what is wrong with a packet. Those with the same reason are the same;
// they must not be changed.
type Error struct{ Reason Reason }

// Error returns the reason.
func (e *Error) Error() string { return "udp4: " + e.Reason.String() }

// refusals are the errors, made once: whoever sends damaged packets does not make
// the receiver allocate.
var refusals = func() (all [len(reasonTexts)]Error) {
	for r := range all {
		all[r].Reason = Reason(r)
	}
	return all
}()

func refused(r Reason) *Error { return &refusals[r] }
