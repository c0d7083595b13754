//go:build linux

package control

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/lessee/lessee"
)

// maxBatch is how many events that wait already go out in one write.
const maxBatch = 64

// events streams what happens, one JSON object per line. The engine keeps what
// a reader has not taken yet, counts what does not fit and never waits; so all
// that a reader can hold up is this function, and that for writeTimeout.
func (s *Server) events(ctx context.Context, w http.ResponseWriter, c call) (any, error) {
	events, cancel := s.engine.Subscribe()
	defer cancel()
	wanted := func(lessee.Event) bool { return true }
	if c.filter != "" {
		look, done := context.WithTimeout(ctx, c.timeout)
		a, err := s.engine.Adapter(look, c.filter)
		done()
		if err != nil {
			return nil, err
		}
		wanted = func(ev lessee.Event) bool {
			return ev.Kind == lessee.EventLost || ev.Adapter == a.Name || ev.Index == a.Index && a.Index != 0
		}
	}

	rc := http.NewResponseController(w)
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	var lines bytes.Buffer
	enc := json.NewEncoder(&lines)
	enc.SetEscapeHTML(false)
	// The first blank line says that the subscription has begun.
	lines.WriteByte('\n')
	quiet := time.NewTicker(keepAlive)
	defer quiet.Stop()
	for {
		if lines.Len() > 0 {
			_ = rc.SetWriteDeadline(time.Now().Add(writeTimeout))
			if _, err := w.Write(lines.Bytes()); err != nil {
				return sent, nil
			}
			if err := rc.Flush(); err != nil {
				return sent, nil
			}
			lines.Reset()
			quiet.Reset(keepAlive)
		}
		select {
		case <-ctx.Done():
			return sent, nil
		case <-quiet.C:
			lines.WriteByte('\n')
		case ev := <-events:
			for n := 1; ; n++ {
				if wanted(ev) {
					if err := enc.Encode(ev); err != nil {
						s.log.Error("event cannot be written as JSON", "kind", ev.Kind, "err", err)
					}
				}
				if n == maxBatch || len(events) == 0 {
					break
				}
				ev = <-events
			}
		}
	}
}
