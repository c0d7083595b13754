package dhcp4

import (
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // what RFC 6704 prescribes

	"github.com/lessee/lessee/boottime"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// A Nonce is what a server gave with a lease to prove itself by when it asks for
// a renewal (RFC 6704). It is a secret between the two.
type Nonce struct {
	Key [16]byte
	// Replay is the greatest replay detection value that was seen with it.
	Replay uint64
}

// keepNonce puts the ACK's nonce into the lease, or keeps the server's former one.
//
// RFC 6704, section 3.1.3: the nonce comes with the ACK.
//
// Deviation: "Missing nonce" in docs/deviations.md: an ACK without one is taken.
func (c *Client) keepNonce(l *Lease, m message) {
	if !c.is(forceRenew) {
		return
	}
	if v, ok := m.Option(wire.OptionAuthentication); ok {
		a, err := wire.ParseAuth(v)
		if key, is := a.Nonce(); err == nil && is {
			l.Nonce = &Nonce{Key: key, Replay: a.Replay}
			if old := c.known(); old != nil && old.Nonce != nil && old.Nonce.Key == key {
				// What was seen with this nonce is not forgotten.
				l.Nonce.Replay = max(a.Replay, old.Nonce.Replay, c.replay)
			}
			c.replay = l.Nonce.Replay
			return
		}
	}
	if old := c.known(); old != nil && old.Nonce != nil && old.Server == l.Server {
		l.Nonce = &Nonce{Key: old.Nonce.Key, Replay: max(old.Nonce.Replay, c.replay)}
	}
}

// Receptive reports whether a FORCERENEW may come: then there is a reason to
// receive datagrams though no answer is awaited.
func (c *Client) Receptive() bool {
	_, idle := c.state.(*bound)
	return idle && c.link && c.is(forceRenew) && c.lease.Nonce != nil
}

// forced takes a FORCERENEW.
//
// RFC 3203, section 3: "Upon receipt of the unicast FORCERENEW message, the
// client MUST change its state to the RENEW state, and MUST then try to renew
// its lease according to normal DHCP procedures." Whoever can send to the client
// could make it do so: RFC 6704 section 3.1.4 has it obey only where the message
// proves that its sender knows the nonce, and no message twice (RFC 3118
// section 5.3).
func (c *Client) forced(now boottime.Instant, m message) Rejection {
	if !c.is(forceRenew) || c.lease == nil || c.lease.Nonce == nil {
		return RejectForceRenew
	}
	v, ok := m.Option(wire.OptionAuthentication)
	if !ok {
		return RejectUnauthenticated
	}
	a, err := wire.ParseAuth(v)
	digest, is := a.Digest()
	if err != nil || !is {
		return RejectUnauthenticated
	}
	if a.Replay <= max(c.replay, c.lease.Nonce.Replay) {
		return RejectReplayed
	}
	text, ok := m.AppendAuthenticated(nil)
	if !ok {
		return RejectUnauthenticated
	}
	mac := hmac.New(md5.New, c.lease.Nonce.Key[:])
	_, _ = mac.Write(text) // never fails
	if !hmac.Equal(mac.Sum(nil), digest[:]) {
		return RejectBadDigest
	}
	c.replay = a.Replay
	c.counters.countReceived(wire.ForceRenew)
	c.emit(Received{Type: wire.ForceRenew, Server: c.lease.Server})
	b, idle := c.state.(*bound)
	if !idle {
		return RejectUnexpected // it is being renewed
	}
	b.forced = true
	if c.link {
		b.timeout(c, now)
	}
	return accepted
}
