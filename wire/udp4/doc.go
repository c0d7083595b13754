// Package udp4 reads and writes IPv4 packets that carry a UDP datagram
// (RFC 791, RFC 768): what a DHCP client sends and receives on a packet socket,
// before it has an address that the kernel would deliver to.
//
// [Parse] checks a packet as an IP host must (RFC 1122 section 3.2.1) and does
// not allocate. No input panics. It accepts what passes on real links:
//
//   - Bytes after the IP total length are link padding and ignored: Ethernet
//     frames are at least 60 bytes long, and some drivers leave a trailer.
//   - IP options are skipped.
//   - A UDP length shorter than the IP payload ends the datagram early.
//   - A UDP checksum of zero means that the sender computed none.
//   - Packets between interfaces of one machine (veth, virtio, loopback) carry
//     a UDP checksum that is not computed yet. The kernel marks them with
//     TP_STATUS_CSUMNOTREADY in the packet's auxiliary data; the caller passes
//     that on as partialChecksum. The IP header's checksum is always complete.
//
// Fragments are refused: a message to a client without an address fits one
// packet, and reassembly is the kernel's business.
package udp4
