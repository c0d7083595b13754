package dhcp4

import (
	"errors"
	"strconv"

	wire "github.com/lessee/lessee/wire/dhcp4"
)

// A Rejection says why a datagram was not used. Each has its counter.
type Rejection uint8

// accepted is no rejection.
const accepted Rejection = 0

// The rejections.
const (
	// RejectTooShort: shorter than the fixed fields and the magic cookie.
	RejectTooShort Rejection = iota + 1
	// RejectBadOp: op is neither BOOTREQUEST nor BOOTREPLY.
	RejectBadOp
	// RejectHardwareAddrTooLong: hlen is more than the 16 bytes of chaddr.
	RejectHardwareAddrTooLong
	// RejectBadMagicCookie: what follows the fixed fields is not DHCP.
	RejectBadMagicCookie
	// RejectOptionTruncated: an option runs past the end of its field.
	RejectOptionTruncated
	// RejectBadOverload: option 52 is not 1, 2 or 3.
	RejectBadOverload
	// RejectBadMessageType: option 53 is not one byte, or zero.
	RejectBadMessageType
	// RejectMalformed: malformed in a way that has no name of its own here.
	RejectMalformed

	// RejectNotReply: a client's message, not a server's.
	RejectNotReply
	// RejectForeignHardwareAddr: for a client with another hardware address.
	RejectForeignHardwareAddr
	// RejectNotAwaited: no answer is awaited in this state (figure 5: discard).
	RejectNotAwaited
	// RejectForeignXID: the transaction is not the one under way: late, or another client's.
	RejectForeignXID
	// RejectClientID: option 61 is not the one that was sent (RFC 6842 section 3).
	RejectClientID
	// RejectNoMessageType: plain BOOTP, without option 53.
	RejectNoMessageType
	// RejectMessageType: not an OFFER, ACK or NAK: no server's answer to us.
	RejectMessageType
	// RejectUnexpected: an OFFER, ACK or NAK that does not fit the state.
	RejectUnexpected
	// RejectNoServerID: option 54 is missing where it is needed to tell servers apart.
	RejectNoServerID
	// RejectBadServerID: option 54 is not the address of a host.
	RejectBadServerID
	// RejectOtherServer: from another server than the one that was asked.
	RejectOtherServer
	// RejectBadAddress: yiaddr is not the address of a host: 0.0.0.0/8,
	// loopback, multicast, class E, or its own subnet's broadcast address.
	RejectBadAddress
	// RejectOtherAddress: the ACK is not for the address that was offered.
	RejectOtherAddress
	// RejectNoLeaseTime: option 51 is missing.
	RejectNoLeaseTime
	// RejectLeaseTooShort: the lease time is under 2 seconds, so that it could
	// not be kept with a message per second; 0 is among these.
	RejectLeaseTooShort
	// RejectLeaseOver: the lease has ended already, since the ACK took longer
	// than the lease time.
	RejectLeaseOver
	// RejectBadSubnetMask: option 1 is not a row of ones and then zeros, or all zeros.
	RejectBadSubnetMask

	// RejectForceRenew: a FORCERENEW where none was agreed on: the setting is
	// off, there is no lease, or its server gave no nonce (RFC 6704).
	RejectForceRenew
	// RejectUnauthenticated: a FORCERENEW without a digest by the agreed method.
	RejectUnauthenticated
	// RejectReplayed: a FORCERENEW whose replay detection value is not above the
	// one before.
	RejectReplayed
	// RejectBadDigest: a FORCERENEW whose digest is not that of the message with
	// the lease's nonce.
	RejectBadDigest

	rejections // their number, plus one
)

// A rejectionRow is what there is to say of a rejection: the name that counters
// and the API have ("rejected.foreign-xid"), and why in plain words.
type rejectionRow struct{ name, text string }

// rejectionTable is the one place that declares a rejection, with its constant.
// docs/troubleshooting.md has a line for each name, each language one for each text.
var rejectionTable = [rejections]rejectionRow{
	RejectTooShort:            {"too-short", "message too short"},
	RejectBadOp:               {"bad-op", "op is neither request nor reply"},
	RejectHardwareAddrTooLong: {"hardware-address-too-long", "hardware address longer than 16 bytes"},
	RejectBadMagicCookie:      {"bad-magic-cookie", "bad magic cookie"},
	RejectOptionTruncated:     {"option-truncated", "option runs past the end of its field"},
	RejectBadOverload:         {"bad-overload", "bad option overload"},
	RejectBadMessageType:      {"bad-message-type", "bad message type"},
	RejectMalformed:           {"malformed", "malformed message"},
	RejectNotReply:            {"not-reply", "not a reply"},
	RejectForeignHardwareAddr: {"foreign-hardware-address", "foreign hardware address"},
	RejectNotAwaited:          {"not-awaited", "no answer is awaited"},
	RejectForeignXID:          {"foreign-xid", "foreign transaction"},
	RejectClientID:            {"client-identifier", "client identifier is not ours"},
	RejectNoMessageType:       {"no-message-type", "no message type"},
	RejectMessageType:         {"message-type", "not a message from a server to a client"},
	RejectUnexpected:          {"unexpected", "message type does not fit the state"},
	RejectNoServerID:          {"no-server-identifier", "no server identifier"},
	RejectBadServerID:         {"bad-server-identifier", "bad server identifier"},
	RejectOtherServer:         {"other-server", "from another server"},
	RejectBadAddress:          {"bad-address", "leased address is not that of a host"},
	RejectOtherAddress:        {"other-address", "acknowledged address is not the offered one"},
	RejectNoLeaseTime:         {"no-lease-time", "no lease time"},
	RejectLeaseTooShort:       {"lease-too-short", "lease time too short"},
	RejectLeaseOver:           {"lease-over", "lease is over on arrival"},
	RejectBadSubnetMask:       {"bad-subnet-mask", "bad subnet mask"},
	RejectForceRenew:          {"force-renew", "FORCERENEW was not agreed on"},
	RejectUnauthenticated:     {"unauthenticated", "not authenticated"},
	RejectReplayed:            {"replayed", "sent before"},
	RejectBadDigest:           {"bad-digest", "authentication failed"},
}

// Name returns the reason as the counters name it, such as "foreign-xid".
func (r Rejection) Name() string { return r.row().name }

// String returns the reason in plain words.
func (r Rejection) String() string { return r.row().text }

func (r Rejection) row() rejectionRow {
	if r < rejections {
		return rejectionTable[r]
	}
	unknown := "rejection " + strconv.Itoa(int(r))
	return rejectionRow{unknown, unknown}
}

// droppedOutputs are the outputs ready-made: a flood of foreign datagrams is
// to cost no memory.
var droppedOutputs = func() (all [rejections]Output) {
	for r := range all {
		all[r] = Dropped{Rejection(r)}
	}
	return all
}()

// rejectionOf maps what the parser found.
func rejectionOf(err error) Rejection {
	var e *wire.Error
	if !errors.As(err, &e) {
		return RejectMalformed
	}
	switch e.Reason {
	case wire.ReasonTooShort:
		return RejectTooShort
	case wire.ReasonBadOp:
		return RejectBadOp
	case wire.ReasonHardwareAddrTooLong:
		return RejectHardwareAddrTooLong
	case wire.ReasonBadMagicCookie:
		return RejectBadMagicCookie
	case wire.ReasonOptionTruncated:
		return RejectOptionTruncated
	case wire.ReasonBadOverload:
		return RejectBadOverload
	case wire.ReasonMessageTypeLength, wire.ReasonMessageTypeZero:
		return RejectBadMessageType
	default: // the others come from option values, not from Parse
		return RejectMalformed
	}
}
