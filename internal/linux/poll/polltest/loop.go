//go:build linux

// Package polltest runs a real [poll.Loop] for the tests of the packages that need one.
package polltest

import (
	"sync"
	"testing"

	"github.com/lessee/lessee/internal/linux/poll"
)

// A Loop is a goroutine that does nothing but what a [poll.Loop] must.
type Loop struct {
	p     *poll.Poller
	do    queue
	aside queue
	ended chan struct{}
}

// A queue of functions that are run one after the other.
type queue struct {
	mu    sync.Mutex
	more  *sync.Cond
	jobs  []func()
	ended bool
}

// Run starts a loop that ends with the test. What was given to Aside and Do before
// is run first.
func Run(t testing.TB) *Loop {
	t.Helper()
	p, err := poll.New()
	if err != nil {
		t.Fatal(err)
	}
	l := &Loop{p: p, ended: make(chan struct{})}
	l.aside.more = sync.NewCond(&l.aside.mu)
	l.do.more = sync.NewCond(&l.do.mu)
	asideEnded := make(chan struct{})
	go func() {
		defer close(asideEnded)
		for f, ok := l.aside.wait(); ok; f, ok = l.aside.wait() {
			f()
		}
	}()
	go l.run(t)
	t.Cleanup(func() {
		l.Call(func() {}) // what is before it may give something to Aside
		l.aside.end()
		<-asideEnded
		l.do.end()
		p.Wake()
		<-l.ended
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// Add implements [poll.Loop].
func (l *Loop) Add(fd int, ready func()) error { return l.p.Add(fd, ready) }

// Remove implements [poll.Loop].
func (l *Loop) Remove(fd int) { l.p.Remove(fd) }

// Aside implements [poll.Loop].
func (l *Loop) Aside(f func()) { l.aside.put(f) }

// Do implements [poll.Loop].
func (l *Loop) Do(f func()) {
	l.do.put(f)
	l.p.Wake()
}

// Call runs f on the loop's goroutine and waits for it. It must not be called there,
// and f must not end the test.
func (l *Loop) Call(f func()) {
	done := make(chan struct{})
	l.Do(func() {
		defer close(done)
		f()
	})
	<-done
}

// Settle waits until what was given to Aside so far, and what that gave to Do, has run.
func (l *Loop) Settle() {
	done := make(chan struct{})
	l.Do(func() { l.Aside(func() { l.Do(func() { close(done) }) }) })
	<-done
}

func (l *Loop) run(t testing.TB) {
	defer close(l.ended)
	for {
		if _, err := l.p.Wait(0, false); err != nil {
			t.Errorf("the loop ends: %v", err)
			return
		}
		l.p.Dispatch()
		jobs, ended := l.do.take()
		for _, f := range jobs {
			f()
		}
		if ended {
			return
		}
	}
}

func (q *queue) put(f func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.jobs = append(q.jobs, f)
	q.more.Signal()
}

func (q *queue) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended = true
	q.more.Signal()
}

// wait returns the next function; false at the end.
func (q *queue) wait() (func(), bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.jobs) == 0 && !q.ended {
		q.more.Wait()
	}
	if len(q.jobs) == 0 {
		return nil, false
	}
	f := q.jobs[0]
	q.jobs = q.jobs[1:]
	return f, true
}

// take returns all functions without waiting.
func (q *queue) take() (jobs []func(), ended bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	jobs, q.jobs = q.jobs, nil
	return jobs, q.ended
}
