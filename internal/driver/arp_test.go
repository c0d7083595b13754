package driver

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/internal/linux/packet"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/internal/tenancy/v4"
)

// TestListen hands the driver what a tenancy may want of ARP.
func TestListen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.addLink(2, "c0")
		d := w.run(t)
		if err := d.Manage("c0"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		var a *adapter
		d.do(func() { a = d.find("c0") })
		out := func(o tenancy.Output) {
			d.do(func() {
				a.enqueue(d, effect{kind: effectOutput, tenancy: a.tenancy, link: a.link(), output: o})
			})
			synctest.Wait()
		}
		ours := netip.MustParseAddr("10.0.0.7")
		out(v4.Listen{Addresses: []netip.Addr{ours}})
		out(v4.TransmitARP{Packet: []byte{1, 2}, To: []byte{3}})
		if got := w.entries(); !slices.Contains(got, "c0 listen [10.0.0.7]") || !slices.Contains(got, "c0 arp 0102 to 03") {
			t.Errorf("%q", got)
		}
		// What is heard comes to the tenancy; a packet that is none does no harm.
		w.ears[2].deliver(packet.ARP{Packet: []byte{1}})
		synctest.Wait()

		// A failure is told once, until it is over.
		events, cancel := d.Subscribe()
		defer cancel()
		w.mu.Lock()
		w.arpErr = errors.New("c0: send ARP: no buffers")
		w.mu.Unlock()
		out(v4.TransmitARP{Packet: []byte{1}})
		out(v4.TransmitARP{Packet: []byte{1}})
		if e := <-events; e.Kind != lessee.EventProblem || e.Detail != "c0: send ARP: no buffers" {
			t.Errorf("event %+v", e)
		}
		synctest.Wait()
		select {
		case e := <-events:
			t.Errorf("told again: %+v", e)
		default:
		}
		// That there is no link is told by the link itself.
		w.mu.Lock()
		w.arpErr = fmt.Errorf("c0: send ARP: %w", netconf.ErrLinkDown)
		w.mu.Unlock()
		out(v4.TransmitARP{Packet: []byte{1}})
		select {
		case e := <-events:
			t.Errorf("told without a link: %+v", e)
		default:
		}
		w.mu.Lock()
		w.arpErr = nil
		w.mu.Unlock()

		if err := d.Down(t.Context(), "c0", true); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if len(w.ears) != 0 {
			t.Error("it listens after the end")
		}
		// Those who never listened have nothing to end.
		if n := w.count(func(s string) bool { return strings.HasPrefix(s, "c0 listen []") }); n != 1 {
			t.Errorf("listening ended %d times", n)
		}
	})
}

// TestListenEndsWithDriver stops a driver whose adapter listens.
func TestListenEndsWithDriver(t *testing.T) {
	t.Parallel()
	w := newWorld()
	synctest.Test(t, func(t *testing.T) {
		w.addLink(2, "c0")
		d := w.run(t)
		if err := d.Manage("c0"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		d.do(func() {
			a := d.find("c0")
			a.enqueue(d, effect{
				kind: effectOutput, tenancy: a.tenancy, link: a.link(),
				output: v4.Listen{Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.7")}},
			})
		})
		synctest.Wait()
		if len(w.ears) != 1 {
			t.Fatal("it does not listen")
		}
	})
	if len(w.ears) != 0 {
		t.Error("it listens after the driver's end")
	}
}
