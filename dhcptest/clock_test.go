package dhcptest

import (
	"errors"
	"slices"
	"testing"
	"time"
)

func TestClockRunsEventsInOrder(t *testing.T) {
	t.Parallel()
	var c Clock
	var got []string
	note := func(s string) func() {
		return func() { got = append(got, s+" "+c.Now().String()) }
	}
	c.After(2*time.Second, note("c"))
	c.After(time.Second, note("a"))
	c.After(time.Second, note("b"))
	gone := c.After(time.Second, note("stopped"))
	gone.Stop()
	gone.Stop()
	(*Event)(nil).Stop()
	c.After(time.Second, func() { c.At(0, note("at once")) })
	if err := c.Run(1500 * time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if want := []string{"a 1s", "b 1s", "at once 1s"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if at, ok := c.Next(); c.Now().String() != "1.5s" || !ok || at.String() != "2s" {
		t.Errorf("now %v, next %v %v", c.Now(), at, ok)
	}
	if !c.Step() || c.Step() || c.Now().String() != "2s" {
		t.Errorf("now %v", c.Now())
	}
}

func TestClockUntil(t *testing.T) {
	t.Parallel()
	var c Clock
	there := false
	c.After(time.Second, func() { there = true })
	if err := c.Until(time.Minute, func() bool { return there }); err != nil || c.Now().String() != "1s" {
		t.Errorf("%v at %v", err, c.Now())
	}
	err := c.Until(time.Minute, func() bool { return false })
	if !errors.Is(err, ErrTimeout) || c.Now().String() != "1m1s" {
		t.Errorf("%v at %v", err, c.Now())
	}
}

func TestClockFindsLivelock(t *testing.T) {
	t.Parallel()
	var c Clock
	var again func()
	again = func() { c.After(0, again) }
	again()
	if err := c.Run(time.Second); !errors.Is(err, ErrLivelock) {
		t.Errorf("%v", err)
	}
	if err := c.Until(time.Second, func() bool { return false }); !errors.Is(err, ErrLivelock) {
		t.Errorf("%v", err)
	}
}
