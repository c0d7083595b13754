package store

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/lessee/lessee/internal/hostile"
	"github.com/lessee/lessee/internal/tenancy"
)

// TestHostileStrings: what a server says is in the lease file only as what it
// claims to be, or in hexadecimal; and so it comes back.
func TestHostileStrings(t *testing.T) {
	t.Parallel()
	for name, text := range hostile.Texts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := hostile.Lease(text)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			s := open(t, dir, newMachine())
			if err := s.Save("eth0", tenancy.Record{Lease: l}, false); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(filepath.Join(dir, "eth0.json"))
			if err != nil {
				t.Fatal(err)
			}
			if err := hostile.Unread(b); err != nil {
				t.Error(err)
			}
			r := load(t, s, "eth0")
			if len(text) < 256 && len(l.More.Other) < 8 || len(r.Lease.More.Other) != len(l.More.Other) {
				t.Errorf("%d other options came back of %d", len(r.Lease.More.Other), len(l.More.Other))
			}
		})
	}
}
