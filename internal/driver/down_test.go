package driver

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lessee/lessee/errno"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// TestDownAbandoned: a caller who gives up, or is told of a failure, leaves no
// adapter behind that the next news of its link would take up again.
func TestDownAbandoned(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		broken error // what the kernel says to the removal of the address
		give   bool  // the caller gives up at once
		want   errno.Errno
	}{
		{"the caller gives up", nil, true, errno.ERROR_CANCELLED},
		{"the kernel refuses", errors.New("no memory"), false, errno.ERROR_GEN_FAILURE},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				l := w.addLink(2, "c0")
				d := w.run(t)
				mustUp(t, d, "c0")
				w.mu.Lock()
				w.applyErr = c.broken
				w.mu.Unlock()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if c.give {
					cancel()
				}
				// Where the down was quicker than its caller, that is fine, too.
				if err := d.Down(ctx, "c0", false); code(err) != c.want && (err != nil || !c.give) {
					t.Errorf("Down: %v, want %v", err, c.want)
				}
				synctest.Wait()
				w.mu.Lock()
				w.applyErr = nil
				w.mu.Unlock()
				before := len(w.entries())
				l.MTU = 1400
				w.setLink(l)
				synctest.Wait()
				time.Sleep(time.Hour)
				synctest.Wait()
				if after := w.entries(); len(after) != before {
					t.Errorf("taken up again: %v", after[before:])
				}
				if a, err := d.Adapter(t.Context(), "c0"); err != nil || a.Manager != "none" {
					t.Errorf("manager %q, %v; want none", a.Manager, err)
				}
			})
		})
	}
}

// TestUpAfterDown: what ends the listening of an adapter that is given up does
// not take away what its next life has begun.
func TestUpAfterDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.addLink(2, "c0")
		w.deafens = func() { time.Sleep(time.Second) } // the kernel takes its time
		w.force = true
		w.says = func(b *wire.Builder) {
			b.AddUint8(wire.OptionForceRenewNonce, 1)
			b.AddOption(wire.OptionAuthentication, wire.NonceAuth(1, [16]byte{1}).Append(nil))
		}
		d := w.run(t)
		mustUp(t, d, "c0")
		hears := func() (arp, forced bool) {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.ears[2].deliver != nil, w.forced[2] != nil
		}
		synctest.Wait()
		if arp, forced := hears(); !arp || !forced {
			t.Fatalf("with a lease: ARP is heard: %v, FORCERENEW: %v", arp, forced)
		}
		if err := d.Down(t.Context(), "c0", true); err != nil {
			t.Fatal(err)
		}
		mustUp(t, d, "c0")
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if arp, forced := hears(); !arp || !forced {
			t.Errorf("after another up: ARP is heard: %v, FORCERENEW: %v", arp, forced)
		}
	})
}
