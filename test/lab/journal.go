package lab

import (
	"sync"
	"time"
)

// A Journal is a growing list of what was observed. Readers take a mark, do
// something, and wait for an entry after the mark.
type Journal[E any] struct {
	mu      sync.Mutex
	entries []E
	grown   chan struct{}
	closed  bool
}

// Add appends an entry.
func (j *Journal[E]) Add(e E) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries = append(j.entries, e)
	j.wake()
}

// Close says that no entry will follow: waiting for one is vain.
func (j *Journal[E]) Close() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.closed = true
	j.wake()
}

func (j *Journal[E]) wake() {
	if j.grown != nil {
		close(j.grown)
		j.grown = nil
	}
}

// Mark returns the position after the last entry.
func (j *Journal[E]) Mark() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.entries)
}

// Since returns the entries from mark on.
func (j *Journal[E]) Since(mark int) []E {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.entries[mark:len(j.entries):len(j.entries)]
}

// Select returns the entries from mark on for which is reports true.
func (j *Journal[E]) Select(mark int, is func(E) bool) []E {
	var found []E
	for _, e := range j.Since(mark) {
		if is(e) {
			found = append(found, e)
		}
	}
	return found
}

// Wait waits for an entry at or after mark for which is reports true and
// returns it and the mark after it. It returns false when time is up or the
// journal was closed without one.
func (j *Journal[E]) Wait(mark int, patience time.Duration, is func(E) bool) (E, int, bool) {
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		j.mu.Lock()
		for ; mark < len(j.entries); mark++ {
			if e := j.entries[mark]; is(e) {
				j.mu.Unlock()
				return e, mark + 1, true
			}
		}
		closed := j.closed
		if j.grown == nil {
			j.grown = make(chan struct{})
		}
		grown := j.grown
		j.mu.Unlock()
		var none E
		if closed {
			return none, mark, false
		}
		select {
		case <-grown:
		case <-timeout.C:
			return none, mark, false
		}
	}
}

// Eventually calls is every few milliseconds until it reports true, for what
// the world lets us only ask, not await. It reports whether it did.
func Eventually(patience time.Duration, is func() bool) bool {
	end := time.Now().Add(patience)
	for {
		if is() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
		time.Sleep(5 * time.Millisecond)
	}
}
