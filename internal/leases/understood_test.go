//go:build linux

package leases

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"golang.org/x/sys/unix"
)

// resealed returns a file's text with a change of its record, and the checksum
// of that.
func resealed(t *testing.T, text []byte, from, to string) []byte {
	t.Helper()
	const head = `"record":`
	at := bytes.Index(text, []byte(head)) + len(head)
	record := string(text[at : len(text)-2])
	if !strings.Contains(record, from) {
		t.Fatalf("no %s in %s", from, record)
	}
	record = strings.Replace(record, from, to, 1)
	return []byte(`{"version":2,"crc32c":"` + checksum([]byte(record)) + `","record":` + record + "}\n")
}

// TestNotUnderstood: what is not a record counts as none, is set aside and is
// reported, in either folder.
func TestNotUnderstood(t *testing.T) {
	t.Parallel()
	m := newMachine()
	good, err := encode(full(m.boot), m.clock().now())
	if err != nil {
		t.Fatal(err)
	}
	change := func(from, to string) []byte { return resealed(t, good, from, to) }
	texts := map[string][]byte{
		"empty": {}, "zeros": make([]byte, 512), "array": []byte("[]"), "null": []byte("null"),
		"newer":        bytes.Replace(good, []byte(`"version":2`), []byte(`"version":3`), 1),
		"older":        bytes.Replace(good, []byte(`"version":2`), []byte(`"version":1`), 1),
		"no version":   bytes.Replace(good, []byte(`"version":2`), []byte(`"version":0`), 1),
		"changed":      bytes.Replace(good, []byte("10.77.0.100/24"), []byte("10.77.0.101/24"), 1),
		"zeros inside": append(slices.Clone(good[:len(good)/2]), make([]byte, len(good)-len(good)/2)...),
		"twice":        append(slices.Clone(good), good...),
		"IPv6":         change(`10.77.0.100/24`, `2001:db8::1/64`),
		"T1 after T2":  change(`"t1":"30m0s"`, `"t1":"59m0s"`),
		"future start": change(`"start_uptime":"16m40s"`, `"start_uptime":"99h0m0s"`),
		"bad duration": change(`"1h0m0s"`, `"soon"`),
		"bad name":     change(`"domain":"lab.test"`, `"domain":"a\nnameserver 6.6.6.6"`),
		"bad MTU":      change(`"mtu":1400`, `"mtu":67`),
		"bad bytes":    change(`"client_id":"`, `"client_id":"xx`),
		"bad release":  change(`"base_mtu":1500`, `"base_mtu":1500,"release":"perhaps"`),
	}
	for folder := range 2 {
		dir := t.TempDir()
		s := open(t, dir, m)
		run, state := copies(dir, "eth0")
		path := []string{run, state}[folder]
		for name, text := range texts {
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
			_, ok, err := s.Load("eth0")
			if ok || err == nil || !strings.Contains(err.Error(), "eth0.json.corrupt-") || !strings.Contains(err.Error(), "eth0: load the lease: "+path) {
				t.Errorf("%s: %v, %v", name, ok, err)
			}
			if _, ok, err := s.Load("eth0"); ok || err != nil {
				t.Errorf("%s, a second time: %v, %v", name, ok, err)
			}
		}
		files, _ := filepath.Glob(path + ".corrupt-*")
		if len(files) != maxAside {
			t.Errorf("%d files set aside, want %d: %v", len(files), maxAside, files)
		}
		// Not a file at all.
		for name, make := range map[string]func() error{
			"directory": func() error { return os.Mkdir(path, 0o755) },
			"link":      func() error { return os.Symlink("/etc/hostname", path) },
			"FIFO":      func() error { return unix.Mkfifo(path, 0o644) },
		} {
			if err := make(); err != nil {
				t.Fatal(err)
			}
			_ = os.RemoveAll(path + ".corrupt-5")
			if _, ok, err := s.Load("eth0"); ok || err == nil {
				t.Errorf("%s: %v, %v", name, ok, err)
			}
			if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s is still there: %v", name, err)
			}
		}
		if err := errors.Join(s.Save("eth0", full(m.boot)), s.Persist("eth0")); err != nil {
			t.Error(err)
		}
	}
}

// TestCutAnywhere: a first copy that ends early, or in zeros, counts as none, and
// the second one does.
func TestCutAnywhere(t *testing.T) {
	t.Parallel()
	m, dir := newMachine(), t.TempDir()
	run, _ := copies(dir, "eth0")
	s := open(t, dir, m)
	old := full(m.boot)
	old.BaseMTU = 1300
	if err := errors.Join(s.Save("eth0", old), s.Persist("eth0"), s.Save("eth0", full(m.boot))); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(run)
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(text) - 1 { // the newline may be missing
		for _, fill := range []int{0, len(text) - n} {
			if err := os.WriteFile(run, append(slices.Clone(text[:n]), make([]byte, fill)...), 0o600); err != nil {
				t.Fatal(err)
			}
			r, ok, err := s.Load("eth0")
			if !ok || err == nil || r.BaseMTU != 1300 {
				t.Fatalf("cut after %d bytes, %d zeros: %v, MTU %d, %v", n, fill, ok, r.BaseMTU, err)
			}
		}
	}
}

// TestCopiesDiffer: the first copy counts where it is of this boot.
func TestCopiesDiffer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		then func(t *testing.T, s *Store, m *machine)
		want int // the MTU of the record; 0: none
	}{
		{"the second is older", func(t *testing.T, s *Store, _ *machine) { persist(t, s, "eth0") }, 1402},
		{"there is no second", func(*testing.T, *Store, *machine) {}, 1402},
		{"removed, and the second is left", func(t *testing.T, s *Store, _ *machine) {
			persist(t, s, "eth0")
			if err := s.Remove("eth0"); err != nil {
				t.Fatal(err)
			}
		}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m, dir := newMachine(), t.TempDir()
			s := open(t, dir, m)
			if err := s.Save("eth0", v4.Record{BaseMTU: 1401}); err != nil {
				t.Fatal(err)
			}
			c.then(t, s, m)
			m.pass(1)
			if c.want != 0 {
				if err := s.Save("eth0", v4.Record{BaseMTU: c.want}); err != nil {
					t.Fatal(err)
				}
			}
			_ = s.Close() // the process dies
			s = open(t, dir, m)
			r, ok, err := s.Load("eth0")
			if ok != (c.want != 0) || r.BaseMTU != c.want || err != nil {
				t.Errorf("record %v, MTU %d, %v; want %d", ok, r.BaseMTU, err, c.want)
			}
			if d := cmp.Diff([]string{"eth0"}, s.Pending()); d != "" {
				t.Errorf("pending: %s", d)
			}
			persist(t, s, "eth0")
			if len(s.Pending()) != 0 {
				t.Errorf("still pending: %v", s.Pending())
			}
			_, state := copies(dir, "eth0")
			_, f, err := s.state.read("eth0.json")
			if c.want == 0 && !errors.Is(err, fs.ErrNotExist) || c.want != 0 && f.BaseMTU != c.want {
				t.Errorf("%s: MTU %d, %v", state, f.BaseMTU, err)
			}
		})
	}
}

func FuzzLoad(f *testing.F) {
	m := newMachine()
	for _, r := range []v4.Record{{}, full(m.boot)} {
		b, err := encode(r, m.clock().now())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, int64(0), true)
		f.Add(b[bytes.Index(b, []byte(`"record":`))+9:len(b)-2], int64(1)<<62, false)
	}
	f.Fuzz(func(t *testing.T, b []byte, boot int64, same bool) {
		now := m.clock().now()
		now.boot = boottime.Instant(boot)
		if !same {
			now.bootID = "another"
		}
		if _, err := parse(b); err != nil {
			// No mutation finds a checksum: take it for the record alone.
			b = []byte(`{"version":2,"crc32c":"` + checksum(b) + `","record":` + string(b) + "}")
		}
		file, err := parse(b)
		if err != nil {
			return
		}
		r := file.decode(now)
		if r.Lease == nil {
			return
		}
		if r.Lease.Start.After(now.boot) {
			t.Errorf("a lease from the future: %v, now %v", r.Lease.Start, now.boot)
		}
		if now.boot < 0 {
			return
		}
		again, err := encode(r, now)
		if err != nil {
			t.Fatal(err)
		}
		if f2, err := parse(again); err != nil {
			t.Errorf("%v: %s", err, again)
		} else if d := cmp.Diff(r, f2.decode(now), byValue, cmpopts.EquateEmpty()); d != "" {
			t.Error(d)
		}
	})
}
