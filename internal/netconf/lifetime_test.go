package netconf

import (
	"testing"
	"time"

	"github.com/lessee/lessee/boottime"
)

// TestLifetimes: the kernel's seconds end no later than the lease, unless so
// little is left that they would end before the renewal.
func TestLifetimes(t *testing.T) {
	t.Parallel()
	const now = boottime.Instant(1000 * time.Second)
	for _, c := range []struct {
		left time.Duration
		want uint32
	}{
		{time.Hour, 3600},
		{time.Hour - time.Millisecond, 3599},
		{4*time.Second - time.Millisecond, 3},
		{3 * time.Second, 3},
		{3*time.Second - time.Millisecond, 3},
		{2 * time.Second, 2},
		{2*time.Second - time.Millisecond, 2}, // a lease of 2 s, whose T1 is after 1 s
		{time.Millisecond, 1},
		{-time.Second, 1},
	} {
		end := now.Add(c.left)
		valid, preferred := (Lifetime{ValidUntil: end, PreferredUntil: end}).Seconds(now)
		if valid != c.want || preferred > valid {
			t.Errorf("%v left: valid %d, preferred %d; want %d", c.left, valid, preferred, c.want)
		}
	}
}

// TestNear: a second or two do not count, but of a lease that has only a few.
func TestNear(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		has, want uint32
		near      bool
	}{
		{3600, 3600, true},
		{3601, 3600, true},
		{3602, 3600, false},
		{3598, 3600, true},
		{3597, 3600, false},
		{2, 2, true},
		{1, 2, false},
		{Forever, 3600, false},
		{3600, Forever, false},
		{Forever, Forever, true},
	} {
		if got := near(c.has, c.want); got != c.near {
			t.Errorf("kernel has %d, wanted are %d: near %v", c.has, c.want, got)
		}
	}
}
