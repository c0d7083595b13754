//go:build linux

package control

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

func TestListen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(filepath.Dir(socketPath(t)), "made", "here", "sock")
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{path: fs.ModeSocket | 0o666, filepath.Dir(path): fs.ModeDir | 0o755} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != want {
			t.Errorf("%s has mode %v, want %v", name, info.Mode(), want)
		}
	}

	_, err = Listen(path)
	busy, ok := errors.AsType[*BusyError](err)
	if !ok || busy.PID != os.Getpid() || busy.Path != path || !strings.Contains(err.Error(), "use --socket") {
		t.Errorf("second daemon: %v", err)
	}

	// Somebody has removed the lock: the living socket is still respected.
	if err := os.Remove(path + ".lock"); err != nil {
		t.Fatal(err)
	}
	_, err = Listen(path)
	if busy, ok := errors.AsType[*BusyError](err); !ok || busy.PID != os.Getpid() {
		t.Errorf("second daemon, no lock: %v", err)
	}

	die(t, l)
	again, err := Listen(path)
	if err != nil {
		t.Fatalf("with a socket left behind: %v", err)
	}
	for range 2 {
		if err := again.Close(); err != nil {
			t.Error(err)
		}
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// die ends a listener as if its process was killed: the socket's file stays. A
// process that another test starts has a copy of the descriptors until it runs its
// program, so closing them here is not enough.
func die(t *testing.T, l *Listener) {
	t.Helper()
	conn, err := l.unix.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Control(func(fd uintptr) { _ = unix.Shutdown(int(fd), unix.SHUT_RDWR) }); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.unix.Close(), unix.Flock(int(l.lock.Fd()), unix.LOCK_UN), l.lock.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestListenRefuses(t *testing.T) {
	t.Parallel()
	dir := filepath.Dir(socketPath(t))
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(file, link+".lock"); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, path, want string }{
		{"empty", "", "not the path of a file"},
		{"abstract", "@lessee", "not the path of a file"},
		{"too long", filepath.Join(dir, strings.Repeat("x", maxPath)), "at most 107"},
		{"a file", file, "not a socket"},
		{"below a file", filepath.Join(file, "sock"), "make its directory"},
		{"lock is a link", link, "too many levels"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if _, err := Listen(tc.path); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
	t.Cleanup(func() {
		if data, err := os.ReadFile(file); err != nil || string(data) != "precious" {
			t.Errorf("the file is now %q, %v", data, err)
		}
	})
}

// TestListenLongestPath: 107 bytes are not too many.
func TestListenLongestPath(t *testing.T) {
	t.Parallel()
	dir := filepath.Dir(socketPath(t)) + "/"
	path := dir + strings.Repeat("x", maxPath-len(dir))
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

// TestListenRace: of many daemons that start at once over a dead one's socket,
// exactly one at a time serves, and a socket is never removed under it.
func TestListenRace(t *testing.T) {
	t.Parallel()
	path := socketPath(t)
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	dead.Close()

	var wg sync.WaitGroup
	var serving sync.Mutex
	for range 8 {
		wg.Go(func() {
			for served := 0; served < 5; {
				l, err := Listen(path)
				if err != nil {
					if _, ok := errors.AsType[*BusyError](err); !ok {
						t.Error(err)
						return
					}
					continue
				}
				if !serving.TryLock() {
					t.Error("two daemons serve the socket")
				} else {
					if c, err := net.Dial("unix", path); err != nil {
						t.Errorf("while serving: %v", err)
					} else {
						c.Close()
					}
					serving.Unlock()
				}
				served++
				if err := l.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func TestDoor(t *testing.T) {
	t.Parallel()
	var d door
	for range maxConnsPerUser {
		if !d.enter(1000) {
			t.Fatal("refused too early")
		}
	}
	if d.enter(1000) {
		t.Error("one user too often")
	}
	if !d.enter(1001) {
		t.Error("another user is kept out")
	}
	for uid := uint32(2000); d.total < maxConns; uid++ {
		d.enter(uid)
	}
	if d.enter(1002) {
		t.Error("too many in all")
	}
	if !d.enter(0) {
		t.Error("root is kept out")
	}
	d.leave(0)
	d.leave(1001)
	d.leave(1000)
	if !d.enter(1000) {
		t.Error("the place left is not free")
	}
}
