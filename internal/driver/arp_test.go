package driver

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/lessee/lessee/internal/linux/packet"
)

// TestListen: an adapter with a lease hears whether another host has its address,
// until it is given up.
func TestListen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.addLink(2, "c0")
		d := w.run(t)
		mustUp(t, d, "c0")
		synctest.Wait()
		if got := w.ears[2].addresses; !slices.Equal(got, []netip.Addr{netip.MustParseAddr("10.77.0.2")}) {
			t.Errorf("it listens to %v", got)
		}
		// What is heard comes to the tenancy; a packet that is none does no harm.
		w.ears[2].deliver(packet.ARP{Packet: []byte{1}})
		synctest.Wait()
		if err := d.Down(t.Context(), "c0", true); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if len(w.ears) != 0 {
			t.Error("it listens after the end")
		}
		if n := w.count(func(s string) bool { return strings.HasPrefix(s, "c0 listen []") }); n != 1 {
			t.Errorf("listening ended %d times", n)
		}
	})
}

// TestListenEndsWithDriver stops a driver whose adapter listens.
func TestListenEndsWithDriver(t *testing.T) {
	t.Parallel()
	var w *world
	synctest.Test(t, func(t *testing.T) {
		w = newWorld()
		w.addLink(2, "c0")
		d := w.run(t)
		mustUp(t, d, "c0")
		synctest.Wait()
		if len(w.ears) != 1 {
			t.Fatal("it does not listen")
		}
	})
	if len(w.ears) != 0 {
		t.Error("it listens after the driver's end")
	}
}
