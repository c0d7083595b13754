package dhcp4

import (
	"iter"

	wire "github.com/lessee/lessee/wire/dhcp4"
)

// Counters count messages since the client was made. They go on through Stop.
type Counters struct {
	sent     [len(sentNames)]uint64
	received [len(receivedNames)]uint64
	rejected [rejections]uint64
}

// A tally is what Counters are made of. Most clients never reject anything, and
// then have no room for it.
type tally struct {
	sent     [len(sentNames)]uint64
	received [len(receivedNames)]uint64
	rejected *[rejections]uint64
}

func (t *tally) counters() Counters {
	c := Counters{sent: t.sent, received: t.received}
	if t.rejected != nil {
		c.rejected = *t.rejected
	}
	return c
}

// What a client sends, and what it gets.
var (
	sentNames = [...]struct {
		t    wire.MessageType
		name string
	}{
		{wire.Discover, "sent.discover"},
		{wire.Request, "sent.request"},
		{wire.Decline, "sent.decline"},
		{wire.Release, "sent.release"},
		{wire.Inform, "sent.inform"},
	}
	receivedNames = [...]struct {
		t    wire.MessageType
		name string
	}{
		{wire.Offer, "received.offer"},
		{wire.ACK, "received.ack"},
		{wire.NAK, "received.nak"},
		{wire.ForceRenew, "received.force-renew"},
	}
)

// Sent returns how many messages of a type were handed out as [Transmit].
func (c Counters) Sent(t wire.MessageType) uint64 {
	for i, s := range sentNames {
		if s.t == t {
			return c.sent[i]
		}
	}
	return 0
}

// Received returns how many messages of a type came for this client: those
// told as [Received].
func (c Counters) Received(t wire.MessageType) uint64 {
	for i, r := range receivedNames {
		if r.t == t {
			return c.received[i]
		}
	}
	return 0
}

// Rejected returns how many datagrams were not used for that reason.
func (c Counters) Rejected(r Rejection) uint64 {
	if r >= rejections {
		return 0
	}
	return c.rejected[r]
}

// All yields every counter, those at zero too, by its name, such as
// "sent.discover", "received.ack" or "rejected.foreign-xid", in a fixed order.
func (c Counters) All() iter.Seq2[string, uint64] {
	return func(yield func(string, uint64) bool) {
		for i, s := range sentNames {
			if !yield(s.name, c.sent[i]) {
				return
			}
		}
		for i, r := range receivedNames {
			if !yield(r.name, c.received[i]) {
				return
			}
		}
		for r := accepted + 1; r < rejections; r++ {
			if !yield("rejected."+rejectionTable[r].name, c.rejected[r]) {
				return
			}
		}
	}
}

func (t *tally) countSent(typ wire.MessageType) {
	for i, s := range sentNames {
		if s.t == typ {
			t.sent[i]++
		}
	}
}

func (t *tally) countReceived(typ wire.MessageType) {
	for i, r := range receivedNames {
		if r.t == typ {
			t.received[i]++
		}
	}
}

func (t *tally) countRejected(r Rejection) {
	if t.rejected == nil {
		t.rejected = new([rejections]uint64)
	}
	t.rejected[r]++
}
