package driver

import (
	"container/heap"

	"github.com/lessee/lessee/boottime"
)

// deadlines orders adapters by the instant at which their Timeout is due.
type deadlines struct{ q queue }

// notQueued is the position of an adapter without a deadline.
const notQueued = -1

func (d *deadlines) set(a *adapter, at boottime.Instant) {
	a.due = at
	if a.position == notQueued {
		heap.Push(&d.q, a)
		return
	}
	heap.Fix(&d.q, a.position)
}

func (d *deadlines) remove(a *adapter) {
	if a.position != notQueued {
		heap.Remove(&d.q, a.position)
	}
}

func (d *deadlines) first() (boottime.Instant, bool) {
	if len(d.q) == 0 {
		return 0, false
	}
	return d.q[0].due, true
}

// due returns an adapter whose instant has come.
func (d *deadlines) due(now boottime.Instant) (*adapter, bool) {
	if len(d.q) == 0 || d.q[0].due.After(now) {
		return nil, false
	}
	return d.q[0], true
}

// A queue implements heap.Interface.
type queue []*adapter

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].due.Before(q[j].due) }
func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].position, q[j].position = i, j
}

func (q *queue) Push(x any) {
	a := x.(*adapter) //nolint:errcheck,forcetypeassert // only set pushes
	a.position = len(*q)
	*q = append(*q, a)
}

func (q *queue) Pop() any {
	last := len(*q) - 1
	a := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	a.position = notQueued
	return a
}
