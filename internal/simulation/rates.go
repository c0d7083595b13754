package simulation

import (
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
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

// rates bound what the client sends, by its reasons.
type rates struct {
	// any: never much more than a message a second, whatever servers say.
	any bucket
	// unanswered: while nobody answers, it becomes rare.
	unanswered bucket
	// last is when a message of a kind left last in a state.
	state dhcp4.State
}

func (r *rates) init() {
	r.any = bucket{size: 24, level: 24, every: time.Second}
	r.unanswered = bucket{size: 60, level: 60, every: 40 * time.Second}
}

// trigger: somebody or something from outside wants packets.
func (r *rates) trigger() {
	r.any.fill(6)
	r.unanswered.fill(12)
}

// heard: an answer to a question of ours.
func (r *rates) heard() { r.unanswered.fill(r.unanswered.size) }

func (r *rates) sent(s *simulation, t dhcp4.Transmit) {
	now := s.now()
	r.state = s.m.tenancy.Status().State
	if !r.any.take(now) {
		s.broke("no storm", "%v in %v: more than a message a second", t.Type, r.state)
	}
	if !r.unanswered.take(now) {
		s.broke("no storm", "%v in %v: nobody answers, and it does not become rare", t.Type, r.state)
	}
}
