//go:build linux

package resolver

import (
	"bytes"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/lessee/lessee/internal/linux/linuxtest"
	"github.com/lessee/lessee/internal/linux/netns"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/names"
	"golang.org/x/sys/unix"
)

// A conf is a resolv.conf of a test's own, seen from the namespace of process 1.
type conf struct {
	t    *testing.T
	path string
	opt  Options
	log  *bytes.Buffer
}

func newConf(t *testing.T, before string) *conf {
	t.Helper()
	dir := t.TempDir()
	c := &conf{t: t, path: filepath.Join(dir, "resolv.conf"), log: &bytes.Buffer{}}
	c.opt = Options{Mode: ModeFile, Path: c.path, StateDir: t.TempDir(), Log: slog.New(slog.NewTextHandler(c.log, nil))}
	if before != "" {
		c.put(before)
	}
	return c
}

func (c *conf) put(text string) {
	c.t.Helper()
	if err := os.WriteFile(c.path, []byte(text), 0o640); err != nil {
		c.t.Fatal(err)
	}
}

func (c *conf) resolver() *Resolver {
	c.t.Helper()
	n, err := netns.Open()
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = n.Close() })
	r, err := New(n, c.opt)
	if err != nil {
		c.t.Fatal(err)
	}
	if r.guard, err = newGuard("/proc/self", "/proc/self"); err != nil { // as if this were process 1
		c.t.Fatal(err)
	}
	return r
}

func (c *conf) text() string {
	c.t.Helper()
	b, err := os.ReadFile(c.path)
	if err != nil {
		c.t.Fatal(err)
	}
	return string(b)
}

// settings are the lines that are not comments.
func (c *conf) settings() string {
	c.t.Helper()
	var b strings.Builder
	for l := range strings.Lines(c.text()) {
		if !strings.HasPrefix(l, "#") {
			b.WriteString(l)
		}
	}
	return b.String()
}

func (c *conf) is(want string) {
	c.t.Helper()
	if got := c.settings(); got != want {
		c.t.Errorf("settings\n%s, want\n%s", got, want)
	}
}

func set(t *testing.T, r *Resolver, link netconf.Link, d netconf.DNS) {
	t.Helper()
	if err := r.Set(link, d); err != nil {
		t.Fatal(err)
	}
}

func servers(list ...string) netconf.DNS {
	var d netconf.DNS
	for _, s := range list {
		d.Servers = append(d.Servers, netip.MustParseAddr(s))
	}
	return d
}

var (
	eth0 = netconf.Link{Index: 2, Name: "eth0"}
	eth1 = netconf.Link{Index: 3, Name: "eth1"}
)

// domains parses names that are right; "" is none.
func domains(list ...string) []names.Domain {
	all := make([]names.Domain, len(list))
	for i, s := range list {
		if err := all[i].UnmarshalText([]byte(s)); err != nil {
			panic(err)
		}
	}
	return all
}

func TestResolvFile(t *testing.T) {
	t.Parallel()
	const before = "# mine\nnameserver 192.0.2.53\noptions edns0\n"
	c := newConf(t, before)
	r := c.resolver()
	set(t, r, eth1, netconf.DNS{}) // nothing to take back
	if c.text() != before {
		t.Error("touched without a setting")
	}
	d := servers("10.77.0.1", "10.77.0.1", "0.0.0.0", "255.255.255.255", "10.77.0.2")
	d.Search = domains("lab.test", "", "lab.test")
	set(t, r, eth0, d)
	c.is("nameserver 10.77.0.1\nnameserver 10.77.0.2\nsearch lab.test\noptions edns0\n")

	was, err := os.Stat(c.path)
	if err != nil {
		t.Fatal(err)
	}
	set(t, r, eth0, d)
	if is, err := os.Stat(c.path); err != nil || !os.SameFile(was, is) || !is.ModTime().Equal(was.ModTime()) {
		t.Error("written again unchanged")
	}

	two := servers("10.88.0.1", "10.88.0.2")
	two.Domain = domains("b.test")[0]
	set(t, r, eth1, two)
	c.is("nameserver 10.77.0.1\nnameserver 10.77.0.2\nnameserver 10.88.0.1\nsearch lab.test b.test\noptions edns0\n")
	set(t, r, eth0, netconf.DNS{})
	c.is("nameserver 10.88.0.1\nnameserver 10.88.0.2\nsearch b.test\noptions edns0\n")
	set(t, r, eth1, netconf.DNS{})
	if c.text() != before {
		t.Errorf("not put back: %s", c.text())
	}
	if st, err := os.Stat(c.path); err != nil || st.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
	if left, err := os.ReadDir(c.opt.StateDir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestResolvFileWithoutServers(t *testing.T) {
	t.Parallel()
	c := newConf(t, "nameserver 192.0.2.53\n")
	set(t, c.resolver(), eth0, netconf.DNS{Domain: domains("lab.test")[0]})
	c.is("nameserver 192.0.2.53\nsearch lab.test\n")
}

func TestResolvFileAcrossRestarts(t *testing.T) {
	t.Parallel()
	const before = "nameserver 192.0.2.53\n"
	c := newConf(t, before)
	r := c.resolver()
	set(t, r, eth0, servers("10.77.0.1"))
	set(t, r, eth1, servers("10.88.0.1"))
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	was, _ := os.Stat(c.path)
	r = c.resolver()
	set(t, r, eth1, servers("10.88.0.1"))
	c.is("nameserver 10.88.0.1\nnameserver 10.77.0.1\n")
	set(t, r, eth0, servers("10.77.0.1"))
	c.is("nameserver 10.77.0.1\nnameserver 10.88.0.1\n")
	_ = was
	r = c.resolver()
	set(t, r, eth0, netconf.DNS{}) // taken back by a daemon that did not set it
	c.is("nameserver 10.88.0.1\n")
	set(t, r, eth1, netconf.DNS{})
	if c.text() != before {
		t.Errorf("not put back: %s", c.text())
	}
}

func TestResolvFileOfOthers(t *testing.T) {
	t.Parallel()
	t.Run("changed by somebody else", func(t *testing.T) {
		t.Parallel()
		c := newConf(t, "nameserver 192.0.2.53\n")
		r := c.resolver()
		set(t, r, eth0, servers("10.77.0.1"))
		c.put("nameserver 198.51.100.1\n")
		set(t, r, eth0, netconf.DNS{})
		c.is("nameserver 198.51.100.1\n")
		if !strings.Contains(c.log.String(), "somebody else") {
			t.Errorf("log: %s", c.log)
		}
	})
	t.Run("changed and then needed", func(t *testing.T) {
		t.Parallel()
		c := newConf(t, "nameserver 192.0.2.53\n")
		r := c.resolver()
		set(t, r, eth0, servers("10.77.0.1"))
		c.put("nameserver 198.51.100.1\n")
		set(t, r, eth0, servers("10.77.0.2"))
		c.is("nameserver 10.77.0.2\n")
		set(t, r, eth0, netconf.DNS{})
		c.is("nameserver 198.51.100.1\n")
	})
	t.Run("symbolic link", func(t *testing.T) {
		t.Parallel()
		c := newConf(t, "")
		target := filepath.Join(t.TempDir(), "stub")
		if err := errors.Join(os.WriteFile(target, []byte("nameserver 127.0.0.53\n"), 0o644), os.Symlink(target, c.path)); err != nil {
			t.Fatal(err)
		}
		r := c.resolver()
		set(t, r, eth0, servers("10.77.0.1"))
		c.is("nameserver 10.77.0.1\n")
		if b, err := os.ReadFile(target); err != nil || string(b) != "nameserver 127.0.0.53\n" {
			t.Errorf("wrote through the link: %q, %v", b, err)
		}
		set(t, r, eth0, netconf.DNS{})
		if to, err := os.Readlink(c.path); err != nil || to != target {
			t.Errorf("link to %q, %v", to, err)
		}
	})
	t.Run("nothing", func(t *testing.T) {
		t.Parallel()
		c := newConf(t, "")
		r := c.resolver()
		set(t, r, eth0, servers("10.77.0.1"))
		c.is("nameserver 10.77.0.1\n")
		set(t, r, eth0, netconf.DNS{})
		if _, err := os.Lstat(c.path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("still there: %v", err)
		}
	})
}

func TestNeverFromAnotherNamespace(t *testing.T) {
	t.Parallel()
	for _, mode := range []Mode{ModeAuto, ModeFile, ModeResolved} {
		const before = "nameserver 192.0.2.53\n"
		c := newConf(t, before)
		c.opt.Mode = mode
		r := c.resolver()
		r.guard.space = netns.FileID{}
		set(t, r, eth0, servers("10.77.0.1"))
		set(t, r, eth0, servers("10.77.0.2"))
		if c.text() != before {
			t.Errorf("%s: wrote %s", mode, c.text())
		}
		if n := strings.Count(c.log.String(), "left alone"); n != 1 {
			t.Errorf("%s: %d lines in the log: %s", mode, n, c.log)
		}
		// A process 1 that cannot be looked at is not ours.
		r = c.resolver()
		r.guard.init = "/nonexistent"
		set(t, r, eth0, servers("10.77.0.1"))
		if c.text() != before {
			t.Errorf("%s: wrote %s", mode, c.text())
		}
	}
}

func TestNeverFromARealNamespace(t *testing.T) {
	t.Parallel()
	l := linuxtest.New(t)
	var space *netns.Namespace
	var err error
	l.Do(func() { space, err = netns.Open() })
	l.Must(err)
	defer space.Close()
	c := newConf(t, "nameserver 192.0.2.53\n")
	r, err := New(space, c.opt)
	l.Must(err)
	set(t, r, eth0, servers("10.77.0.1"))
	c.is("nameserver 192.0.2.53\n")
}

// TestPrivateResolvFile: the file that `ip netns exec` mounts over the machine's.
func TestPrivateResolvFile(t *testing.T) {
	t.Parallel()
	path := os.Getenv("RESOLVER_TEST_FILE")
	if path == "" {
		path = filepath.Join(t.TempDir(), "resolv.conf")
		if err := os.WriteFile(path, []byte("nameserver 192.0.2.53\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestPrivateResolvFile$", "-test.v")
		cmd.Env = append(os.Environ(), "RESOLVER_TEST_FILE="+path)
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS | unix.CLONE_NEWNET}
		out, err := cmd.CombinedOutput()
		if errors.Is(err, unix.EPERM) {
			t.Skip("needs CAP_SYS_ADMIN to make namespaces")
		}
		if err != nil || !strings.Contains(string(out), "--- PASS: TestPrivateResolvFile") {
			t.Errorf("%v\n%s", err, out)
		}
		if b, _ := os.ReadFile(path); string(b) != "nameserver 192.0.2.53\n" {
			t.Errorf("the machine's file: %s", b)
		}
		return
	}
	const before = "nameserver 198.51.100.1\n# a file that is longer than what is written over it\n# " + "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n"
	private := filepath.Join(t.TempDir(), "private")
	if err := errors.Join(
		os.WriteFile(private, []byte(before), 0o644),
		unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
		unix.Mount(private, path, "", unix.MS_BIND, ""),
	); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(path, unix.MNT_DETACH) })
	n, err := netns.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	c := &conf{t: t, path: path, log: &bytes.Buffer{}}
	r, err := New(n, Options{Mode: ModeAuto, Path: path, StateDir: t.TempDir(), Log: slog.New(slog.NewTextHandler(c.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	set(t, r, eth0, servers("10.77.0.1"))
	c.is("nameserver 10.77.0.1\n")
	set(t, r, eth0, netconf.DNS{})
	if c.text() != before {
		t.Errorf("not put back: %s", c.text())
	}
}

func TestResolvconfProgram(t *testing.T) {
	dir := t.TempDir()
	script := "#!/bin/sh\n{ echo \"$@\"; cat; } >> " + dir + "/log\n[ ! -e " + dir + "/fail ] || { echo broken >&2; exit 1; }\n"
	if err := os.WriteFile(filepath.Join(dir, "resolvconf"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":/usr/bin:/bin")
	c := newConf(t, "nameserver 192.0.2.53\n")
	c.opt.Mode = ModeAuto
	r := c.resolver()
	d := servers("10.77.0.1", "10.77.0.2", "10.77.0.3", "10.77.0.4")
	d.Domain = domains("lab.test")[0]
	set(t, r, eth0, d)
	set(t, r, eth0, d)
	set(t, r, eth0, netconf.DNS{})
	b, err := os.ReadFile(filepath.Join(dir, "log"))
	const want = "-a eth0.lessee\nnameserver 10.77.0.1\nnameserver 10.77.0.2\nnameserver 10.77.0.3\nnameserver 10.77.0.4\nsearch lab.test\n-d eth0.lessee\n"
	if err != nil || string(b) != want {
		t.Errorf("%v:\n%s, want\n%s", err, b, want)
	}
	c.is("nameserver 192.0.2.53\n")
	if err := os.WriteFile(filepath.Join(dir, "fail"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.Set(eth0, d); err == nil || !strings.Contains(err.Error(), "eth0: ") || !strings.Contains(err.Error(), "broken") {
		t.Errorf("error %v", err)
	}
	t.Setenv("PATH", t.TempDir())
	c.opt.Mode = ModeResolvconf
	if _, err := New(nil, c.opt); err == nil || !strings.Contains(err.Error(), "install") {
		t.Errorf("error %v", err)
	}
	c.opt.Mode = "bind"
	if _, err := New(nil, c.opt); err == nil || !strings.Contains(err.Error(), "auto, resolved, resolvconf") {
		t.Errorf("error %v", err)
	}
}
