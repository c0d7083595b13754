package leases

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/lessee/lessee/internal/hostile"
	"github.com/lessee/lessee/internal/tenancy/v4"
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
			if err := errors.Join(s.Save("eth0", v4.Record{Lease: l}), s.Persist("eth0")); err != nil {
				t.Fatal(err)
			}
			records := 0
			if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				b, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				if bytes.Contains(b, []byte("10.77.0.9")) {
					records++
				}
				return hostile.Unread(b)
			}); err != nil || records != 2 {
				t.Errorf("%d files have the lease; %v", records, err)
			}
			r := load(t, s, "eth0")
			if len(text) < 256 && len(l.More.Other) < 8 || len(r.Lease.More.Other) != len(l.More.Other) {
				t.Errorf("%d other options came back of %d", len(r.Lease.More.Other), len(l.More.Other))
			}
		})
	}
}
