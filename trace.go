package lessee

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"time"

	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/reason"
)

// A Frame is a link-layer frame with a DHCP message, or with an ARP packet of
// conflict detection, that an adapter's link carried.
type Frame struct {
	// Time is the kernel's time stamp, in nanoseconds.
	Time time.Time `json:"time"`
	// Outgoing says that this machine sent it.
	Outgoing bool `json:"outgoing"`
	// Length is how many bytes the frame has; Data may be cut.
	Length int `json:"length"`
	// Data begins with the Ethernet header. A checksum that this machine leaves
	// to the hardware is not there yet.
	Data []byte `json:"data"`
	// Lost is how many frames are missing before this one: the reader was too
	// slow, or the machine.
	Lost uint64 `json:"lost,omitempty"`
}

// A Trace is a subscription to the frames of an adapter's link. It is to be closed.
type Trace struct{ s *stream }

// Trace subscribes to the DHCP frames of an adapter's link, those of all clients
// in both directions, as far as the link brings them here; with arp also to the
// packets of conflict detection (RFC 5227). The adapter need not be managed. It
// returns once the daemon has confirmed: whatever passes afterwards arrives.
//
// It fails like [Client.Renew]: only those may trace who may change something.
// ERROR_BUSY says that too many trace already.
func (c *Client) Trace(ctx context.Context, adapter string, arp bool) (*Trace, error) {
	r := request{op: "trace", adapter: adapter, method: http.MethodGet, sub: "trace"}
	if arp {
		r.query = url.Values{"arp": {"true"}}
	}
	s, err := c.subscribe(ctx, r)
	if err != nil {
		return nil, err
	}
	return &Trace{s}, nil
}

// Next waits for the next frame. Its errors are as those of [Stream.Next], with
// ERROR_FILE_NOT_FOUND where the adapter was removed.
func (t *Trace) Next() (Frame, error) {
	line, err := t.s.next()
	if err != nil {
		return Frame{}, err
	}
	var f struct {
		Frame
		End bool `json:"end"`
	}
	if err := json.Unmarshal(line, &f); err != nil {
		return Frame{}, t.s.end(t.s.c.notUnderstood(t.s.r, err.Error(), err))
	}
	if f.End {
		return Frame{}, t.s.end(t.s.r.failed(errno.ERROR_FILE_NOT_FOUND, reason.Cause{Reason: reason.AdapterRemoved}))
	}
	return f.Frame, nil
}

// All returns the frames until an error, which comes last.
func (t *Trace) All() iter.Seq2[Frame, error] {
	return func(yield func(Frame, error) bool) {
		for {
			f, err := t.Next()
			if !yield(f, err) || err != nil {
				return
			}
		}
	}
}

// Close ends the subscription; a Next that waits returns. It may be called
// from any goroutine, more than once.
func (t *Trace) Close() error { return t.s.Close() }
