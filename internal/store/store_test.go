//go:build linux

package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/tenancy"
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

func open(t *testing.T, dir string, m *machine) *Store {
	t.Helper()
	s, err := OpenWith(dir, m.clock())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
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

// indented returns a record as its file has it.
func indented(r tenancy.Record, now moment) ([]byte, error) {
	text, err := encode(r, 1, now)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = json.Indent(&b, text, "", "  ")
	return b.Bytes(), err
}

func full(start boottime.Instant) tenancy.Record {
	addr := netip.MustParseAddr
	host, _ := domains("web")[0].Host()
	r := tenancy.Record{
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
	r.Networks = []tenancy.Network{
		{Router: addr("10.77.0.1"), RouterLink: []byte{2, 0, 0, 0, 0, 1}, Lease: r.Lease},
		{Router: addr("192.168.1.1"), RouterLink: []byte{2, 0, 0, 0, 0, 7}, Lease: &elsewhere},
	}
	return r
}

func load(t *testing.T, s *Store, adapter string) tenancy.Record {
	t.Helper()
	r, ok, err := s.Load(adapter)
	if err != nil || !ok {
		t.Fatalf("load %s: %v, %v", adapter, ok, err)
	}
	return r
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
	released := full(m.boot)
	released.Released = true
	offered := full(m.boot)
	offered.Offered = true
	for _, durable := range []bool{true, false} {
		for name, r := range map[string]tenancy.Record{"offered": offered, "full": full(m.boot), "empty": {}, "infinite": infinite, "released": released} {
			if err := s.Save("eth0", r, durable); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(r, load(t, s, "eth0"), byValue); d != "" {
				t.Errorf("%s, durable %v: %s", name, durable, d)
			}
		}
		if err := s.Flush("eth0"); err != nil {
			t.Fatal(err)
		}
		for _, file := range []string{"eth0.json", "eth0.ahead"} {
			if st, err := os.Stat(filepath.Join(dir, file)); err != nil {
				t.Error(err)
			} else if st.Mode().Perm() != filePerm {
				t.Errorf("%s: mode %v", file, st.Mode())
			}
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, newMachine())
	names := []string{"eth0", ".", "..", ".hidden", "../../etc/passwd", "a/b", "eth0.100", "br-1_x", "%41", "A", "ütf", "\x00", "a.json", "lock", "-"}
	for _, n := range names {
		if err := s.Save(n, tenancy.Record{BaseMTU: 1000 + len(n)}, true); err != nil {
			t.Errorf("%q: %v", n, err)
		}
	}
	for _, n := range names {
		if r := load(t, s, n); r.BaseMTU != 1000+len(n) {
			t.Errorf("%q: another one's record", n)
		}
	}
	got, err := s.Names()
	if err != nil || len(got) != len(names) {
		t.Errorf("names %q, %v", got, err)
	}
	for _, n := range []string{"", strings.Repeat("x", 300), strings.Repeat("/", 100)} {
		if err := s.Save(n, tenancy.Record{}, true); err == nil {
			t.Errorf("%q was taken", n)
		}
		if _, ok, err := s.Load(n); ok || err == nil {
			t.Errorf("%q was loaded", n)
		}
	}
	if entries, err := os.ReadDir(filepath.Dir(dir)); err != nil || len(entries) != 1 {
		t.Errorf("something got out of the directory: %v, %v", entries, err)
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

func TestRenameAndRemove(t *testing.T) {
	t.Parallel()
	m := newMachine()
	s := open(t, t.TempDir(), m)
	steps := []error{
		s.Rename("eth0", "wan"), s.Remove("eth0"), // nothing there
		s.Save("eth0", full(m.boot), true), s.Save("wan", tenancy.Record{}, true), s.Rename("eth0", "wan"),
	}
	if err := errors.Join(steps...); err != nil {
		t.Fatal(err)
	}
	if load(t, s, "wan").Lease == nil {
		t.Error("the record did not move")
	}
	if _, ok, _ := s.Load("eth0"); ok {
		t.Error("the record is still there")
	}
	if err := s.Remove("wan"); err != nil {
		t.Fatal(err)
	}
	if n, _ := s.Names(); len(n) != 0 {
		t.Errorf("left: %v", n)
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
			if err := s.Save("eth0", r, true); err != nil {
				t.Fatal(err)
			}
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
	released.Released = true
	if err := errors.Join(s.Save("eth0", released, true), s.Save("eth1", full(m.boot), true)); err != nil {
		t.Fatal(err)
	}
	if r := load(t, s, "eth0"); !r.Released || !r.Up || r.Lease == nil || len(r.Ours) != 1 || r.BaseMTU != 1500 {
		t.Errorf("in the same boot: %+v", r)
	}
	m.reboot(time.Minute)
	_ = s.Close()
	s = open(t, dir, m)
	if r := load(t, s, "eth0"); r.Released || r.Up || r.Lease != nil || len(r.Ours) != 0 || r.BaseMTU != 0 {
		t.Errorf("after a reboot, released: %+v", r)
	}
	if r := load(t, s, "eth1"); r.Released || r.Up || r.Lease == nil || len(r.Ours) != 0 || r.BaseMTU != 0 || len(r.HardwareAddr) != 6 {
		t.Errorf("after a reboot: %+v", r)
	}
}

// failing is a disk on which one operation fails.
type failing struct {
	disk
	op  string
	err error
}

func (f failing) create(n string, b []byte, flush bool) error {
	if f.op == "write" {
		return f.err
	}
	return f.disk.create(n, b, flush)
}

func (f failing) overwrite(n string, at int64, b []byte, flush bool) error {
	if f.op == "write" {
		return f.err
	}
	return f.disk.overwrite(n, at, b, flush)
}

func (f failing) read(n string) ([]byte, error) {
	if f.op == "read" {
		return nil, f.err
	}
	return f.disk.read(n)
}

func (f failing) rename(a, b string) error {
	if f.op == "rename" || f.op == "read" {
		return f.err
	}
	return f.disk.rename(a, b)
}

func TestFaults(t *testing.T) {
	t.Parallel()
	m := newMachine()
	for op, errs := range map[string][]error{
		"write": {unix.ENOSPC, unix.EROFS, unix.EIO}, "read": {unix.EIO, unix.EACCES}, "rename": {unix.EROFS},
	} {
		for _, want := range errs {
			s := open(t, t.TempDir(), m)
			if err := errors.Join(s.Save("eth0", full(m.boot), true), s.Flush("eth0")); err != nil {
				t.Fatal(err)
			}
			good := s.disk
			s.disk = failing{good, op, want}
			var err error
			switch op {
			case "write":
				err = s.Save("eth0", tenancy.Record{}, true)
			case "read":
				_, _, err = s.Load("eth0")
			case "rename":
				err = s.Rename("eth0", "eth1")
			}
			if !errors.Is(err, want) || !strings.HasPrefix(err.Error(), "eth0: ") {
				t.Errorf("%s: error %v, want %v", op, err, want)
			}
			s.disk = good
			if load(t, s, "eth0").Lease == nil {
				t.Errorf("%s: what was saved is lost", op)
			}
		}
	}
}

func TestLock(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, newMachine())
	_, err := Open(dir)
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), "pid ") || !strings.Contains(err.Error(), "--state") {
		t.Errorf("error %v", err)
	}
	_ = s.Close()
	s, err = Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
}

func TestLeftoversGo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, n := range []string{".eth0.json123456", ".eth%2F0.json1", "eth0.json", ".keep", "notes.txt"} {
		if err := os.WriteFile(filepath.Join(dir, n), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, dir, newMachine())
	names, err := s.disk.list()
	if d := cmp.Diff([]string{".keep", "eth0.json", "lock", "notes.txt"}, names); d != "" || err != nil {
		t.Error(d, err)
	}
}

func TestDirectoryErrors(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file); err == nil || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("error %v", err)
	}
	if _, err := Open(filepath.Join(file, "below")); err == nil || !strings.Contains(err.Error(), "--state") {
		t.Errorf("error %v", err)
	}
}

// inMounts runs this test again in a mount namespace of its own.
func inMounts(t *testing.T) (child bool) {
	t.Helper()
	if os.Getenv("STORE_TEST_MOUNTS") == t.Name() {
		return true
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), "STORE_TEST_MOUNTS="+t.Name())
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
	must(unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	must(unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"))
	t.Cleanup(func() { must(unix.Unmount(dir, unix.MNT_DETACH)) })
	s, err := OpenWith(dir, newMachine().clock())
	must(err)
	must(s.Save("eth0", full(1e12), true))
	// Fill it up.
	fill, err := os.Create(filepath.Join(dir, "fill"))
	must(err)
	for err == nil {
		_, err = fill.Write(make([]byte, 1024))
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
	// There is room for what was made for it, and none for more.
	must(s.Save("eth0", tenancy.Record{BaseMTU: 1400}, true))
	err = s.Flush("eth0")
	if !errors.Is(err, unix.ENOSPC) || !strings.Contains(err.Error(), "the disk is full") || !strings.Contains(err.Error(), "eth0.ahead") {
		t.Errorf("full: %v", err)
	}
	if load(t, s, "eth0").BaseMTU != 1400 {
		t.Error("what was saved is lost")
	}
	err = s.Save("eth1", full(1e12), true)
	if !errors.Is(err, unix.ENOSPC) || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("full, another adapter: %v", err)
	}
	must(s.Close())
	if _, err := Open(dir); !errors.Is(err, unix.ENOSPC) || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("open of a full disk: %v", err)
	}
	must(fill.Close())
	must(os.Remove(fill.Name()))
	s, err = OpenWith(dir, newMachine().clock())
	must(err)
	if load(t, s, "eth0").BaseMTU != 1400 {
		t.Error("what was saved on the full disk is lost")
	}
	must(s.Save("eth1", full(1e12), true))
	must(s.Flush("eth0"))
	must(s.Close())
	must(unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
	if _, err := Open(dir); !errors.Is(err, unix.EROFS) || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("open of a read-only disk: %v", err)
	}
}

// TestFlush: what was saved without waiting for the disk can be flushed later;
// where there is nothing, there is nothing to do.
func TestFlush(t *testing.T) {
	t.Parallel()
	m, dir := newMachine(), t.TempDir()
	s := open(t, dir, m)
	if err := s.Flush("eth0"); err != nil {
		t.Errorf("without a record: %v", err)
	}
	for range 2 { // a new file, and one in the place of another
		if err := s.Save("eth0", full(m.boot), false); err != nil {
			t.Fatal(err)
		}
		if err := s.Flush("eth0"); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok, err := s.Load("eth0"); !ok || err != nil {
		t.Errorf("after it: %v, %v", ok, err)
	}
	if names, err := s.Names(); err != nil || len(names) != 1 {
		t.Errorf("names %v, %v: the file that was replaced is still there", names, err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := s.Flush("eth0"); err != nil {
		t.Errorf("with the directory gone: %v", err)
	}
	if err := s.Flush(""); err == nil {
		t.Error("an adapter without a name")
	}
}
