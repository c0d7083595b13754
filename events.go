package lessee

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
)

// A Stream is a subscription to the daemon's events. It is to be closed.
type Stream struct{ s *stream }

// Watch subscribes to the events of the adapter named, or of all adapters if
// the name is empty. It returns once the daemon has confirmed: whatever
// happens afterwards arrives. The deadline of ctx, if it has one, ends the
// stream, as its cancellation does.
func (c *Client) Watch(ctx context.Context, adapter string) (*Stream, error) {
	r := request{op: "watch", adapter: adapter, method: http.MethodGet, path: "/v1/events"}
	if adapter != "" {
		r.path += "?adapter=" + url.QueryEscape(adapter)
	}
	s, err := c.subscribe(ctx, r)
	if err != nil {
		return nil, err
	}
	return &Stream{s}, nil
}

// Next waits for the next event. After an error it returns the same error
// again: ERROR_CANCELLED when the context or the stream has ended, otherwise
// ERROR_PROC_NOT_FOUND. Next is not to be called from several goroutines at a time.
func (s *Stream) Next() (Event, error) {
	line, err := s.s.next()
	if err != nil {
		return Event{}, err
	}
	var ev Event
	if err := json.Unmarshal(line, &ev); err != nil {
		return Event{}, s.s.end(s.s.c.notUnderstood(s.s.r, err.Error(), err))
	}
	return ev, nil
}

// All returns the events until an error, which comes last. Ending the loop
// early leaves the stream usable.
func (s *Stream) All() iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for {
			ev, err := s.Next()
			if !yield(ev, err) || err != nil {
				return
			}
		}
	}
}

// Close ends the subscription; a Next that waits returns. It may be called
// from any goroutine, more than once.
func (s *Stream) Close() error { return s.s.Close() }

// Events returns the events of all adapters, from the beginning of the loop
// until it ends or ctx does. An error comes last. Use [Client.Watch] to know
// when the subscription has begun, or for one adapter alone.
func (c *Client) Events(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		s, err := c.Watch(ctx, "")
		if err != nil {
			yield(Event{}, err)
			return
		}
		defer s.Close()
		s.All()(yield)
	}
}
