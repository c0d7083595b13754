package driver

import (
	"sync"

	"github.com/lessee/lessee"
)

// backlog is how many events a subscriber may be behind.
const backlog = 256

// A hub hands events to subscribers and never waits for one.
type hub struct {
	mu          sync.Mutex
	subscribers map[*subscriber]struct{}
}

// A subscriber has a queue, and a goroutine that passes it on.
type subscriber struct {
	mu    sync.Mutex
	queue []lessee.Event
	more  chan struct{} // has room for one: the queue is not empty
}

func (h *hub) subscribe() (<-chan lessee.Event, func()) {
	s := &subscriber{more: make(chan struct{}, 1)}
	events, done := make(chan lessee.Event), make(chan struct{})
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.subscribers == nil {
		h.subscribers = make(map[*subscriber]struct{})
	}
	h.subscribers[s] = struct{}{}
	go s.pump(events, done)
	return events, sync.OnceFunc(func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.subscribers, s)
		close(done)
	})
}

func (h *hub) publish(e lessee.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.subscribers {
		s.add(e)
	}
}

// add queues the event. Where there is no room for it, the last entry of the
// queue counts what is missing there.
func (s *subscriber) add(e lessee.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := len(s.queue) - 1
	switch {
	case len(s.queue) < backlog:
		s.queue = append(s.queue, e)
	case s.queue[last].Kind == lessee.EventLost:
		s.queue[last].Count++
	default:
		s.queue = append(s.queue, lessee.Event{Time: e.Time, Kind: lessee.EventLost, Count: 1})
	}
	select {
	case s.more <- struct{}{}:
	default:
	}
}

func (s *subscriber) pump(events chan<- lessee.Event, done <-chan struct{}) {
	for {
		select {
		case <-s.more:
		case <-done:
			return
		}
		for {
			e, ok := s.take()
			if !ok {
				break
			}
			select {
			case events <- e:
			case <-done:
				return
			}
		}
	}
}

func (s *subscriber) take() (e lessee.Event, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		s.queue = nil
		return e, false
	}
	e = s.queue[0]
	s.queue = s.queue[1:]
	return e, true
}
