//go:build linux

package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/internal/tenancy"
	"golang.org/x/sys/unix"
)

func TestNotUnderstood(t *testing.T) {
	t.Parallel()
	m, dir := newMachine(), t.TempDir()
	s := open(t, dir, m)
	path := filepath.Join(dir, "eth0.json")
	good, err := indented(full(m.boot), s.clock.now())
	if err != nil {
		t.Fatal(err)
	}
	replace := func(from, to string) string {
		if !strings.Contains(string(good), from) {
			t.Fatalf("no %s in %s", from, good)
		}
		return strings.Replace(string(good), from, to, 1)
	}
	for name, text := range map[string]string{
		"empty": "", "zeros": strings.Repeat("\x00", 512), "cut": string(good[:len(good)/2]), "array": "[]", "null": "null",
		"newer":        replace(`"version": 1`, `"version": 2`),
		"no version":   replace(`"version": 1`, `"version": 0`),
		"twice":        string(good) + string(good),
		"IPv6":         replace(`10.77.0.100/24`, `2001:db8::1/64`),
		"T1 after T2":  replace(`"t1": "30m0s"`, `"t1": "59m0s"`),
		"future start": replace(`"start_uptime": "16m40s"`, `"start_uptime": "99h0m0s"`),
		"bad duration": replace(`"1h0m0s"`, `"soon"`),
		"bad name":     replace(`"domain": "lab.test"`, `"domain": "a\nnameserver 6.6.6.6"`),
		"bad MTU":      replace(`"mtu": 1400`, `"mtu": 67`),
		"bad bytes":    replace(`"client_id": "`, `"client_id": "xx`),
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, ok, err := s.Load("eth0")
		if ok || err == nil || !strings.Contains(err.Error(), "eth0.json.corrupt-") || !strings.Contains(err.Error(), "eth0: load the lease: ") {
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
	if names, err := s.Names(); len(names) != 0 || err != nil {
		t.Errorf("names %v, %v", names, err)
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
	if err := s.Save("eth0", full(m.boot), true); err != nil {
		t.Error(err)
	}
}

func FuzzLoad(f *testing.F) {
	m := newMachine()
	for _, r := range []tenancy.Record{{}, full(m.boot)} {
		b, err := encode(r, 1, m.clock().now())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, int64(0), true)
		f.Add(b, int64(1)<<62, false)
	}
	f.Fuzz(func(t *testing.T, b []byte, boot int64, same bool) {
		now := m.clock().now()
		now.boot = boottime.Instant(boot)
		if !same {
			now.bootID = "another"
		}
		r, err := decode(b, now)
		if err != nil || r.Lease == nil {
			return
		}
		if r.Lease.Start.After(now.boot) {
			t.Errorf("a lease from the future: %v, now %v", r.Lease.Start, now.boot)
		}
		if now.boot < 0 {
			return
		}
		again, err := encode(r, 1, now)
		if err != nil {
			t.Fatal(err)
		}
		if r2, err := decode(again, now); err != nil {
			t.Errorf("%v: %s", err, again)
		} else if d := cmp.Diff(r, r2, byValue, cmpopts.EquateEmpty()); d != "" {
			t.Error(d)
		}
	})
}
