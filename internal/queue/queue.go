// Package queue has what a state machine wants done until that is taken.
package queue

import "sync" //nolint:depguard // the rooms are shared by all machines, whichever goroutine runs them

// A Queue is first in, first out. The zero Queue is empty. An empty one is a pointer
// and no more: a machine is idle nearly all its life. It is not safe for concurrent
// use.
type Queue[T any] struct{ room *room }

// A room is where a queue has its elements, as long as there are any.
type room struct {
	list  []any
	taken int
}

// rooms are those that nobody uses, with nothing in them.
var rooms = sync.Pool{New: func() any { return &room{list: make([]any, 0, usual)} }}

const (
	// usual is how many elements a room is made for.
	usual = 16
	// most is how many a room may have had to be kept.
	most = 256
)

// Push adds an element.
func (q *Queue[T]) Push(e T) {
	if q.room == nil {
		q.room, _ = rooms.Get().(*room)
	}
	q.room.list = append(q.room.list, e)
}

// Pop takes the oldest element, false if there is none.
func (q *Queue[T]) Pop() (T, bool) {
	r := q.room
	if r == nil {
		var none T
		return none, false
	}
	e, _ := r.list[r.taken].(T)
	r.list[r.taken] = nil
	if r.taken++; r.taken == len(r.list) {
		q.leave()
	}
	return e, true
}

// leave leaves the room, which has nothing in it.
func (q *Queue[T]) leave() {
	r := q.room
	q.room = nil
	if cap(r.list) <= most {
		r.list, r.taken = r.list[:0], 0
		rooms.Put(r)
	}
}
