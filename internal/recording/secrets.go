package recording

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // what RFC 6704 prescribes
	"fmt"
	"slices"

	wire "github.com/lessee/lessee/wire/dhcp4"
)

// A nonce is what a server proves itself by in a FORCERENEW (RFC 6704).
type nonce [16]byte

// secrets replaces the nonces of servers: each by another one, always the same. A nil
// secrets replaces nothing.
type secrets struct {
	last int
	// known are the nonces that were seen, the latest last.
	known []known
}

// A known is a nonce and what stands for it.
type known struct{ real, instead nonce }

// maxNonces bounds how many nonces are remembered: a server may send any number.
const maxNonces = 1024

// nonce returns what stands for a nonce.
func (s *secrets) nonce(real nonce) nonce {
	if s == nil {
		return real
	}
	i := slices.IndexFunc(s.known, func(k known) bool { return k.real == real })
	if i >= 0 {
		k := s.known[i]
		s.known = append(slices.Delete(s.known, i, i+1), k)
		return k.instead
	}
	if len(s.known) == maxNonces {
		s.known = slices.Delete(s.known, 0, 1)
	}
	s.last++
	k := known{real: real}
	copy(k.instead[:], fmt.Sprintf("nonce %010d", s.last))
	s.known = append(s.known, k)
	return k.instead
}

// datagram returns a message without its secrets; the message itself where it has none.
func (s *secrets) datagram(message []byte) []byte {
	if s == nil || bytes.IndexByte(message, byte(wire.OptionAuthentication)) < 0 {
		return message
	}
	without := bytes.Clone(message)
	p, err := wire.Parse(without)
	if err != nil {
		for _, field := range [...][]byte{part(without, 240, len(without)), part(without, 108, 236), part(without, 44, 108)} {
			blank(field)
		}
		return without
	}
	var pieces [][]byte
	for code, v := range p.Options() {
		if code == wire.OptionAuthentication {
			pieces = append(pieces, v)
		}
	}
	value := slices.Concat(pieces...)
	s.authentication(p, value)
	for _, piece := range pieces {
		value = value[copy(piece, value):]
	}
	return without
}

// authentication replaces what is secret in the value of option 90 of a message.
func (s *secrets) authentication(p wire.Packet, value []byte) {
	a, err := wire.ParseAuth(value)
	if err != nil {
		clear(value)
		return
	}
	if key, is := a.Nonce(); is {
		instead := s.nonce(key)
		copy(a.Info[1:], instead[:])
		return
	}
	if digest, is := a.Digest(); is {
		instead := s.digest(p, digest)
		copy(a.Info[1:], instead[:])
		return
	}
	clear(a.Info)
}

// digest returns what stands for the digest of a message: the digest by the substitute
// of the nonce by which it is authentic, zeros if it is by none.
func (s *secrets) digest(p wire.Packet, digest nonce) (instead nonce) {
	text, ok := p.AppendAuthenticated(nil)
	if !ok {
		return instead
	}
	for _, k := range slices.Backward(s.known) {
		if sum := digestBy(k.real, text); hmac.Equal(sum[:], digest[:]) {
			return digestBy(k.instead, text)
		}
	}
	return instead
}

func digestBy(key nonce, text []byte) nonce {
	mac := hmac.New(md5.New, key[:])
	_, _ = mac.Write(text) // never fails
	return nonce(mac.Sum(nil))
}

// part returns a part of b, which may be shorter.
func part(b []byte, from, to int) []byte { return b[min(from, len(b)):min(to, len(b))] }

// blank blanks the authentication options of a field of options that may be malformed.
func blank(field []byte) {
	for len(field) > 1 {
		code := wire.OptionCode(field[0])
		if code == wire.OptionPad {
			field = field[1:]
			continue
		}
		if code == wire.OptionEnd {
			return
		}
		value := part(field, 2, 2+int(field[1]))
		if code == wire.OptionAuthentication {
			clear(value)
		}
		field = field[2+len(value):]
	}
}
