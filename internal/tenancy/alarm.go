package tenancy

import (
	"math"
	"time"

	"github.com/lessee/lessee/boottime"
)

// An Alarm is an instant at which something is due; 0: nothing is.
type Alarm boottime.Instant

// Set sets it.
func (a *Alarm) Set(at boottime.Instant) { *a = Alarm(at) }

// Stop has nothing be due.
func (a *Alarm) Stop() { *a = 0 }

// IsSet reports whether something is due.
func (a Alarm) IsSet() bool { return a != 0 }

// Rang reports whether its instant has come.
func (a Alarm) Rang(now boottime.Instant) bool { return a != 0 && !now.Before(boottime.Instant(a)) }

// A Retry is the schedule of trying again what failed. The zero Retry is that of
// what has not failed.
type Retry struct {
	Alarm

	delay time.Duration
}

// Again sets the next attempt: after firstRetry, then twice as long each time.
func (r *Retry) Again(now boottime.Instant) {
	r.delay = min(max(2*r.delay, firstRetry), lastRetry)
	r.Set(now.Add(r.delay))
}

// Failing reports whether the last attempt failed.
func (r *Retry) Failing() bool { return r.delay > 0 }

// Delays between attempts.
const (
	firstRetry = time.Second
	lastRetry  = time.Minute
)

// A Soonest keeps the earliest of the instants that are set.
type Soonest struct{ at boottime.Instant }

// never is later than any instant at which something is due.
const never = boottime.Instant(math.MaxInt64)

// NewSoonest returns one that has seen no instant.
func NewSoonest() Soonest { return Soonest{never} }

// Add adds an instant, if it is set.
func (s *Soonest) Add(at boottime.Instant, set bool) {
	if set && at.Before(s.at) {
		s.at = at
	}
}

// add adds that of an alarm.
func (s *Soonest) add(a Alarm) { s.Add(boottime.Instant(a), a.IsSet()) }

// Earliest returns the earliest instant; false if none is set.
func (s *Soonest) Earliest() (boottime.Instant, bool) {
	if s.at == never {
		return 0, false
	}
	return s.at, true
}
