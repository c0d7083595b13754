//go:build linux

package clock

import (
	"testing"
	"time"

	"github.com/lessee/lessee/boottime"
)

func TestTimer(t *testing.T) {
	t.Parallel()
	tm := NewTimer()
	defer tm.Close()
	fires := func(what string) {
		t.Helper()
		select {
		case <-tm.C():
		case <-time.After(10 * time.Second):
			t.Fatalf("did not fire: %s", what)
		}
	}
	for _, at := range []boottime.Instant{-1 << 63, -1, 0, 1, Now(), Now().Add(-time.Hour)} {
		tm.Reset(at)
		fires("in the past")
	}
	at := Now().Add(20 * time.Millisecond)
	tm.Reset(at)
	fires("in 20 ms")
	if now := Now(); now.Before(at) {
		t.Errorf("fired %v early", at.Sub(now))
	}
	select {
	case <-tm.C():
		t.Error("fired twice")
	default:
	}
	// A tick that nobody took is taken back by Reset and by Stop.
	for range 100 {
		tm.Reset(0)
		tm.Reset(1<<63 - 1)
		select {
		case <-tm.C():
			t.Fatal("a tick of the earlier setting")
		default:
		}
		tm.Reset(0)
		tm.Stop()
		select {
		case <-tm.C():
			t.Fatal("a tick after Stop")
		default:
		}
	}
	tm.Reset(0)
	fires("after Stop")
	if err := tm.Close(); err != nil {
		t.Error(err)
	}
	tm.Reset(0) // does no harm
}

func TestBootID(t *testing.T) {
	t.Parallel()
	a, err := BootID()
	if err != nil || len(a) != 36 {
		t.Fatal(a, err)
	}
	if b, _ := BootID(); a != b {
		t.Errorf("%q, then %q", a, b)
	}
}
