package queue

import (
	"slices"
	"sync"
	"testing"
)

type number interface{ number() int }

type of int

func (n of) number() int { return int(n) }

// all takes what is in a queue.
func all(q *Queue[number]) []int {
	var got []int
	for e, ok := q.Pop(); ok; e, ok = q.Pop() {
		got = append(got, e.number())
	}
	return got
}

func TestOrder(t *testing.T) {
	t.Parallel()
	var q Queue[number]
	if got := all(&q); got != nil {
		t.Errorf("an empty one gives %v", got)
	}
	var want []int
	for n := range 2 * most { // the room grows, and is not kept
		q.Push(of(n))
		want = append(want, n)
	}
	if got := all(&q); !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	q.Push(of(1))
	q.Push(of(2))
	if e, _ := q.Pop(); e.number() != 1 {
		t.Errorf("got %d first", e.number())
	}
	q.Push(of(3)) // while something is in it
	if got := all(&q); !slices.Equal(got, []int{2, 3}) {
		t.Errorf("got %v", got)
	}
}

// TestTwo: two queues that have something at the same time do not meet.
func TestTwo(t *testing.T) {
	t.Parallel()
	var group sync.WaitGroup
	for g := range 4 {
		group.Go(func() {
			var a, b Queue[number]
			for n := range 1000 {
				a.Push(of(n))
				b.Push(of(-n))
				if n%3 == g%3 {
					_, _ = a.Pop()
					_, _ = b.Pop()
				}
			}
			was := -1
			for _, n := range all(&a) {
				if n <= was {
					t.Errorf("%d comes after %d", n, was)
				}
				was = n
			}
			was = 1
			for _, n := range all(&b) {
				if n >= was {
					t.Errorf("%d comes after %d", n, was)
				}
				was = n
			}
		})
	}
	group.Wait()
}
