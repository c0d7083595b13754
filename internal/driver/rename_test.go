package driver

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lessee/lessee/internal/netconf"
)

// TestNamesAreSwapped: where two adapters change their names, each finds its
// record under the new one, however long the disk takes for one of them.
func TestNamesAreSwapped(t *testing.T) {
	t.Parallel()
	for _, slow := range []string{"", "c0", "c1", "tmp"} {
		t.Run("slow "+slow, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.renames = func(from string) {
					if from == slow {
						time.Sleep(time.Second)
					}
				}
				a, b := w.addLink(2, "c0"), w.addLink(3, "c1")
				d := w.run(t)
				mustUp(t, d, "c0")
				mustUp(t, d, "c1")
				a.Name = "tmp"
				w.setLink(a)
				b.Name = "c0"
				w.setLink(b)
				a.Name = "c1"
				w.setLink(a)
				time.Sleep(time.Minute)
				synctest.Wait()
				for _, l := range []netconf.Link{a, b} {
					if r, ok, _ := w.Load(l.Name); !ok || !bytes.Equal(r.HardwareAddr, l.HardwareAddr) {
						t.Errorf("%s: its record is that of %v", l.Name, r.HardwareAddr)
					}
				}
				if r, ok, _ := w.Load("tmp"); ok {
					t.Errorf("a record is left: %v", r.HardwareAddr)
				}
			})
		})
	}
}
