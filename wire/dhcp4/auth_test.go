package dhcp4_test

import (
	"bytes"
	"testing"

	"github.com/lessee/lessee/wire/dhcp4"
)

var secret = [16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}

// RFC 6704, section 3.1.2: protocol 3, algorithm 1, method 0, replay detection,
// then the type and 128 bits.
func TestAuth(t *testing.T) {
	t.Parallel()
	const header = "\x03\x01\x00\x00\x00\x00\x00\x00\x00\x00\x07"
	nonce, digest := dhcp4.NonceAuth(7, secret), dhcp4.DigestAuth(7, secret)
	if got := nonce.Append(nil); string(got) != header+"\x01"+string(secret[:]) {
		t.Errorf("nonce: %x", got)
	}
	if got := digest.Append(nil); string(got) != header+"\x02"+string(secret[:]) {
		t.Errorf("digest: %x", got)
	}
	a, err := dhcp4.ParseAuth(nonce.Append(nil))
	if err != nil || a.Replay != 7 {
		t.Fatalf("%+v, %v", a, err)
	}
	if got, ok := a.Nonce(); !ok || got != secret {
		t.Errorf("nonce %x, %v", got, ok)
	}
	if _, ok := a.Digest(); ok {
		t.Error("a nonce was taken for a digest")
	}
	if got, ok := digest.Digest(); !ok || got != secret {
		t.Errorf("digest %x, %v", got, ok)
	}
	for _, change := range []func(a *dhcp4.Auth){
		func(a *dhcp4.Auth) { a.Protocol = 1 },
		func(a *dhcp4.Auth) { a.Algorithm = 2 },
		func(a *dhcp4.Auth) { a.Method = 1 },
		func(a *dhcp4.Auth) { a.Info = a.Info[:16] },
		func(a *dhcp4.Auth) { a.Info = append(bytes.Clone(a.Info), 0) },
		func(a *dhcp4.Auth) { a.Info = nil },
	} {
		a := nonce
		change(&a)
		if _, ok := a.Nonce(); ok {
			t.Errorf("nonce of %+v", a)
		}
	}
	_, err = dhcp4.ParseAuth(make([]byte, 10))
	wantReason(t, err, dhcp4.ReasonValueTruncated, 10)
	if a, err := dhcp4.ParseAuth(make([]byte, 11)); err != nil || len(a.Info) != 0 {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestAppendAuthenticated(t *testing.T) {
	t.Parallel()
	build := func(auth ...dhcp4.Auth) []byte {
		b := dhcp4.NewBuilder(dhcp4.OpReply, 1, hardware, 9)
		b.SetHops(2)
		b.SetRelay(addr("10.0.0.1"))
		b.AddMessageType(dhcp4.ForceRenew)
		for _, a := range auth {
			b.AddOption(dhcp4.OptionAuthentication, a.Append(nil))
		}
		b.AddAddr(dhcp4.OptionServerID, addr("10.0.0.1"))
		return b.Bytes()
	}
	signed := build(dhcp4.DigestAuth(3, secret))
	before := bytes.Clone(signed)
	got, ok := mustParse(t, signed).AppendAuthenticated([]byte{1})
	want := with(build(dhcp4.DigestAuth(3, [16]byte{})), func(b []byte) {
		b[3] = 0
		clear(b[24:28])
	})
	if !ok || !bytes.Equal(got, append([]byte{1}, want...)) {
		t.Errorf("%v\n%x\n%x", ok, got[1:], want)
	}
	if !bytes.Equal(signed, before) {
		t.Error("the message changed")
	}
	for _, b := range [][]byte{build(), build(dhcp4.NonceAuth(3, secret)), build(dhcp4.DigestAuth(3, secret), dhcp4.DigestAuth(3, secret)), raw(90, 0)} {
		if got, ok := mustParse(t, b).AppendAuthenticated(nil); ok || len(got) != 0 {
			t.Errorf("%x: %x", b[240:], got)
		}
	}
}

func TestAcceptsNonces(t *testing.T) {
	t.Parallel()
	for want, options := range map[bool][][]byte{true: {{145, 1, 1}, {145, 3, 7, 1, 2}}, false: {{145, 0}, {145, 1, 2}, {}}} {
		for _, o := range options {
			if got := mustParse(t, raw(o...)).AcceptsNonces(); got != want {
				t.Errorf("%x: %v", o, got)
			}
		}
	}
}
