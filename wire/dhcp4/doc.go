// Package dhcp4 reads and writes DHCPv4 messages (RFC 2131, RFC 2132) as bytes.
//
// [Parse] checks a message once and returns a [Packet]: a view of the bytes it
// was given, not a copy. Parse and the getters of fixed-size fields and options
// do not allocate. A [Builder] writes messages. Nothing here does I/O, and no
// input panics.
//
// # What is accepted
//
// Parse is strict about structure, since a message whose options cannot be
// walked cannot be trusted, and lenient where servers in the field are sloppy:
//
//   - END (255) may be missing, from the options field and from overloaded
//     fields (RFC 2131 section 4.1 requires it): the end of the field ends it.
//   - What follows END is ignored (RFC 2132 section 3.2 says zero bytes).
//   - PAD (0) may stand anywhere between options.
//   - A message may be shorter than the 300 bytes of RFC 1542 section 2.1, down
//     to the 240 bytes of the fixed fields with the magic cookie, and as long
//     as a UDP datagram can be.
//   - An option code that occurs more than once is one value in pieces
//     (RFC 3396). Servers also repeat options of a fixed size by mistake, so
//     [Packet.Addr], [Packet.Uint8], [Packet.Uint16] and [Packet.Uint32] take
//     the first piece that has the right size and join pieces only where none has.
//   - The fields file and sname hold options where option 52 says so; the order
//     is options, file, sname (RFC 2131 section 4.1, RFC 3396 section 5). An
//     option 52 inside file or sname means nothing.
//   - The message type may stand in any of the three fields. Where there is
//     none the message is plain BOOTP and [Packet.MessageType] is 0. A type
//     this package has no name for is passed on.
//   - Text may end in zero bytes (RFC 2132 section 2): [Packet.Text] cuts them.
//   - A hardware address length of 0 is legal: RFC 4390 prescribes it for
//     InfiniBand.
//
// # What is refused
//
// Each refusal is an [*Error] with a [Reason] and the offset of the offending
// byte. The reasons' own documentation says when each is given. The decoders
// of single options ([ParseClasslessRoutes], [ParseDomainSearch]) use the same
// type; their offsets count from the start of the option's value.
package dhcp4
