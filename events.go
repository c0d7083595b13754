package lessee

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"time"

	"github.com/lessee/lessee/errno"
)

const (
	// maxLine bounds one event's JSON in bytes.
	maxLine = 1 << 20
	// silence is how long the daemon may say nothing: it sends a blank line
	// every 15 seconds when there is no event.
	silence = time.Minute
)

// A Stream is a subscription to the daemon's events. It is to be closed.
type Stream struct {
	c      *Client
	r      request
	ctx    context.Context // the caller's
	inner  context.Context // ends with Close, too
	cancel context.CancelFunc
	body   io.Closer
	lines  *bufio.Scanner
	err    error
}

// Watch subscribes to the events of the adapter named, or of all adapters if
// the name is empty. It returns once the daemon has confirmed: whatever
// happens afterwards arrives. The deadline of ctx, if it has one, ends the
// stream, as its cancellation does.
func (c *Client) Watch(ctx context.Context, adapter string) (*Stream, error) {
	r := request{op: "watch", adapter: adapter, method: http.MethodGet, path: "/v1/events"}
	if adapter != "" {
		r.path += "?adapter=" + url.QueryEscape(adapter)
	}
	began := time.Now()
	inner, cancel := context.WithCancel(ctx)
	// The confirmation has the usual patience, the stream itself has not.
	limit := time.AfterFunc(DefaultTimeout, cancel)
	resp, err := c.send(inner, r)
	if !limit.Stop() && err == nil {
		_ = resp.Body.Close()
		err = context.DeadlineExceeded
	}
	if err != nil {
		late := inner.Err() != nil && ctx.Err() == nil
		cancel()
		if late {
			return nil, c.silent(r, DefaultTimeout)
		}
		return nil, c.failed(ctx, r, began, err)
	}
	s := &Stream{c: c, r: r, ctx: ctx, inner: inner, cancel: cancel, body: resp.Body, lines: bufio.NewScanner(resp.Body)}
	s.lines.Buffer(nil, maxLine)
	if resp.StatusCode != http.StatusOK {
		data, _ := io.ReadAll(io.LimitReader(resp.Body, maxLine))
		s.Close()
		return nil, c.refused(r, resp, data)
	}
	if !isJSON(resp, "application/x-ndjson") {
		s.Close()
		return nil, c.notUnderstood(r, fmt.Sprintf("content type %q", resp.Header.Get("Content-Type")), nil)
	}
	return s, nil
}

// Next waits for the next event. After an error it returns the same error
// again: ERROR_CANCELLED when the context or the stream has ended, otherwise
// ERROR_PROC_NOT_FOUND. Next is not to be called from several goroutines at a time.
func (s *Stream) Next() (Event, error) {
	if s.err != nil {
		return Event{}, s.err
	}
	quiet := time.AfterFunc(silence, s.cancel)
	defer quiet.Stop()
	for s.lines.Scan() {
		quiet.Reset(silence)
		line := bytes.TrimSpace(s.lines.Bytes())
		if len(line) == 0 {
			continue
		}
		var ev Event
		if err := json.Unmarshal(line, &ev); err != nil {
			return Event{}, s.end(s.c.notUnderstood(s.r, err.Error(), err))
		}
		return ev, nil
	}
	err := s.lines.Err()
	switch {
	case s.ctx.Err() != nil:
		return Event{}, s.end(s.stopped(s.ctx.Err()))
	case !quiet.Stop():
		return Event{}, s.end(s.c.silent(s.r, silence))
	case s.inner.Err() != nil:
		return Event{}, s.end(s.stopped(context.Canceled)) // by Close
	case errors.Is(err, bufio.ErrTooLong):
		return Event{}, s.end(s.c.notUnderstood(s.r, fmt.Sprintf("a line of more than %d bytes", maxLine), err))
	case err == nil:
		err = io.EOF
	}
	return Event{}, s.end(s.c.failed(s.ctx, s.r, time.Now(), err))
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
func (s *Stream) Close() error {
	s.cancel()
	return s.body.Close()
}

func (s *Stream) end(err error) error {
	s.err = err
	_ = s.Close()
	return err
}

// stopped says that the caller ended the stream, by its context or by Close.
func (s *Stream) stopped(cause error) error {
	return &Error{
		Op: s.r.op, Adapter: s.r.adapter, Code: errno.ERROR_CANCELLED,
		Detail: "the caller ended the stream of events", Err: cause,
	}
}

func (c *Client) silent(r request, d time.Duration) error {
	e := &Error{Op: r.op, Adapter: r.adapter, Code: errno.ERROR_PROC_NOT_FOUND, Err: context.DeadlineExceeded, Hint: "see its log"}
	return e.SetDetail("the daemon at %s has said nothing for %v", c.socket, d)
}

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
