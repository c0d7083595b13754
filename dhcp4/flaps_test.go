package dhcp4

import (
	"testing"
	"time"
)

// TestFlapStorm: however often the link bounced, a link that has come to rest
// is used within a moment; and a bouncing one is not flooded.
func TestFlapStorm(t *testing.T) {
	t.Parallel()
	for name, lease := range map[string]bool{"with a lease": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			if lease {
				w.bind()
			} else {
				w.tell(Start{})
			}
			const flaps = 300
			sent := 0
			for range flaps {
				w.tell(LinkDown{})
				w.tell(LinkUp{})
				sent += len(w.sent())
				w.now = w.now.Add(100 * time.Millisecond)
				w.tell(Timeout{})
				sent += len(w.sent())
			}
			if most := flaps/10 + flapsAtOnce + 1; sent > most {
				t.Errorf("%d messages in %d flaps, want at most %d", sent, flaps, most)
			}
			at, _, ok := w.c.Deadline()
			if pause := at.Sub(w.now); !ok || pause > pace {
				t.Errorf("the pause after the last flap is %v, want at most %v", pause, pace)
			}
			if w.wait(); len(w.sent()) != 1 {
				t.Errorf("sent after the pause: %v", w.sent())
			}
		})
	}
}
