package loop

import (
	"context"
	"errors"
	"sync"

	"github.com/lessee/lessee/internal/core"
)

// Calls have the callers on other goroutines who await an answer of type A. The zero
// value has none.
type Calls[A any] struct {
	mu      sync.Mutex
	last    uint64
	answers map[uint64]chan<- A // by call
}

// Ask has the loop's core handle the input of a call, and returns the answer. build
// runs on the loop's goroutine. Where ctx ends with an error for which givesUp is true
// the core is told, which answers then, too. The error is [ErrEnded] if the loop ended
// before there was an answer.
func (c *Calls[A]) Ask(ctx context.Context, l *Loop, givesUp func(error) bool, build func(call uint64) core.Input) (A, error) {
	var none A
	call, answer := c.begin()
	defer c.end(call)
	if !l.Submit(func() { l.Handle(build(call)) }) {
		return none, ErrEnded
	}
	ended := ctx.Done()
	for {
		select {
		case a := <-answer:
			return a, nil
		case <-ended:
			ended = nil
			if givesUp(ctx.Err()) {
				l.Tell(core.Cancel{Call: call})
			}
		case <-l.Done():
			select {
			case a := <-answer: // just before
				return a, nil
			default:
				return none, ErrEnded
			}
		}
	}
}

// Cancelled is for calls whose deadline the core knows: it answers at that instant.
func Cancelled(err error) bool { return errors.Is(err, context.Canceled) }

// Answer gives a call its answer, if its caller awaits one still.
func (c *Calls[A]) Answer(call uint64, a A) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if answer, ok := c.answers[call]; ok {
		answer <- a
		delete(c.answers, call)
	}
}

func (c *Calls[A]) begin() (call uint64, answer <-chan A) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.answers == nil {
		c.answers = make(map[uint64]chan<- A)
	}
	c.last++
	a := make(chan A, 1)
	c.answers[c.last] = a
	return c.last, a
}

func (c *Calls[A]) end(call uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.answers, call)
}
