package driver

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lessee/lessee/internal/netconf"
)

// TestNamesAreSwapped: where two adapters change their names, each finds its
// record under the new one, whether the kernel told of the names in between or not.
func TestNamesAreSwapped(t *testing.T) {
	t.Parallel()
	for _, between := range [][]string{{"tmp"}, nil} {
		t.Run(strings.Join(between, ""), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				a, b := w.addLink(2, "c0"), w.addLink(3, "c1")
				d := w.run(t)
				mustUp(t, d, "c0")
				mustUp(t, d, "c1")
				for _, a.Name = range between {
					w.setLink(a)
				}
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
