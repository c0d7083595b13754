// Package boottime has the one notion of time that the protocol packages use:
// an [Instant] counts nanoseconds since the system booted and goes on counting
// while the system is suspended, as Linux's CLOCK_BOOTTIME does.
//
// A lease runs out in suspend like anywhere else, so nothing that decides about
// a lease may use a clock that stops there. The package reads no clock itself:
// time is an argument everywhere.
package boottime

import (
	"math"
	"time"
)

// An Instant is a moment: nanoseconds since boot, suspended time included.
// The zero Instant is the moment of boot, not "no time": where there may be
// none, a function returns a bool beside it.
type Instant int64

// Add returns the instant d after t. It saturates at the ends of the range
// (about 292 years) instead of wrapping.
func (t Instant) Add(d time.Duration) Instant {
	s := t + Instant(d)
	switch {
	case d > 0 && s < t:
		return math.MaxInt64
	case d < 0 && s > t:
		return math.MinInt64
	}
	return s
}

// Sub returns the time that passes from u to t; it is negative if t is before u.
// It saturates as Add does.
func (t Instant) Sub(u Instant) time.Duration {
	d := t - u
	switch {
	case t > u && d < 0:
		return math.MaxInt64
	case t < u && d > 0:
		return math.MinInt64
	}
	return time.Duration(d)
}

// Before reports whether t is earlier than u.
func (t Instant) Before(u Instant) bool { return t < u }

// After reports whether t is later than u.
func (t Instant) After(u Instant) bool { return t > u }

// String returns the time since boot, such as "3m2.5s".
func (t Instant) String() string { return time.Duration(t).String() }
