package simulation

import (
	"slices"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/tenancy/v4"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// A bucket bounds a rate: it holds size drops, and gets one every so often.
type bucket struct {
	size, level float64
	every       time.Duration
	last        boottime.Instant
}

// take takes a drop; false if there is none.
func (b *bucket) take(now boottime.Instant) bool {
	b.level = min(b.size, b.level+float64(now.Sub(b.last))/float64(b.every))
	b.last = now
	b.level--
	return b.level >= 0
}

func (b *bucket) fill(n float64) { b.level = min(b.size, b.level+n) }

// rates bound what the client sends.
type rates struct {
	// any: never much more than a message a second, whatever servers say.
	any bucket
	// unanswered: while nobody answers, it becomes rare.
	unanswered bucket
	// In state, the last message left at last. fresh: none has since the client
	// came there, or somebody from outside gave a reason.
	state dhcp4.State
	last  boottime.Instant
	fresh bool
}

func (r *rates) init() {
	r.any = bucket{size: 24, level: 24, every: time.Second}
	r.unanswered = bucket{size: 60, level: 60, every: 40 * time.Second}
	r.fresh = true
}

// trigger: somebody or something from outside wants packets.
func (r *rates) trigger() {
	r.any.fill(6)
	r.unanswered.fill(12)
	r.fresh = true
}

// heard: an answer to a question of ours.
func (r *rates) heard() { r.unanswered.fill(r.unanswered.size) }

// moved: the client came to a state.
func (r *rates) moved() { r.fresh = true }

// permitted is what leaves in each state: nothing in the others. Two messages
// of one state are a second apart at least. In INIT a DISCOVER may be on its way
// out already when the link is found to have gone.
var permitted = map[dhcp4.State][]wire.MessageType{
	dhcp4.StateInit:       {wire.Decline, wire.Discover},
	dhcp4.StateSelecting:  {wire.Discover},
	dhcp4.StateRequesting: {wire.Request},
	dhcp4.StateRenewing:   {wire.Request},
	dhcp4.StateRebinding:  {wire.Request},
	dhcp4.StateRebooting:  {wire.Request},
	dhcp4.StateReleased:   {wire.Release},
}

// sent: the tenancy says that it sends a message.
func (r *rates) sent(s *simulation, o v4.Note) {
	now := s.now()
	switch {
	case !slices.Contains(permitted[o.State], o.Message):
		s.broke("no storm", "%v leaves in %v", o.Message, o.State)
	case !r.fresh && r.state == o.State && now.Sub(r.last) < time.Second:
		s.broke("no storm", "%v in %v, %v after the one before", o.Message, o.State, now.Sub(r.last))
	case !r.any.take(now):
		s.broke("no storm", "%v in %v: more than a message a second", o.Message, o.State)
	case !r.unanswered.take(now):
		s.broke("no storm", "%v in %v: nobody answers, and it does not become rare", o.Message, o.State)
	}
	r.state, r.last, r.fresh = o.State, now, false
}
