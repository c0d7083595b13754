//go:build linux

package resolver

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestChangedByOthers: another program's change of the file is reported once,
// however it is made, and not undone; so is the file being ours again. What we write ourselves is not reported,
// and nothing is once no setting of ours is in the file.
func TestChangedByOthers(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(path, text string) error{
		"written": func(path, text string) error { return os.WriteFile(path, []byte(text), 0o644) },
		"replaced": func(path, text string) error {
			if err := os.WriteFile(path+".new", []byte(text), 0o644); err != nil {
				return err
			}
			return os.Rename(path+".new", path)
		},
		"removed": func(path, _ string) error { return os.Remove(path) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConf(t, "nameserver 192.0.2.53\n")
			reports := make(chan Writer, 64)
			c.opt.Changed = func(path string, by Writer) {
				if path != c.path {
					t.Errorf("reported %s", path)
				}
				reports <- by
			}
			r := c.resolver()
			reported := func(what string, want Writer) {
				t.Helper()
				select {
				case by := <-reports:
					if by != want {
						t.Errorf("%s: reported %d, want %d", what, by, want)
					}
				case <-time.After(10 * time.Second):
					t.Fatalf("%s: not reported", what)
				}
			}
			set(t, r, eth0, servers("10.77.0.1"))
			set(t, r, eth0, servers("10.77.0.2"))
			// Another file of the directory does not count.
			if err := os.WriteFile(filepath.Join(filepath.Dir(c.path), "hosts"), nil, 0o644); err != nil {
				t.Fatal(err)
			}
			if err := change(c.path, "nameserver 203.0.113.1\n"); err != nil {
				t.Fatal(err)
			}
			reported("changed", Others)
			if err := os.WriteFile(c.path, []byte("nameserver 203.0.113.2\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			c.is("nameserver 203.0.113.2\n")
			// The next lease writes it again, and the next change counts again.
			set(t, r, eth0, servers("10.77.0.3"))
			c.is("nameserver 10.77.0.3\n")
			ours, err := os.ReadFile(c.path)
			if err != nil {
				t.Fatal(err)
			}
			reported("ours again", Us)
			if err := change(c.path, "nameserver 203.0.113.3\n"); err != nil {
				t.Fatal(err)
			}
			reported("changed again", Others)
			// The other program takes its change back.
			if err := os.WriteFile(c.path, ours, 0o644); err != nil {
				t.Fatal(err)
			}
			reported("as it was", Us)
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			if n := len(reports); n != 0 {
				t.Errorf("%d reports too many", n)
			}
		})
	}
}
