package lessee

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/reason"
)

const (
	// maxLine bounds the JSON of one line in bytes.
	maxLine = 1 << 20
	// silence is how long the daemon may say nothing: it sends a blank line
	// every 15 seconds when there is nothing to tell.
	silence = time.Minute
)

// A stream is an answer without end: a line for each thing that happens.
type stream struct {
	c      *Client
	r      request
	ctx    context.Context // the caller's
	inner  context.Context // ends with Close, too
	cancel context.CancelFunc
	body   io.Closer
	lines  *bufio.Scanner
	err    error
}

// subscribe returns once the daemon has confirmed.
func (c *Client) subscribe(ctx context.Context, r request) (*stream, error) {
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
	s := &stream{c: c, r: r, ctx: ctx, inner: inner, cancel: cancel, body: resp.Body, lines: bufio.NewScanner(resp.Body)}
	s.lines.Buffer(nil, maxLine)
	if resp.StatusCode != http.StatusOK {
		data, _ := io.ReadAll(io.LimitReader(resp.Body, maxLine))
		_ = s.Close()
		return nil, c.refused(r, resp, data)
	}
	if !isJSON(resp, "application/x-ndjson") {
		_ = s.Close()
		return nil, c.notUnderstood(r, fmt.Sprintf("content type %q", resp.Header.Get("Content-Type")), nil)
	}
	return s, nil
}

// next waits for the next line. After an error it returns the same error again.
func (s *stream) next() ([]byte, error) {
	if s.err != nil {
		return nil, s.err
	}
	quiet := time.AfterFunc(silence, s.cancel)
	defer quiet.Stop()
	for s.lines.Scan() {
		quiet.Reset(silence)
		if line := bytes.TrimSpace(s.lines.Bytes()); len(line) > 0 {
			return line, nil
		}
	}
	err := s.lines.Err()
	switch {
	case s.ctx.Err() != nil:
		return nil, s.end(s.stopped(s.ctx.Err()))
	case !quiet.Stop():
		return nil, s.end(s.c.silent(s.r, silence))
	case s.inner.Err() != nil:
		return nil, s.end(s.stopped(context.Canceled)) // by Close
	case errors.Is(err, bufio.ErrTooLong):
		return nil, s.end(s.c.notUnderstood(s.r, fmt.Sprintf("a line of more than %d bytes", maxLine), err))
	case err == nil:
		err = io.EOF
	}
	return nil, s.end(s.c.failed(s.ctx, s.r, time.Now(), err))
}

// Close ends the subscription.
func (s *stream) Close() error {
	s.cancel()
	return s.body.Close()
}

func (s *stream) end(err error) error {
	s.err = err
	_ = s.Close()
	return err
}

// stopped says that the caller ended the stream, by its context or by Close.
func (s *stream) stopped(cause error) error {
	e := s.r.failed(errno.ERROR_CANCELLED, reason.Cause{Reason: reason.StreamEnded})
	e.Err = cause
	return e
}

func (c *Client) silent(r request, d time.Duration) error {
	e := r.failed(errno.ERROR_PROC_NOT_FOUND, reason.Cause{Reason: reason.DaemonQuiet, Path: c.socket, Timeout: reason.Duration(d)})
	e.Err = context.DeadlineExceeded
	return e
}
