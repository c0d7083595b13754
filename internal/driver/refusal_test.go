package driver

import (
	"testing"
	"testing/synctest"

	"github.com/lessee/lessee/internal/linux/packet"
)

func TestRefusalsAreCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.addLink(2, "c0")
		d := w.run(t)
		if err := d.Manage("c0"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		counter := func(name string) uint64 {
			t.Helper()
			a, err := d.Adapter(t.Context(), "c0")
			if err != nil {
				t.Fatal(err)
			}
			n, ok := a.IPv4.Counters[name]
			if !ok {
				t.Errorf("there is no counter %s", name)
			}
			return n
		}
		for r := range packet.Refusals {
			if n := counter("rejected." + r.String()); n != 0 {
				t.Errorf("%v: %d at the beginning", r, n)
			}
		}
		w.last.refused(packet.RefuseChecksum, 1)
		w.last.refused(packet.RefuseChecksum, 2)
		w.last.refused(packet.RefuseVLAN, 1)
		w.last.refused(packet.Refusals, 1) // no such reason
		if a, b, c := counter("rejected.ip-checksum"), counter("rejected.ip-vlan"), counter("rejected.ip-length"); a != 3 || b != 1 || c != 0 {
			t.Errorf("counted %d, %d and %d, want 3, 1 and 0", a, b, c)
		}
	})
}
