package dhcptest

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // what RFC 6704 prescribes
	"encoding/binary"
	"net/netip"
	"slices"

	wire "github.com/lessee/lessee/wire/dhcp4"
	"github.com/lessee/lessee/wire/udp4"
)

// The parts of option 90 in RFC 6704 section 3.1.2.
const (
	authProtocol  = 3
	authAlgorithm = 1
	authCounter   = 0
	infoNonce     = 1
	infoDigest    = 2
	nonceLength   = 16
)

// auth writes option 90.
func (s *Server) auth(kind byte, value [nonceLength]byte) []byte {
	s.replay++
	v := binary.BigEndian.AppendUint64([]byte{authProtocol, authAlgorithm, authCounter}, s.replay)
	return append(append(v, kind), value[:]...)
}

// addNonce gives a client that can do with it the nonce by which the server will
// prove itself: with the ACK, a new one each time (RFC 6704 section 3.1.3).
func (s *Server) addNonce(r *Reply, q wire.Packet, client string) {
	able, ok := q.Option(wire.OptionForceRenewNonce)
	if !s.cfg.ForceRenew || !ok || !slices.Contains(able, authAlgorithm) {
		return
	}
	var nonce [nonceLength]byte
	binary.BigEndian.PutUint64(nonce[:], s.chance.Uint64())
	binary.BigEndian.PutUint64(nonce[8:], s.chance.Uint64())
	s.nonces[client] = nonce
	r.Set(wire.OptionAuthentication, s.auth(infoNonce, nonce))
}

// ForceRenew asks the client with that link address and client identifier (nil
// if it sends none) to renew its lease (RFC 3203), by unicast. With a nonce the
// client can tell that the message is the server's; without one, or with a wrong
// one for forged, it is to take no notice. False: there is no lease.
func (s *Server) ForceRenew(addr LinkAddr, clientID []byte, forged bool) bool {
	address, ok := s.Leased(addr, clientID)
	if !ok {
		return false
	}
	b := wire.NewBuilder(wire.OpReply, wire.HardwareEthernet, addr[:], uint32(s.chance.Uint64())) //nolint:gosec // any will do
	b.AddMessageType(wire.ForceRenew)
	b.AddAddr(wire.OptionServerID, s.Address())
	nonce, known := s.nonces[clientKey(wire.HardwareEthernet, addr[:], clientID)]
	if forged {
		nonce[0] ^= 1
	}
	option := s.auth(infoDigest, [nonceLength]byte{})
	if known {
		b.AddOption(wire.OptionAuthentication, option)
	}
	message := b.Bytes()
	if known {
		// Section 3.1.3: the digest is that of the message with zeros in its place.
		mac := hmac.New(md5.New, nonce[:])
		_, _ = mac.Write(message) // never fails
		at := bytes.LastIndex(message, option) + len(option) - nonceLength
		copy(message[at:], mac.Sum(nil))
	}
	_ = s.host.Send(udp4.Datagram{ // unplugged: lost
		Source:      netip.AddrPortFrom(s.Address(), portServer),
		Destination: netip.AddrPortFrom(address, portClient),
		Payload:     message,
	})
	return true
}
