package driver

import (
	"testing"
	"time"
)

// TestRoundPatience: the caller reads the time that was asked for, not what was
// left of it when the call arrived.
func TestRoundPatience(t *testing.T) {
	t.Parallel()
	for left, want := range map[time.Duration]time.Duration{
		19990 * time.Millisecond: 20 * time.Second,
		1499 * time.Millisecond:  1500 * time.Millisecond,
		989 * time.Millisecond:   time.Second,
		499 * time.Millisecond:   500 * time.Millisecond,
	} {
		if got := roundPatience(left); got != want {
			t.Errorf("%v: %v, want %v", left, got, want)
		}
	}
}
