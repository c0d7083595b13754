package udp4

import (
	"encoding/binary"
	"net/netip"
)

// Where the fields are (RFC 791 section 3.1; RFC 768, after the IP header).
const (
	offTOS        = 1
	offTotal      = 2
	offFragment   = 6
	offTTL        = 8
	offProtocol   = 9
	offIPChecksum = 10
	offSource     = 12
	offDest       = 16
	ipHeader      = 20

	offUDPDest     = 2
	offUDPLength   = 4
	offUDPChecksum = 6
	udpHeader      = 8
)

const (
	protocolUDP  = 17
	dontFragment = 0x4000
	// fragmentMask has the flag "more fragments" and the fragment offset.
	fragmentMask = 0x3fff
	// DefaultTTL is what [Append] writes for a TTL of 0 (RFC 1700).
	DefaultTTL = 64
	// MaxPayload is the longest payload in bytes that an IPv4 packet can carry.
	MaxPayload = 65535 - ipHeader - udpHeader
	// Overhead is how many bytes [Append] writes before the payload.
	Overhead = ipHeader + udpHeader
)

// A Datagram is a UDP datagram and what its IP header says of it.
type Datagram struct {
	Source, Destination netip.AddrPort
	// TTL is the time to live; for [Append], 0 means [DefaultTTL].
	TTL uint8
	// TOS is the type of service: differentiated services and ECN.
	TOS uint8
	// Payload, as returned by [Parse], is a part of the packet, not a copy.
	Payload []byte
}

// Parse checks an IPv4 packet, that is what follows the link header, and
// returns the datagram in it. With partialChecksum the UDP checksum is not
// verified. Any error is an [*Error].
func Parse(b []byte, partialChecksum bool) (Datagram, error) {
	if len(b) < ipHeader {
		return Datagram{}, refused(ReasonTooShort)
	}
	if b[0]>>4 != 4 {
		return Datagram{}, refused(ReasonNotIPv4)
	}
	header := int(b[0]&0x0f) * 4
	if header < ipHeader || header > len(b) {
		return Datagram{}, refused(ReasonHeaderLength)
	}
	total := int(binary.BigEndian.Uint16(b[offTotal:]))
	if total < header || total > len(b) {
		return Datagram{}, refused(ReasonTotalLength)
	}
	if fold(sum(0, b[:header])) != 0 {
		return Datagram{}, refused(ReasonHeaderChecksum)
	}
	if binary.BigEndian.Uint16(b[offFragment:])&fragmentMask != 0 {
		return Datagram{}, refused(ReasonFragment)
	}
	if b[offProtocol] != protocolUDP {
		return Datagram{}, refused(ReasonNotUDP)
	}
	udp := b[header:total]
	if len(udp) < udpHeader {
		return Datagram{}, refused(ReasonUDPLength)
	}
	length := int(binary.BigEndian.Uint16(udp[offUDPLength:]))
	if length < udpHeader || length > len(udp) {
		return Datagram{}, refused(ReasonUDPLength)
	}
	udp = udp[:length:length]
	if !partialChecksum && binary.BigEndian.Uint16(udp[offUDPChecksum:]) != 0 &&
		fold(sum(pseudo(b[offSource:ipHeader], length), udp)) != 0 {
		return Datagram{}, refused(ReasonUDPChecksum)
	}
	return Datagram{
		Source: netip.AddrPortFrom(
			netip.AddrFrom4([4]byte(b[offSource:offDest])), binary.BigEndian.Uint16(udp)),
		Destination: netip.AddrPortFrom(
			netip.AddrFrom4([4]byte(b[offDest:ipHeader])), binary.BigEndian.Uint16(udp[offUDPDest:])),
		TTL:     b[offTTL],
		TOS:     b[offTOS],
		Payload: udp[udpHeader:],
	}, nil
}

// Append appends the IPv4 packet that carries d to b, with both checksums. The
// packet may not be fragmented, so its identification is 0 (RFC 6864 section
// 4.1). The error, an [*Error], is [ReasonNotIPv4] or [ReasonTooLong]; b is
// then returned as it was.
func Append(b []byte, d Datagram) ([]byte, error) {
	src, dst := d.Source.Addr().Unmap(), d.Destination.Addr().Unmap()
	if !src.Is4() || !dst.Is4() {
		return b, refused(ReasonNotIPv4)
	}
	if len(d.Payload) > MaxPayload {
		return b, refused(ReasonTooLong)
	}
	ttl := d.TTL
	if ttl == 0 {
		ttl = DefaultTTL
	}
	length := udpHeader + len(d.Payload)
	start := len(b)
	var head [Overhead]byte
	ip, udp := head[:ipHeader], head[ipHeader:]
	ip[0] = 4<<4 | ipHeader/4
	ip[offTOS] = d.TOS
	binary.BigEndian.PutUint16(ip[offTotal:], uint16(ipHeader+length)) // bounded by MaxPayload
	binary.BigEndian.PutUint16(ip[offFragment:], dontFragment)
	ip[offTTL] = ttl
	ip[offProtocol] = protocolUDP
	s4, d4 := src.As4(), dst.As4()
	copy(ip[offSource:], s4[:])
	copy(ip[offDest:], d4[:])
	binary.BigEndian.PutUint16(ip[offIPChecksum:], fold(sum(0, ip)))

	binary.BigEndian.PutUint16(udp, d.Source.Port())
	binary.BigEndian.PutUint16(udp[offUDPDest:], d.Destination.Port())
	binary.BigEndian.PutUint16(udp[offUDPLength:], uint16(length)) // bounded by MaxPayload
	check := fold(sum(sum(pseudo(ip[offSource:], length), udp), d.Payload))
	if check == 0 {
		check = 0xffff // RFC 768: zero says that there is no checksum
	}
	b = append(b, head[:]...)
	binary.BigEndian.PutUint16(b[start+ipHeader+offUDPChecksum:], check)
	return append(b, d.Payload...), nil
}
