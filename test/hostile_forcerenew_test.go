package test

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/lessee/lessee/test/lab"
	"github.com/lessee/lessee/wire/udp4"
)

// authentication is option 90 as RFC 6704 has it: protocol 3, HMAC-MD5, a
// counter, then a nonce (1) or a digest (2).
func authentication(counter uint64, kind byte, value []byte) dhcpv4.Modifier {
	v := binary.BigEndian.AppendUint64([]byte{3, 1, 0}, counter)
	v = append(append(v, kind), value...)
	return dhcpv4.WithOption(dhcpv4.OptGeneric(dhcpv4.OptionAuthentication, v))
}

// forceRenew is a FORCERENEW for the client (RFC 3203), proven by the key where
// there is one.
func forceRenew(a *ask, counter uint64, key []byte) []byte {
	typ := dhcpv4.WithMessageType(9)
	m := reply(a, 9, typ)
	if key != nil {
		m = reply(a, 9, typ, authentication(counter, 2, make([]byte, 16)))
		// RFC 6704, section 3.1.3: over the message with the digest all zeros.
		mac := hmac.New(md5.New, key)
		mac.Write(m)
		m = reply(a, 9, typ, authentication(counter, 2, mac.Sum(nil)))
	}
	f := append(append(append([]byte{}, clientMAC...), villainMAC...), 8, 0)
	f, err := udp4.Append(f, udp4.Datagram{
		Source: netip.MustParseAddrPort("10.77.0.1:67"), Destination: netip.MustParseAddrPort("10.77.0.100:68"), Payload: m,
	})
	if err != nil {
		panic(err)
	}
	return f
}

// TestHostileForceRenew has the server ask for a renewal while the client is at rest.
// One that proves nothing, proves it wrongly, or was there before is counted
// and not obeyed.
func TestHostileForceRenew(t *testing.T) {
	t.Parallel()
	v, client := newVillain(t)
	key := bytes.Repeat([]byte{0x5a}, 16)
	v.serve(true, authentication(1, 1, key))
	d := client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}, Config: "[defaults]\nforcerenew = true\n"})
	before := d.AwaitBound(t, "c0")
	v.serve(true) // the nonce is given once
	a := v.latest()
	if can := a.Options.Get(dhcpv4.GenericOptionCode(145)); !bytes.Equal(can, []byte{1}) {
		t.Errorf("option 145 of the REQUEST is %x, want 01", can)
	}
	idle, err := lab.UsageOf(d.Pid())
	if err != nil {
		t.Fatal(err)
	}
	refused := func(counter, what string, frame []byte) {
		t.Helper()
		v.forget()
		was := show(t, d).IPv4.Counters[counter]
		v.send(frame)
		if !lab.Eventually(patience, func() bool { return show(t, d).IPv4.Counters[counter] == was+1 }) {
			t.Errorf("%s is not counted as %s: %v", what, counter, show(t, d).IPv4.Counters)
		}
		if now := show(t, d).IPv4; now.State != "bound" || v.latest() != nil {
			t.Errorf("%s is obeyed: %v, %v", what, now.State, v.latest())
		}
	}
	refused("rejected.unauthenticated", "a FORCERENEW without a proof", forceRenew(a, 0, nil))
	refused("rejected.bad-digest", "one with another key", forceRenew(a, 2, make([]byte, 16)))
	refused("rejected.replayed", "one that is late", forceRenew(a, 1, key))

	v.forget()
	good := forceRenew(a, 7, key)
	v.send(good)
	v.await("renewing")
	if !lab.Eventually(patience, func() bool {
		now := show(t, d).IPv4
		return now.State == "bound" && now.Counters["received.ack"] == 2 && now.Counters["received.force-renew"] == 1
	}) {
		t.Errorf("after a FORCERENEW: %+v", show(t, d).IPv4)
	}
	refused("rejected.replayed", "the same again", good)
	if now := show(t, d).IPv4; now.Address != before.IPv4.Address {
		t.Errorf("the address was %v and is %v", before.IPv4.Address, now.Address)
	}
	// A released lease is nobody's business any more, and needs no socket.
	d.Must(t, "release", "c0")
	counters := show(t, d).IPv4.Counters
	v.send(good)
	if !lab.Eventually(patience, func() bool {
		u, err := lab.UsageOf(d.Pid())
		return err == nil && u.Descriptors < idle.Descriptors
	}) {
		t.Errorf("after the release the daemon has as many descriptors as before: %d", idle.Descriptors)
	}
	for name, n := range show(t, d).IPv4.Counters {
		if n != counters[name] {
			t.Errorf("after the release %s went from %d to %d", name, counters[name], n)
		}
	}
}
