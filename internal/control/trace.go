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

// trace streams the frames of a link, one JSON object per line. As with events,
// a reader holds up this function and nothing else.
func (s *Server) trace(ctx context.Context, w http.ResponseWriter, c call) (any, error) {
	frames, cancel, err := s.engine.Trace(ctx, c.name, c.arp)
	if err != nil {
		return nil, err
	}
	defer cancel()
	rc := http.NewResponseController(w)
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	var lines bytes.Buffer
	enc := json.NewEncoder(&lines)
	enc.SetEscapeHTML(false)
	// The first blank line says that the capture has begun.
	lines.WriteByte('\n')
	quiet := time.NewTicker(keepAlive)
	defer quiet.Stop()
	for ended := false; ; {
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
		if ended {
			return sent, nil
		}
		select {
		case <-ctx.Done():
			return sent, nil
		case <-quiet.C:
			lines.WriteByte('\n')
		case f, ok := <-frames:
			for n := 1; ok; n++ {
				if err := enc.Encode(f); err != nil {
					s.log.Error("a frame cannot be written as JSON", "err", err)
				}
				if n == maxBatch || len(frames) == 0 {
					break
				}
				f, ok = <-frames
			}
			if ended = !ok; ended {
				_ = enc.Encode(struct {
					Time time.Time `json:"time"`
					End  bool      `json:"end"`
				}{time.Now().UTC(), true}) // two plain fields
			}
		}
	}
}

// discover collects offers for as long as the call says.
func (s *Server) discover(ctx context.Context, _ http.ResponseWriter, c call) (any, error) {
	found, err := s.engine.Discover(ctx, c.name, c.timeout)
	if found.Offers == nil {
		found.Offers = []lessee.Offer{} // an empty array, not null
	}
	return found, err
}
