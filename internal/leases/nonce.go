package leases

import "github.com/lessee/lessee/dhcp4"

// A nonce is what a lease's server proves itself by in a FORCERENEW.
type nonce struct {
	Key    octets `json:"key"`
	Replay uint64 `json:"replay,omitempty"`
}

// keyLength is that of a nonce (RFC 6704 section 3.1.2).
const keyLength = 16

func encodeNonce(n *dhcp4.Nonce) *nonce {
	if n == nil {
		return nil
	}
	return &nonce{Key: n.Key[:], Replay: n.Replay}
}

// decode returns what encodeNonce was given. The key has been checked.
func (n *nonce) decode() *dhcp4.Nonce {
	if n == nil {
		return nil
	}
	return &dhcp4.Nonce{Key: [keyLength]byte(n.Key), Replay: n.Replay}
}
