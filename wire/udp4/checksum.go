package udp4

import (
	"encoding/binary"
	"math/bits"
)

// sum adds b to a ones' complement sum. RFC 1071 section 2 allows any byte
// order and any word size: 64-bit words with the carry fed back, in the order
// that the common processors load without swapping.
func sum(acc uint64, b []byte) uint64 {
	var carry uint64
	for len(b) >= 32 {
		acc, carry = bits.Add64(acc, binary.LittleEndian.Uint64(b), carry)
		acc, carry = bits.Add64(acc, binary.LittleEndian.Uint64(b[8:]), carry)
		acc, carry = bits.Add64(acc, binary.LittleEndian.Uint64(b[16:]), carry)
		acc, carry = bits.Add64(acc, binary.LittleEndian.Uint64(b[24:]), carry)
		b = b[32:]
	}
	for len(b) >= 8 {
		acc, carry = bits.Add64(acc, binary.LittleEndian.Uint64(b), carry)
		b = b[8:]
	}
	if len(b) > 0 {
		var last [8]byte // an odd byte counts as if a zero byte followed it
		copy(last[:], b)
		acc, carry = bits.Add64(acc, binary.LittleEndian.Uint64(last[:]), carry)
	}
	acc, carry = bits.Add64(acc, 0, carry)
	return acc + carry
}

// fold makes a checksum field, to be written most significant byte first, of a sum.
func fold(acc uint64) uint16 {
	acc = acc>>32 + acc&0xffffffff
	acc = acc>>32 + acc&0xffffffff
	acc = acc>>16 + acc&0xffff
	acc = acc>>16 + acc&0xffff
	return ^bits.ReverseBytes16(uint16(acc)) // two folds left 16 bits
}

// pseudo sums the pseudo header of RFC 768: the two addresses as they stand in
// the IP header, the protocol and the UDP length.
func pseudo(addrs []byte, length int) uint64 {
	tail := [4]byte{0, protocolUDP, byte(length >> 8), byte(length)}
	return sum(sum(0, addrs), tail[:])
}
