package core

import (
	"container/heap"

	"github.com/lessee/lessee/boottime"
)

// A timed is something that has a deadline.
type timed interface {
	slot() *slot
	// timeout is called when the deadline has come. It is over then.
	timeout(c *Core)
}

// A slot is the place of a timed in the queue of deadlines.
type slot struct {
	at       boottime.Instant
	position int // counted from 1; 0: it has no deadline
}

// deadlines orders all by the instant at which a Timeout is due.
type deadlines struct{ q queue }

// set gives one a deadline.
func (d *deadlines) set(t timed, at boottime.Instant) {
	s := t.slot()
	switch {
	case s.position == 0:
		s.at = at
		heap.Push(&d.q, t)
	case s.at != at:
		s.at = at
		heap.Fix(&d.q, s.position-1)
	}
}

func (d *deadlines) remove(t timed) {
	if s := t.slot(); s.position != 0 {
		heap.Remove(&d.q, s.position-1)
	}
}

func (d *deadlines) first() (boottime.Instant, bool) {
	if len(d.q) == 0 {
		return 0, false
	}
	return d.q[0].slot().at, true
}

// soonest takes the one whose deadline is the first out of the queue.
func (d *deadlines) soonest() timed {
	t := d.q[0]
	heap.Remove(&d.q, 0)
	return t
}

// A queue implements heap.Interface.
type queue []timed

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].slot().at.Before(q[j].slot().at) }
func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].slot().position, q[j].slot().position = i+1, j+1
}

func (q *queue) Push(x any) {
	t := x.(timed) //nolint:errcheck,forcetypeassert // only set pushes
	t.slot().position = len(*q) + 1
	*q = append(*q, t)
}

func (q *queue) Pop() any {
	last := len(*q) - 1
	t := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	t.slot().position = 0
	return t
}
