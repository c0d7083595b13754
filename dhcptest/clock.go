package dhcptest

import (
	"container/heap"
	"errors"
	"fmt"
	"time"

	"github.com/lessee/lessee/boottime"
)

// What a run may end with.
var (
	// ErrTimeout says that what was waited for did not happen in time.
	ErrTimeout = errors.New("dhcptest: it did not happen in time")
	// ErrLivelock says that so much happened at one instant that time would
	// never pass.
	ErrLivelock = errors.New("dhcptest: livelock")
)

// MaxPerInstant is how many events may run at one instant before a run ends
// with [ErrLivelock].
const MaxPerInstant = 100_000

// A Clock is a virtual clock and what is to happen when: nothing runs but in
// [Clock.Step] and the methods that call it, one event after the other, those
// of one instant in the order in which they were set. The zero Clock is ready
// for use and stands at the instant 0. It is for one goroutine.
type Clock struct {
	now     boottime.Instant
	events  events
	set     uint64 // events ever set: their order
	instant int    // events run at now
}

// An Event is something that is to happen.
type Event struct {
	clock *Clock
	at    boottime.Instant
	order uint64
	do    func()
	index int // in the heap; -1: it ran or was stopped
}

// Now returns the time.
func (c *Clock) Now() boottime.Instant { return c.now }

// At has do called at an instant; one that has passed means now.
func (c *Clock) At(at boottime.Instant, do func()) *Event {
	c.set++
	e := &Event{clock: c, at: max(at, c.now), order: c.set, do: do}
	heap.Push(&c.events, e)
	return e
}

// After has do called after a while.
func (c *Clock) After(d time.Duration, do func()) *Event { return c.At(c.now.Add(d), do) }

// Stop keeps the event from happening. Stopping one that happened, or nil, has
// no effect.
func (e *Event) Stop() {
	if e != nil && e.index >= 0 {
		heap.Remove(&e.clock.events, e.index)
	}
}

// Next returns when the next event is due; false if there is none.
func (c *Clock) Next() (boottime.Instant, bool) {
	if len(c.events) == 0 {
		return 0, false
	}
	return c.events[0].at, true
}

// Step runs the next event, at its time; false if there is none.
func (c *Clock) Step() bool {
	if len(c.events) == 0 {
		return false
	}
	e := c.events[0]
	heap.Remove(&c.events, 0)
	if e.at.After(c.now) {
		c.now, c.instant = e.at, 0
	}
	c.instant++
	e.do()
	return true
}

// Run lets d pass. The error, if there is one, wraps [ErrLivelock].
func (c *Clock) Run(d time.Duration) error {
	end := c.now.Add(d)
	for {
		at, ok := c.Next()
		if !ok || at.After(end) {
			if end.After(c.now) {
				c.now, c.instant = end, 0
			}
			return nil
		}
		if err := c.step(); err != nil {
			return err
		}
	}
}

// Until lets time pass until done reports true, which is asked now and after
// every event. If that is not within limit the error wraps [ErrTimeout]; it may
// also wrap [ErrLivelock].
func (c *Clock) Until(limit time.Duration, done func() bool) error {
	end := c.now.Add(limit)
	for !done() {
		at, ok := c.Next()
		if !ok || at.After(end) {
			if end.After(c.now) {
				c.now, c.instant = end, 0
			}
			return fmt.Errorf("%w: %v have passed", ErrTimeout, limit)
		}
		if err := c.step(); err != nil {
			return err
		}
	}
	return nil
}

func (c *Clock) step() error {
	c.Step()
	if c.instant > MaxPerInstant {
		return fmt.Errorf("%w: more than %d events at %v", ErrLivelock, MaxPerInstant, c.now)
	}
	return nil
}

// events implements heap.Interface.
type events []*Event

func (q events) Len() int { return len(q) }

func (q events) Less(i, j int) bool {
	if q[i].at != q[j].at {
		return q[i].at.Before(q[j].at)
	}
	return q[i].order < q[j].order
}

func (q events) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

func (q *events) Push(x any) {
	e := x.(*Event) //nolint:errcheck,forcetypeassert // only At pushes
	e.index = len(*q)
	*q = append(*q, e)
}

func (q *events) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	e.index = -1
	return e
}
