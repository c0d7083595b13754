//go:build linux

package leases

import (
	"bytes"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"github.com/lessee/lessee/names"
	"golang.org/x/sys/unix"
)

// byValue compares values without pointers.
var byValue = cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}, names.Host{}, names.Domain{}, names.URL{}, names.Zone{}, names.POSIXZone{}, names.Token{}, names.Template{})

// A machine has clocks that the test sets.
type machine struct {
	boot   boottime.Instant
	bootID string
	wall   time.Time
}

func newMachine() *machine {
	return &machine{boot: 1000 * 1e9, bootID: "boot-1", wall: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
}

func (m *machine) clock() Clock {
	return Clock{Boot: func() boottime.Instant { return m.boot }, BootID: m.bootID, Wall: func() time.Time { return m.wall }}
}

func (m *machine) pass(d time.Duration) { m.boot, m.wall = m.boot.Add(d), m.wall.Add(d) }

func (m *machine) reboot(off time.Duration) {
	m.boot, m.bootID, m.wall = 5*1e9, m.bootID+"'", m.wall.Add(off)
}

// open opens the store of a daemon whose folders are below dir.
func open(t *testing.T, dir string, m *machine) *Store {
	t.Helper()
	s, err := Open(optionsOf(dir, m))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func optionsOf(dir string, m *machine) Options {
	return Options{Run: filepath.Join(dir, "run"), State: filepath.Join(dir, "state"), Clock: m.clock()}
}

// copies returns the paths of the two copies of an adapter's record.
func copies(dir, adapter string) (run, state string) {
	return filepath.Join(dir, "run", "leases", adapter+".json"), filepath.Join(dir, "state", adapter+".json")
}

// domains parses names that are right.
func domains(list ...string) []names.Domain {
	all := make([]names.Domain, len(list))
	for i, s := range list {
		if err := all[i].UnmarshalText([]byte(s)); err != nil {
			panic(err)
		}
	}
	return all
}

func full(start boottime.Instant) v4.Record {
	addr := netip.MustParseAddr
	host, _ := domains("web")[0].Host()
	r := v4.Record{
		HardwareAddr: []byte{2, 0, 0, 0, 0, 2},
		Lease: &dhcp4.Lease{
			Address: netip.MustParsePrefix("10.77.0.100/24"), Broadcast: addr("10.77.0.255"),
			Server: addr("10.77.0.1"), ServerLink: []byte{2, 0, 0, 0, 0, 1}, Relay: addr("10.77.0.3"),
			ClientID: []byte{1, 2, 0, 0, 0, 0, 2}, Start: start,
			Duration: time.Hour, T1: 30 * time.Minute, T2: 3150*time.Second + 500*time.Millisecond,
			Nonce:   &dhcp4.Nonce{Key: [16]byte{1, 2, 3, 15: 16}, Replay: 1 << 63},
			Routers: []netip.Addr{addr("10.77.0.1")}, DNS: []netip.Addr{addr("10.77.0.1"), addr("192.0.2.1")},
			Routes:   []dhcp4.Route{{Destination: netip.MustParsePrefix("10.99.0.0/16"), Router: addr("10.77.0.1")}},
			HostName: host, Domain: domains("lab.test")[0], Search: domains("lab.test", "b.test"), MTU: 1400, More: extrasOf(),
		},
		Ours:    []netip.Prefix{netip.MustParsePrefix("10.77.0.99/24")},
		BaseMTU: 1500, Up: true,
		LinkLocal: addr("169.254.7.9"),
	}
	elsewhere := *r.Lease
	elsewhere.Address, elsewhere.Start = netip.MustParsePrefix("192.168.1.20/24"), start.Add(-time.Minute)
	r.Networks = []v4.Network{
		{Router: addr("10.77.0.1"), RouterLink: []byte{2, 0, 0, 0, 0, 1}, Lease: r.Lease},
		{Router: addr("192.168.1.1"), RouterLink: []byte{2, 0, 0, 0, 0, 7}, Lease: &elsewhere},
	}
	return r
}

func load(t *testing.T, s *Store, adapter string) v4.Record {
	t.Helper()
	r, ok, err := s.Load(adapter)
	if err != nil || !ok {
		t.Fatalf("load %s: %v, %v", adapter, ok, err)
	}
	return r
}

// persist makes the second copy.
func persist(t *testing.T, s *Store, adapters ...string) {
	t.Helper()
	for _, a := range adapters {
		if err := s.Persist(a); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSaveAndLoad(t *testing.T) {
	t.Parallel()
	m, dir := newMachine(), filepath.Join(t.TempDir(), "a", "b")
	s := open(t, dir, m)
	if _, ok, err := s.Load("eth0"); ok || err != nil {
		t.Fatalf("load of nothing: %v, %v", ok, err)
	}
	infinite := full(m.boot)
	infinite.Lease.Infinite, infinite.Lease.Duration, infinite.Lease.T1, infinite.Lease.T2 = true, 0, 0, 0
	releasing, released := full(m.boot), full(m.boot)
	releasing.Release, released.Release = v4.Releasing, v4.Released
	run, state := copies(dir, "eth0")
	for name, r := range map[string]v4.Record{"full": full(m.boot), "empty": {}, "infinite": infinite, "releasing": releasing, "released": released} {
		if err := s.Save("eth0", r); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(r, load(t, s, "eth0"), byValue); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		persist(t, s, "eth0")
		first, err1 := os.ReadFile(run)
		second, err2 := os.ReadFile(state)
		if err := errors.Join(err1, err2); err != nil || !bytes.Equal(first, second) {
			t.Errorf("%s: the copies differ; %v", name, err)
		}
	}
	for _, file := range []string{run, state} {
		if st, err := os.Stat(file); err != nil {
			t.Error(err)
		} else if st.Mode().Perm() != filePerm {
			t.Errorf("%s: mode %v", file, st.Mode())
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	dir, m := t.TempDir(), newMachine()
	s := open(t, dir, m)
	names := []string{"eth0", ".", "..", ".hidden", "../../etc/passwd", "a/b", "eth0.100", "br-1_x", "%41", "A", "ütf", "\x00", "a.json", "lock", "-"}
	for _, n := range names {
		if err := s.Save(n, v4.Record{BaseMTU: 1000 + len(n), Up: true}); err != nil {
			t.Errorf("%q: %v", n, err)
		}
		persist(t, s, n)
	}
	for _, n := range names {
		if r := load(t, s, n); r.BaseMTU != 1000+len(n) {
			t.Errorf("%q: another one's record", n)
		}
	}
	slices.Sort(names)
	if got := s.Up(); !slices.Equal(got, names) {
		t.Errorf("names %q", got)
	}
	for _, n := range []string{"", strings.Repeat("x", 300), strings.Repeat("/", 100)} {
		if err := s.Save(n, v4.Record{}); err == nil {
			t.Errorf("%q was taken", n)
		}
		if _, ok, err := s.Load(n); ok || err == nil {
			t.Errorf("%q was loaded", n)
		}
		if s.Persist(n) == nil || s.Remove(n) == nil {
			t.Errorf("%q was persisted or removed", n)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("something got out of the folders: %v, %v", entries, err)
	}
}

func FuzzFileName(f *testing.F) {
	f.Add("eth0")
	f.Add("../%2f")
	f.Fuzz(func(t *testing.T, name string) {
		file, err := fileName(name)
		if err != nil {
			return
		}
		if file != filepath.Base(file) || strings.HasPrefix(file, ".") || temporary(file) {
			t.Errorf("%q: file %q", name, file)
		}
		if back, ok := adapterName(file); !ok || back != name {
			t.Errorf("%q: file %q: name %q, %v", name, file, back, ok)
		}
	})
}

func TestRemove(t *testing.T) {
	t.Parallel()
	m, dir := newMachine(), t.TempDir()
	s := open(t, dir, m)
	if err := errors.Join(s.Remove("eth0"), s.Save("wan", full(m.boot))); err != nil { // nothing there
		t.Fatal(err)
	}
	persist(t, s, "wan", "eth0")
	if err := s.Remove("wan"); err != nil {
		t.Fatal(err)
	}
	if _, ok, _ := s.Load("wan"); ok {
		t.Error("the record that was removed is still there")
	}
	persist(t, s, "wan")
	if len(s.Pending()) != 0 {
		t.Errorf("pending: %v", s.Pending())
	}
	for _, n := range []string{"wan", "eth0"} {
		run, state := copies(dir, n)
		for _, file := range []string{run, state} {
			if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("left: %s", file)
			}
		}
	}
}

func TestTime(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		then func(m *machine)
		age  time.Duration // of the lease at Load
	}{
		{"at once", func(*machine) {}, time.Minute},
		{"a while later", func(m *machine) { m.pass(10 * time.Minute) }, 11 * time.Minute},
		{"the wall clock jumps ahead", func(m *machine) { m.pass(time.Minute); m.wall = m.wall.AddDate(10, 0, 0) }, 2 * time.Minute},
		{"the wall clock jumps back", func(m *machine) { m.pass(time.Minute); m.wall = time.Unix(0, 0) }, 2 * time.Minute},
		{"a reboot", func(m *machine) { m.reboot(10 * time.Minute) }, 11 * time.Minute},
		{"a reboot with a clock that lost its battery", func(m *machine) { m.reboot(0); m.wall = time.Unix(0, 0) }, time.Minute},
		{"a reboot into the far future", func(m *machine) { m.reboot(0); m.wall = m.wall.AddDate(200, 0, 0) }, 200 * 365 * 24 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m, dir := newMachine(), t.TempDir()
			s := open(t, dir, m)
			r := full(m.boot.Add(-time.Minute)) // the exchange took a minute
			if err := s.Save("eth0", r); err != nil {
				t.Fatal(err)
			}
			persist(t, s, "eth0")
			c.then(m)
			_ = s.Close()
			got := load(t, open(t, dir, m), "eth0").Lease
			age := m.boot.Sub(got.Start)
			if c.age > 24*time.Hour {
				if age < c.age {
					t.Errorf("age %v, want at least %v", age, c.age)
				}
			} else if age != c.age {
				t.Errorf("age %v, want %v", age, c.age)
			}
			if end, _ := got.Expires(); end.Sub(m.boot) > got.Duration {
				t.Errorf("%v left of %v", end.Sub(m.boot), got.Duration)
			}
		})
	}
}

func TestReboot(t *testing.T) {
	t.Parallel()
	m, dir := newMachine(), t.TempDir()
	s := open(t, dir, m)
	released := full(m.boot)
	released.Release = v4.Released
	if err := errors.Join(s.Save("eth0", released), s.Save("eth1", full(m.boot)), s.Save("eth2", full(m.boot))); err != nil {
		t.Fatal(err)
	}
	persist(t, s, "eth0", "eth1") // the power fails before eth2's is on disk
	if r := load(t, s, "eth0"); r.Release != v4.Released || !r.Up || r.Lease == nil || len(r.Ours) != 1 || r.BaseMTU != 1500 {
		t.Errorf("in the same boot: %+v", r)
	}
	m.reboot(time.Minute)
	_ = s.Close()
	// The first copies are still there where their folder is on a disk.
	s = open(t, dir, m)
	if r := load(t, s, "eth0"); r.Release != v4.NotReleased || r.Up || r.Lease != nil || len(r.Ours) != 0 || r.BaseMTU != 0 {
		t.Errorf("after a reboot, released: %+v", r)
	}
	if r := load(t, s, "eth1"); r.Release != v4.NotReleased || r.Up || r.Lease == nil || len(r.Ours) != 0 || r.BaseMTU != 0 || len(r.HardwareAddr) != 6 {
		t.Errorf("after a reboot: %+v", r)
	}
	if _, ok, err := s.Load("eth2"); ok || err != nil {
		t.Errorf("a first copy of another boot counts: %v, %v", ok, err)
	}
	if up, pending := s.Up(), s.Pending(); len(up) != 0 || len(pending) != 0 {
		t.Errorf("after a reboot: up %v, pending %v", up, pending)
	}
}

func TestLock(t *testing.T) {
	t.Parallel()
	m := newMachine()
	for _, shared := range []string{"--run", "--state"} {
		dir := t.TempDir()
		s := open(t, dir, m)
		o := optionsOf(dir, m)
		if shared == "--run" {
			o.State = filepath.Join(dir, "other")
		} else {
			o.Run = filepath.Join(dir, "other")
		}
		_, err := Open(o)
		if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), "pid ") || !strings.Contains(err.Error(), shared) {
			t.Errorf("%s: error %v", shared, err)
		}
		_ = s.Close()
		if s, err = Open(o); err != nil {
			t.Fatal(err)
		}
		_ = s.Close()
	}
}

func TestLeftoversGo(t *testing.T) {
	t.Parallel()
	m, dir := newMachine(), t.TempDir()
	for _, f := range []string{"run/leases", "state"} {
		if err := os.MkdirAll(filepath.Join(dir, f), 0o755); err != nil {
			t.Fatal(err)
		}
		for _, n := range []string{".eth0.json0", ".eth%2F0.json1", "eth0.json", ".keep", "notes.txt"} {
			if err := os.WriteFile(filepath.Join(dir, f, n), []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	s := open(t, dir, m)
	for _, f := range s.folders() {
		names, err := f.disk.List()
		if d := cmp.Diff([]string{".keep", "eth0.json", "lock", "notes.txt"}, names); d != "" || err != nil {
			t.Error(f.path, d, err)
		}
	}
}

// TestWithoutState: with no second folder nothing is pending, and a removal leaves
// nothing.
func TestWithoutState(t *testing.T) {
	t.Parallel()
	m, dir := newMachine(), t.TempDir()
	o := optionsOf(dir, m)
	o.State = ""
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := errors.Join(s.Save("eth0", full(m.boot)), s.Persist("eth0"), s.Save("eth1", full(m.boot)), s.Remove("eth1"), s.Remove("eth1")); err != nil {
		t.Fatal(err)
	}
	if load(t, s, "eth0").Lease == nil || len(s.Pending()) != 0 {
		t.Errorf("pending %v", s.Pending())
	}
	if names, err := s.run.disk.List(); err != nil || !slices.Equal(names, []string{"eth0.json", "lock"}) {
		t.Errorf("files %v, %v", names, err)
	}
}

// inMounts runs this test again in a mount namespace of its own.
func inMounts(t *testing.T) (child bool) {
	t.Helper()
	if os.Getenv("LEASES_TEST_MOUNTS") == t.Name() {
		return true
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), "LEASES_TEST_MOUNTS="+t.Name())
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, unix.EPERM) {
		t.Skip("needs CAP_SYS_ADMIN to make a mount namespace")
	}
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("%v\n%s", err, out)
	}
	return false
}

// TestFolderGone: a folder that somebody removed is made anew, and what was to be
// removed from it needs no removal.
func TestFolderGone(t *testing.T) {
	t.Parallel()
	m, dir := newMachine(), t.TempDir()
	run, state := copies(dir, "eth0")
	s := open(t, dir, m)
	for _, folder := range []string{filepath.Dir(run), filepath.Dir(state)} {
		for i := range 2 {
			if err := errors.Join(s.Save("eth0", v4.Record{BaseMTU: 1400 + i}), s.Persist("eth0")); err != nil {
				t.Fatalf("%s: %v", folder, err)
			}
			for _, file := range []string{run, state} {
				if _, err := os.Stat(file); err != nil {
					t.Error(err)
				}
			}
			if err := os.RemoveAll(folder); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(s.Remove("eth0"), s.Persist("eth0")); err != nil || len(s.Pending()) > 0 {
			t.Errorf("%s: %v, pending %q", folder, err, s.Pending())
		}
	}
}

// TestRealDisks: a folder that is full or read-only is said, and tried again. The
// other one has the record meanwhile.
func TestRealDisks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if !inMounts(t) {
		return
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	m := newMachine()
	must(unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	o := optionsOf(dir, m)
	for _, f := range []string{o.Run, o.State} {
		must(os.Mkdir(f, 0o755))
		must(unix.Mount("tmpfs", f, "tmpfs", 0, "size=64k"))
		t.Cleanup(func() { must(unix.Unmount(f, unix.MNT_DETACH)) })
	}
	fill := func(dir string) (empty func()) {
		f, err := os.Create(filepath.Join(dir, "fill"))
		must(err)
		for err == nil {
			_, err = f.Write(make([]byte, 1024))
		}
		if !errors.Is(err, unix.ENOSPC) {
			t.Fatal(err)
		}
		return func() { must(f.Close()); must(os.Remove(f.Name())) }
	}
	said := func(err error, cause error, text, path string) {
		t.Helper()
		if !errors.Is(err, cause) || !strings.Contains(err.Error(), text) || !strings.Contains(err.Error(), path) {
			t.Errorf("error %v", err)
		}
	}
	mtu := func(s *Store, n int) {
		t.Helper()
		if got := load(t, s, "eth0").BaseMTU; got != n {
			t.Errorf("record %d, want %d", got, n)
		}
	}
	restart := func(s *Store) *Store {
		must(s.Close())
		m.pass(time.Second)
		return open(t, dir, m)
	}
	s := open(t, dir, m)
	must(s.Save("eth0", v4.Record{BaseMTU: 1401}))
	must(s.Persist("eth0"))

	empty := fill(o.State)
	must(s.Save("eth0", v4.Record{BaseMTU: 1402}))
	said(s.Persist("eth0"), unix.ENOSPC, "the disk is full", o.State)
	s = restart(s)
	mtu(s, 1402)
	said(s.Persist("eth0"), unix.ENOSPC, "--state", o.State)
	empty()
	must(s.Persist("eth0"))

	empty = fill(o.Run)
	m.pass(time.Second)
	said(s.Save("eth0", v4.Record{BaseMTU: 1403}), unix.ENOSPC, "--run", o.Run)
	must(s.Persist("eth0"))
	mtu(s, 1403)
	s = restart(s) // with the folder still full
	mtu(s, 1403)
	empty()
	must(s.Save("eth0", v4.Record{BaseMTU: 1404}))
	mtu(s, 1404)
	must(s.Persist("eth0"))
	s = restart(s)

	must(unix.Mount("", o.Run, "", unix.MS_REMOUNT|unix.MS_RDONLY, "size=64k"))
	said(s.Save("eth0", v4.Record{BaseMTU: 1405}), unix.EROFS, "read-only", o.Run)
	must(s.Persist("eth0"))
	mtu(s, 1405) // the first copy is out of date, and cannot be removed
	s = restart(s)
	mtu(s, 1405)
}
