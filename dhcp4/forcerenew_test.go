package dhcp4

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // what RFC 6704 prescribes
	"net/netip"
	"testing"
	"time"

	wire "github.com/lessee/lessee/wire/dhcp4"
)

var testKey = [16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}

// order is a server's FORCERENEW, signed with a key.
func order(key [16]byte, replay uint64) []byte {
	r := reply{t: wire.ForceRenew, xid: 99, your: unspecified, server: testServer, without: map[wire.OptionCode]bool{
		wire.OptionLeaseTime: true, wire.OptionSubnetMask: true,
	}}
	r.change = func(b *wire.Builder) { b.AddOption(wire.OptionAuthentication, digest(replay)) }
	m := r.bytes()
	// RFC 3118 section 3 and RFC 6704 section 3.1.3: over the whole message,
	// with the digest zero.
	mac := hmac.New(md5.New, key[:])
	_, _ = mac.Write(m)
	at := bytes.Index(m, append([]byte{90, 28}, digest(replay)...)) + 2 + 12
	copy(m[at:], mac.Sum(nil))
	return m
}

// obedient is a client that got a lease with a nonce.
func obedient(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, func(cfg *Config) { cfg.ForceRenew = true })
	begin(w)
	r := w.newReply(wire.Offer)
	r.change = func(b *wire.Builder) { b.AddUint8(wire.OptionForceRenewNonce, 1) }
	w.reply(r)
	w.reply(w.withNonce(testKey, 5))
	if !w.c.Receptive() {
		t.Fatal("a client with a nonce is not receptive")
	}
	w.now = w.now.Add(time.Minute)
	return w
}

func (w *world) withNonce(key [16]byte, replay uint64) reply {
	r := w.newReply(wire.ACK)
	r.change = func(b *wire.Builder) {
		b.AddOption(wire.OptionAuthentication, wire.NonceAuth(replay, key).Append(nil))
	}
	return r
}

func (w *world) told(m []byte) []Output {
	return w.tell(Datagram{Message: m, From: testServer, Link: testLink})
}

// TestForceRenew: a FORCERENEW with the right digest makes the client renew, once.
func TestForceRenew(t *testing.T) {
	t.Parallel()
	w := obedient(t)
	m := order(testKey, 6)
	outs := w.told(m)
	sent := w.sent()
	if len(sent) != 1 || sent[0].Type != wire.Request || sent[0].Destination != testServer || w.c.State() != StateRenewing {
		t.Fatalf("%v, in %v", outs, w.c.State())
	}
	if n := w.c.Counters().Received(wire.ForceRenew); n != 1 {
		t.Errorf("%d are counted", n)
	}
	// An ACK without a nonce leaves the one there is, and what was seen with it.
	w.reply(w.newReply(wire.ACK))
	l, _ := w.c.Lease()
	if l.Nonce == nil || l.Nonce.Key != testKey || l.Nonce.Replay != 6 {
		t.Errorf("the renewed lease has %+v", l.Nonce)
	}
	w.now = w.now.Add(time.Minute)
	if got, ok := find[Dropped](w.told(m)); !ok || got.Why != RejectReplayed || len(w.sent()) != 0 {
		t.Errorf("sent again: %v", w.out)
	}
}

// TestForceRenewSameNonce: a server that gives the nonce again and counts anew
// has none of its old orders obeyed.
func TestForceRenewSameNonce(t *testing.T) {
	t.Parallel()
	w := obedient(t)
	m := order(testKey, 6)
	w.told(m)
	w.reply(w.withNonce(testKey, 1))
	w.now = w.now.Add(time.Minute)
	w.told(m)
	if w.c.State() != StateBound || w.c.Counters().Rejected(RejectReplayed) != 1 {
		t.Errorf("in %v, %d replays refused", w.c.State(), w.c.Counters().Rejected(RejectReplayed))
	}
	// Another nonce counts for itself.
	other := [16]byte{9}
	w.tell(Renew{})
	w.reply(w.withNonce(other, 1))
	w.now = w.now.Add(time.Minute)
	w.told(order(other, 2))
	if w.c.State() != StateRenewing {
		t.Errorf("the order with the new nonce left it in %v", w.c.State())
	}
}

// TestForceRenewForged: none of these makes the client send anything.
func TestForceRenewForged(t *testing.T) {
	t.Parallel()
	other := testKey
	other[0]++
	plain := func(change func(*wire.Builder)) []byte {
		return reply{t: wire.ForceRenew, server: testServer, your: unspecified, change: change}.bytes()
	}
	damaged := func(at int) []byte {
		m := order(testKey, 6)
		m[at] ^= 1
		return m
	}
	nonce := wire.NonceAuth(6, testKey).Append(nil)
	for name, c := range map[string]struct {
		m   []byte
		why Rejection
	}{
		"plain":                {plain(nil), RejectUnauthenticated},
		"another key":          {order(other, 6), RejectBadDigest},
		"no key":               {order([16]byte{}, 6), RejectBadDigest},
		"an older one":         {order(testKey, 5), RejectReplayed},
		"the greatest, forged": {order(other, ^uint64(0)), RejectBadDigest},
		"another xid":          {damaged(4), RejectBadDigest},
		"another server":       {damaged(240 + 3 + 2), RejectBadDigest},
		"the nonce itself": {plain(func(b *wire.Builder) {
			b.AddOption(wire.OptionAuthentication, nonce)
		}), RejectUnauthenticated},
		"two of option 90": {plain(func(b *wire.Builder) {
			b.AddOption(wire.OptionAuthentication, digest(6))
			b.AddOption(wire.OptionAuthentication, digest(7))
		}), RejectUnauthenticated},
		"a token (RFC 3118 section 4)": {plain(func(b *wire.Builder) {
			b.AddOption(wire.OptionAuthentication, append(make([]byte, 11), "password"...))
		}), RejectUnauthenticated},
		"cut off": {plain(func(b *wire.Builder) {
			b.AddOption(wire.OptionAuthentication, digest(6)[:20])
		}), RejectUnauthenticated},
	} {
		w := obedient(t)
		got, ok := find[Dropped](w.told(c.m))
		if !ok || got.Why != c.why || len(w.out) != 1 || w.c.State() != StateBound {
			t.Errorf("%s: %v, want it dropped: %v", name, w.out, c.why)
		}
		if _, ok := find[Moved](w.told(order(testKey, 6))); !ok {
			t.Errorf("%s: the real one is not obeyed any more: %v", name, w.out)
		}
	}
}

// TestForceRenewRelayed: what relays change does not count (RFC 3118 section 3).
func TestForceRenewRelayed(t *testing.T) {
	t.Parallel()
	w := obedient(t)
	m := order(testKey, 6)
	m[3] = 2                             // hops
	copy(m[24:28], []byte{10, 77, 0, 3}) // giaddr
	if w.told(m); w.c.State() != StateRenewing {
		t.Errorf("%v", w.out)
	}
}

// TestForceRenewPace: a server that cannot stop asking gets one exchange a second.
func TestForceRenewPace(t *testing.T) {
	t.Parallel()
	w := obedient(t)
	began, sent := w.now, 0
	for replay := uint64(6); w.now.Sub(began) < 10*time.Second; replay++ {
		w.told(order(testKey, replay))
		sent += len(w.sent())
		if w.c.State() == StateRenewing {
			w.reply(w.newReply(wire.ACK))
		}
		w.now = w.now.Add(50 * time.Millisecond)
		w.tell(Timeout{})
		sent += len(w.sent())
		if w.c.State() == StateRenewing {
			w.reply(w.newReply(wire.ACK))
		}
	}
	if sent < 5 || sent > 11 {
		t.Errorf("%d REQUESTs in 10 s", sent)
	}
}

// TestForceRenewUnanswered: the lease's server is asked four times, and then T1
// is awaited as before.
func TestForceRenewUnanswered(t *testing.T) {
	t.Parallel()
	w := obedient(t)
	w.told(order(testKey, 6))
	sent := len(w.sent())
	for w.c.State() == StateRenewing {
		w.wait()
		sent += len(w.sent())
	}
	if at, why, ok := w.c.Deadline(); sent != burst || w.c.State() != StateBound || why != TimerT1 || !ok || at.Sub(w.now) < 20*time.Minute {
		t.Errorf("%d REQUESTs, then %v until %v", sent, w.c.State(), at)
	}
}

// TestForceRenewNonce: what makes a client receptive, and what does not.
func TestForceRenewNonce(t *testing.T) {
	t.Parallel()
	// It says that it takes part, in DISCOVER and REQUEST.
	w := obedient(t)
	w.tell(Renew{})
	if p := parse(t, w.sent()[0]); !p.AcceptsNonces() {
		t.Error("a REQUEST does not say so")
	}
	if w.c.Receptive() {
		t.Error("receptive while an answer is awaited anyway")
	}
	// A new nonce replaces the one before, whatever its counter.
	other := testKey
	other[0]++
	w.reply(w.withNonce(other, 1))
	w.now = w.now.Add(time.Minute)
	if w.told(order(testKey, 9)); w.c.State() != StateBound {
		t.Errorf("the former nonce still counts: %v", w.out)
	}
	if w.told(order(other, 2)); w.c.State() != StateRenewing {
		t.Errorf("the new nonce does not count: %v", w.out)
	}
	// Without the setting, or without a nonce, nothing is obeyed.
	for _, on := range []bool{false, true} {
		w := newWorld(t, func(cfg *Config) { cfg.ForceRenew = on })
		begin(w)
		if p := parse(t, w.sent()[0]); p.AcceptsNonces() != on {
			t.Errorf("force renew %v: a DISCOVER says %v", on, p.AcceptsNonces())
		}
		r := w.newReply(wire.Offer)
		r.change = func(b *wire.Builder) { b.AddUint8(wire.OptionForceRenewNonce, 1) }
		w.reply(r)
		ack := w.newReply(wire.ACK)
		if !on {
			ack = w.withNonce(testKey, 1)
		}
		w.reply(ack)
		if w.c.State() != StateBound || w.c.Receptive() {
			t.Errorf("force renew %v: in %v, receptive %v", on, w.c.State(), w.c.Receptive())
		}
		if got, ok := find[Dropped](w.told(order(testKey, 2))); !ok || got.Why != RejectForceRenew {
			t.Errorf("force renew %v: %v", on, w.out)
		}
	}
	// Another server's lease has no use for the nonce of the one before.
	w = obedient(t)
	w.tell(LinkDown{})
	w.tell(LinkUp{})
	r := w.newReply(wire.ACK)
	r.server = testAddr.Next()
	w.reply(r)
	if w.c.State() != StateBound || w.c.Receptive() {
		t.Errorf("in %v, receptive %v", w.c.State(), w.c.Receptive())
	}
	// A lease from the disk brings its nonce and its counter.
	w = newWorld(t, func(cfg *Config) { cfg.ForceRenew = true })
	l := w.oldLease()
	l.Nonce = &Nonce{Key: testKey, Replay: 8}
	w.tell(LinkUp{})
	w.tell(Start{Lease: l, InUse: true})
	w.now = w.now.Add(time.Minute)
	if got, ok := find[Dropped](w.told(order(testKey, 8))); !ok || got.Why != RejectReplayed {
		t.Errorf("after a restart: %v", w.out)
	}
	if w.told(order(testKey, 9)); w.c.State() != StateRenewing {
		t.Errorf("after a restart: %v", w.out)
	}
	// So does the lease of another network, where the counter may be lower.
	w.tell(LinkDown{})
	w.tell(LinkUp{})
	l = w.oldLease()
	l.Address = netip.MustParsePrefix("10.88.0.7/24")
	l.Nonce = &Nonce{Key: other, Replay: 1}
	w.tell(Confirmed{Lease: l})
	for w.c.State() != StateBound {
		w.wait()
	}
	w.now = w.now.Add(time.Minute)
	if w.told(order(other, 2)); w.c.State() != StateRenewing {
		t.Errorf("on another network: %v", w.out)
	}
}

// TestForceRenewFloodCostsNothing: what is not authenticated takes no memory.
func TestForceRenewFloodCostsNothing(t *testing.T) {
	w := obedient(t)
	old, plain := order(testKey, 5), reply{t: wire.ForceRenew, server: testServer}.bytes()
	w.told(old)
	if n := testing.AllocsPerRun(100, func() {
		for _, m := range [][]byte{old, plain} {
			w.c.Handle(w.now, Datagram{Message: m, From: testServer, Link: testLink})
			w.c.Poll()
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
