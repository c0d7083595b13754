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

type subscriber struct {
	events chan lessee.Event
	missed uint64
}

func (h *hub) subscribe() (<-chan lessee.Event, func()) {
	s := &subscriber{events: make(chan lessee.Event, backlog)}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.subscribers == nil {
		h.subscribers = make(map[*subscriber]struct{})
	}
	h.subscribers[s] = struct{}{}
	return s.events, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.subscribers, s)
	}
}

// publish hands the event to every subscriber that has room for it; the others
// are told how many they missed as soon as they have.
func (h *hub) publish(e lessee.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.subscribers {
		if s.missed > 0 && len(s.events) < cap(s.events)-1 {
			s.events <- lessee.Event{Time: e.Time, Kind: lessee.EventLost, Count: s.missed}
			s.missed = 0
		}
		if s.missed > 0 {
			s.missed++
			continue
		}
		select {
		case s.events <- e:
		default:
			s.missed++
		}
	}
}
