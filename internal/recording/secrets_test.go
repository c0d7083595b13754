package recording

import (
	"bytes"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"testing"

	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/tenancy/v4"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

func message4(t *testing.T, typ wire.MessageType, values ...[]byte) []byte {
	t.Helper()
	b := wire.NewBuilder(wire.OpReply, 1, []byte{2, 0, 0, 0, 0, 2}, 7)
	b.AddMessageType(typ)
	b.AddAddr(wire.OptionServerID, netip.MustParseAddr("10.77.0.1"))
	for _, v := range values {
		b.AddOption(wire.OptionAuthentication, v)
	}
	return b.Bytes()
}

// authentic returns a FORCERENEW that a nonce proves.
func authentic(t *testing.T, replay uint64, key nonce) []byte {
	t.Helper()
	m := message4(t, wire.ForceRenew, wire.DigestAuth(replay, nonce{}).Append(nil))
	p, err := wire.Parse(m)
	if err != nil {
		t.Fatal(err)
	}
	text, ok := p.AppendAuthenticated(nil)
	if !ok {
		t.Fatal("it cannot be proven")
	}
	return message4(t, wire.ForceRenew, wire.DigestAuth(replay, digestBy(key, text)).Append(nil))
}

// auth returns option 90 of a message.
func auth(t *testing.T, m []byte) wire.Auth {
	t.Helper()
	p, err := wire.Parse(m)
	if err != nil {
		t.Fatal(err)
	}
	v, _ := p.Option(wire.OptionAuthentication)
	a, err := wire.ParseAuth(v)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestVerdictIsRecorded: an authentic message is authentic by the nonce of the
// recording, a forged one is not.
func TestVerdictIsRecorded(t *testing.T) {
	t.Parallel()
	key, other := nonce([]byte("a server's nonce")), nonce([]byte("not that server."))
	s := &secrets{}
	ack := message4(t, wire.ACK, wire.NonceAuth(1, key).Append(nil))
	was := bytes.Clone(ack)
	recorded := s.datagram(ack)
	if !bytes.Equal(ack, was) {
		t.Error("the message itself was changed")
	}
	got := auth(t, recorded)
	instead, is := got.Nonce()
	if !is || got.Replay != 1 || nonce(instead) == key || bytes.Contains(recorded, key[:]) {
		t.Errorf("the nonce is recorded as %x", instead)
	}
	if again := s.nonce(key); again != instead {
		t.Errorf("the same nonce is %x and %x", instead, again)
	}
	proven := func(m []byte) bool {
		p, err := wire.Parse(m)
		if err != nil {
			t.Fatal(err)
		}
		text, ok := p.AppendAuthenticated(nil)
		digest, is := auth(t, m).Digest()
		return ok && is && digest == digestBy(instead, text)
	}
	if m := s.datagram(authentic(t, 2, key)); !proven(m) || auth(t, m).Replay != 2 {
		t.Error("an authentic message is not authentic when it is replayed")
	}
	if m := s.datagram(authentic(t, 2, other)); proven(m) {
		t.Error("a forged message is authentic when it is replayed")
	}
}

// TestSecretsStandAnywhere: a nonce in pieces, in a message that is malformed, of another
// protocol, and on record.
func TestSecretsStandAnywhere(t *testing.T) {
	t.Parallel()
	key := nonce([]byte("a server's nonce"))
	value := wire.NonceAuth(1, key).Append(nil)
	token := slices.Concat(make([]byte, 11), []byte("a password"))
	cut := message4(t, wire.ACK, value)
	cut = cut[:bytes.Index(cut, key[:])+12]
	for name, m := range map[string][]byte{
		"whole": message4(t, wire.ACK, value), "in pieces": message4(t, wire.ACK, value[:18], value[18:]), "cut": cut,
		"token": message4(t, wire.ACK, token), "short": message4(t, wire.ACK, []byte("a password")[:10]),
	} {
		out := (&secrets{}).datagram(m)
		if len(out) != len(m) || bytes.Contains(out, key[:4]) || bytes.Contains(out, []byte("nonce")) && name == "cut" || bytes.Contains(out, []byte("password")) {
			t.Errorf("%s: %q", name, out)
		}
		_, before := wire.Parse(m)
		if _, after := wire.Parse(out); fmt.Sprint(before) != fmt.Sprint(after) {
			t.Errorf("%s: %v became %v", name, before, after)
		}
	}
	r := v4.Record{Lease: &dhcp4.Lease{Nonce: &dhcp4.Nonce{Key: key, Replay: 7}}}
	text := codec{&secrets{}}.append(nil, reflect.ValueOf(r))
	if want := (codec{}).append(nil, reflect.ValueOf(r)); bytes.Equal(text, want) || r.Lease.Nonce.Key != key {
		t.Errorf("on record: %s", text)
	}
}

func TestNoncesAreBounded(t *testing.T) {
	t.Parallel()
	s := &secrets{}
	seen := make(map[nonce]bool)
	for i := range 2 * maxNonces {
		seen[s.nonce(nonce{byte(i), byte(i >> 8)})] = true
	}
	if len(s.known) != maxNonces || len(seen) != 2*maxNonces {
		t.Errorf("%d are known, %d differ", len(s.known), len(seen))
	}
}
