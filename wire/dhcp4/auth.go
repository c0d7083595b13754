package dhcp4

import "encoding/binary"

// What option 90 of a server with RFC 6704 says of itself.
const (
	// AuthForceRenewNonce is the protocol "Forcerenew nonce authentication"
	// (RFC 6704 section 3.1.2).
	AuthForceRenewNonce uint8 = 3
	// AuthHMACMD5 is the algorithm; it stands in option 145 too.
	AuthHMACMD5 uint8 = 1
	// AuthCounter is the replay detection method: a value that only grows
	// (RFC 3118 section 2).
	AuthCounter uint8 = 0
)

// What the information of protocol 3 begins with (RFC 6704 section 3.1.2).
const (
	authNonce  = 1
	authDigest = 2
)

const (
	authHeader = 11
	// authInfo is the length of a type and 128 bits.
	authInfo = 17
)

// An Auth is the value of option 90, authentication (RFC 3118 section 2).
type Auth struct {
	Protocol, Algorithm, Method uint8
	// Replay is the replay detection value.
	Replay uint64
	// Info is the authentication information; its form is the protocol's.
	Info []byte
}

// Append appends the option's value to dst.
func (a Auth) Append(dst []byte) []byte {
	dst = append(dst, a.Protocol, a.Algorithm, a.Method)
	dst = binary.BigEndian.AppendUint64(dst, a.Replay)
	return append(dst, a.Info...)
}

// ParseAuth decodes the value of option 90. Info is part of the value, not a
// copy. The error is an [*Error].
func ParseAuth(value []byte) (Auth, error) {
	if len(value) < authHeader {
		return Auth{}, &Error{ReasonValueTruncated, len(value)}
	}
	return Auth{
		Protocol:  value[0],
		Algorithm: value[1],
		Method:    value[2],
		Replay:    binary.BigEndian.Uint64(value[3:]),
		Info:      value[authHeader:len(value):len(value)],
	}, nil
}

// Nonce returns the nonce that an ACK brings, false if there is none (RFC 6704
// section 3.1.2).
func (a Auth) Nonce() (nonce [16]byte, ok bool) { return a.info(authNonce) }

// Digest returns the HMAC-MD5 that a FORCERENEW brings, false if there is none
// (RFC 6704 section 3.1.2).
func (a Auth) Digest() (digest [16]byte, ok bool) { return a.info(authDigest) }

func (a Auth) info(kind byte) (v [16]byte, ok bool) {
	if a.Protocol != AuthForceRenewNonce || a.Algorithm != AuthHMACMD5 || a.Method != AuthCounter ||
		len(a.Info) != authInfo || a.Info[0] != kind {
		return v, false
	}
	return [16]byte(a.Info[1:]), true
}

// NonceAuth returns the Auth that carries a nonce, as servers put it into an ACK.
func NonceAuth(replay uint64, nonce [16]byte) Auth {
	return forceRenewAuth(replay, authNonce, nonce)
}

// DigestAuth returns the Auth that carries a digest, as servers put it into a
// FORCERENEW: zeros first, and then the HMAC-MD5 of what
// [Packet.AppendAuthenticated] returns.
func DigestAuth(replay uint64, digest [16]byte) Auth {
	return forceRenewAuth(replay, authDigest, digest)
}

func forceRenewAuth(replay uint64, kind byte, v [16]byte) Auth {
	return Auth{
		Protocol: AuthForceRenewNonce, Algorithm: AuthHMACMD5, Method: AuthCounter,
		Replay: replay, Info: append([]byte{kind}, v[:]...),
	}
}

// AppendAuthenticated appends to dst what the digest of a FORCERENEW is made of:
// the whole message with the digest, hops and giaddr zero (RFC 3118 section 5.2,
// RFC 6704 section 3.1.3). False if the message has no option 90 with a digest
// that stands in one piece, or more than one option 90.
func (p Packet) AppendAuthenticated(dst []byte) ([]byte, bool) {
	at := -1
	c := p.cursor()
	for code, value, ok := c.next(); ok; code, value, ok = c.next() {
		if code != OptionAuthentication {
			continue
		}
		if at >= 0 || len(value) != authHeader+authInfo {
			return dst, false
		}
		at = c.at - authInfo + 1
		if a, err := ParseAuth(value); err != nil || a.Info[0] != authDigest {
			return dst, false
		}
	}
	if at < 0 {
		return dst, false
	}
	from := len(dst)
	dst = append(dst, p.b...)
	m := dst[from:]
	m[offHops] = 0
	clear(m[offGiaddr : offGiaddr+4])
	clear(m[at : at+authInfo-1])
	return dst, true
}

// AcceptsNonces reports whether option 145 of a message says that its sender
// takes part in RFC 6704 with the algorithm HMAC-MD5: one byte for each
// algorithm that it knows (section 3.1.1).
func (p Packet) AcceptsNonces() bool {
	v, ok := p.Option(OptionForceRenewNonce)
	if !ok {
		return false
	}
	for _, algorithm := range v {
		if algorithm == AuthHMACMD5 {
			return true
		}
	}
	return false
}
