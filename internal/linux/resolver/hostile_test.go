//go:build linux

package resolver

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/lessee/lessee/internal/hostile"
	"github.com/lessee/lessee/internal/netconf"
)

// TestResolvFileOfHostileServer: nothing that a server says can be read in
// resolv.conf, nor in what is kept beside it, but what was configured before.
func TestResolvFileOfHostileServer(t *testing.T) {
	t.Parallel()
	for name, text := range hostile.Texts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := hostile.Lease(text)
			if err != nil {
				t.Fatal(err)
			}
			c := newConf(t, "nameserver 192.0.2.53\noptions edns0\n")
			set(t, c.resolver(), eth0, netconf.DNS{Servers: l.DNS, Domain: l.Domain, Search: l.Search})
			c.is("nameserver 10.77.0.1\noptions edns0\n")
			kept, err := os.ReadDir(c.opt.StateDir)
			if err != nil || len(kept) == 0 {
				t.Fatalf("%d files, %v", len(kept), err)
			}
			for _, f := range kept {
				b, err := os.ReadFile(filepath.Join(c.opt.StateDir, f.Name()))
				if err != nil {
					t.Fatal(err)
				}
				if err := hostile.Unread(b); err != nil {
					t.Errorf("%s: %v", f.Name(), err)
				}
			}
		})
	}
}
