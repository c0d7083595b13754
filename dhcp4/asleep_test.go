package dhcp4

import (
	"testing"
	"time"
)

// TestAsleep: where the lease has ended in suspend, and the first thing to
// happen is that the link goes or the client is stopped, nothing is sent.
func TestAsleep(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]Input{"link down": LinkDown{}, "stop": Stop{}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			lease := w.bind()
			end, _ := lease.Expires()
			w.now = end.Add(time.Hour)
			w.tell(in)
			if sent := w.sent(); len(sent) > 0 {
				t.Errorf("sent: %v", sent)
			}
			if _, held := w.c.Lease(); held {
				t.Error("the lease is held after its end")
			}
			if _, _, waits := w.c.Deadline(); waits {
				t.Error("there is a deadline without a link")
			}
		})
	}
}
