package boottime_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/lessee/lessee/boottime"
)

func TestAddSaturates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		at   boottime.Instant
		by   time.Duration
		want boottime.Instant
	}{
		{0, 0, 0},
		{5, 7, 12},
		{5, -7, -2},
		{math.MaxInt64, 1, math.MaxInt64},
		{math.MaxInt64 - 1, 1, math.MaxInt64},
		{1, math.MaxInt64, math.MaxInt64},
		{math.MinInt64, -1, math.MinInt64},
		{-2, math.MinInt64, math.MinInt64},
		{math.MaxInt64, -1, math.MaxInt64 - 1},
		{math.MinInt64, math.MaxInt64, -1},
		{math.MaxInt64, math.MinInt64, -1},
	} {
		if got := c.at.Add(c.by); got != c.want {
			t.Errorf("%d.Add(%d) is %d, want %d", c.at, c.by, got, c.want)
		}
	}
}

func TestSubSaturates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		at, from boottime.Instant
		want     time.Duration
	}{
		{0, 0, 0},
		{12, 5, 7},
		{5, 12, -7},
		{math.MaxInt64, math.MinInt64, math.MaxInt64},
		{math.MinInt64, math.MaxInt64, math.MinInt64},
		{math.MaxInt64, -1, math.MaxInt64},
		{-2, math.MaxInt64, math.MinInt64},
		{-1, math.MinInt64, math.MaxInt64},
		{math.MinInt64, 1, math.MinInt64},
	} {
		if got := c.at.Sub(c.from); got != c.want {
			t.Errorf("%d.Sub(%d) is %d, want %d", c.at, c.from, got, c.want)
		}
	}
}

func TestOrder(t *testing.T) {
	t.Parallel()
	early, late := boottime.Instant(-1), boottime.Instant(1)
	if !early.Before(late) || late.Before(early) || early.Before(early) {
		t.Error("Before")
	}
	if !late.After(early) || early.After(late) || late.After(late) {
		t.Error("After")
	}
}

func Example() {
	start := boottime.Instant(0).Add(3 * time.Minute)
	end := start.Add(time.Hour)
	fmt.Println(end, end.Sub(start), start.Before(end))
	// Output: 1h3m0s 1h0m0s true
}
