//go:build linux

package control

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/coreos/go-systemd/v22/activation"
	"golang.org/x/sys/unix"
)

// maxPath is what fits into a sockaddr_un beside its final NUL (unix(7)).
const maxPath = 107

// A BusyError says that another daemon serves the socket.
type BusyError struct {
	Path string
	// PID is the other daemon's process; 0 if it could not be found out.
	PID int
}

// Error says who serves the socket and what to do.
func (e *BusyError) Error() string {
	who := "another lessee daemon"
	if e.PID > 0 {
		who += fmt.Sprintf(" (pid %d)", e.PID)
	}
	return fmt.Sprintf("%s is serving %s; stop it or use --socket", who, e.Path)
}

// A Listener is the daemon's socket.
type Listener struct {
	unix *net.UnixListener
	path string   // empty: not ours to remove
	lock *os.File // held as long as the socket is ours
	once sync.Once
	err  error
	door door
}

// Listen makes the socket at path, and its directory if there is none. A socket
// that a dead daemon left behind is replaced; a living daemon's is not: then the
// error is a [*BusyError]. Everybody may connect.
func Listen(path string) (*Listener, error) {
	if path == "" || strings.HasPrefix(path, "@") || strings.ContainsRune(path, 0) {
		return nil, fmt.Errorf("listen on the control socket: %q is not the path of a file", path)
	}
	if len(path) > maxPath {
		return nil, fmt.Errorf("listen on the control socket: its path has %d bytes, a Unix socket's has at most %d: %s; use a shorter --socket",
			len(path), maxPath, path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("listen on the control socket: make its directory: %w", err)
	}
	lock, err := takeLock(path)
	if err != nil {
		return nil, err
	}
	l, err := bind(path)
	if err != nil {
		_ = dropLock(lock)
		return nil, err
	}
	return &Listener{unix: l, path: path, lock: lock}, nil
}

// takeLock takes the lock of the socket at path. Who holds it alone may look
// at, remove and make the socket, so two starting daemons cannot remove each
// other's.
func takeLock(path string) (*os.File, error) {
	name := path + ".lock"
	for {
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o644)
		if err != nil {
			return nil, fmt.Errorf("listen on the control socket: %w", err)
		}
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
			defer f.Close()
			if errors.Is(err, unix.EWOULDBLOCK) {
				return nil, &BusyError{Path: path, PID: readPID(f)}
			}
			return nil, fmt.Errorf("listen on the control socket: lock %s: %w", name, err)
		}
		// The holder before us removed the file when it ended; then what we
		// hold is a lock that nobody else will ever see.
		if same, err := sameFile(f, name); err != nil || !same {
			_ = f.Close()
			if err != nil {
				return nil, fmt.Errorf("listen on the control socket: %w", err)
			}
			continue
		}
		if err := writePID(f); err != nil {
			_ = dropLock(f)
			return nil, fmt.Errorf("listen on the control socket: %w", err)
		}
		return f, nil
	}
}

func dropLock(f *os.File) error { return errors.Join(os.Remove(f.Name()), f.Close()) }

func sameFile(f *os.File, name string) (bool, error) {
	a, err := f.Stat()
	if err != nil {
		return false, err
	}
	b, err := os.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(a, b), err
}

func readPID(f *os.File) int {
	data, _ := io.ReadAll(io.LimitReader(f, 32))
	pid, _ := strconv.Atoi(strings.TrimSpace(string(data)))
	return pid
}

func writePID(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// bind makes the socket; the caller holds its lock.
func bind(path string) (*net.UnixListener, error) {
	if err := clear(path); err != nil {
		return nil, err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("listen on the control socket: %w", err)
	}
	l.SetUnlinkOnClose(false) // Close does it, under the lock
	if err := os.Chmod(path, 0o666); err != nil {
		_ = l.Close()
		_ = os.Remove(path)
		return nil, fmt.Errorf("listen on the control socket: %w", err)
	}
	return l, nil
}

// clear removes a socket that nobody serves.
func clear(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("listen on the control socket: %w", err)
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("listen on the control socket: %s is there already and is not a socket; remove it or use --socket", path)
	}
	c, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	switch {
	case err == nil: // a daemon whose lock file somebody has removed
		defer c.Close()
		busy := &BusyError{Path: path}
		if who, err := peer(c); err == nil {
			busy.PID = int(who.PID)
		}
		return busy
	case errors.Is(err, unix.EAGAIN):
		return &BusyError{Path: path}
	case !errors.Is(err, unix.ECONNREFUSED):
		return fmt.Errorf("listen on the control socket: is %s in use? %w", path, err)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("listen on the control socket: remove what a daemon left behind: %w", err)
	}
	return nil
}

// Activated returns the socket that systemd has passed to the process
// (sd_listen_fds(3)); nil if it passed none.
func Activated() (*Listener, error) {
	listeners, err := activation.Listeners()
	if err != nil {
		return nil, fmt.Errorf("take the socket that systemd passed: %w", err)
	}
	var found *net.UnixListener
	for _, l := range listeners {
		u, ok := l.(*net.UnixListener)
		if !ok || found != nil {
			for _, l := range listeners {
				if l != nil {
					_ = l.Close()
				}
			}
			return nil, errors.New("take the socket that systemd passed: exactly one stream socket is expected; see ListenStream= of the socket unit")
		}
		found = u
	}
	if found == nil {
		return nil, nil
	}
	found.SetUnlinkOnClose(false)
	return &Listener{unix: found}, nil
}

// Accept waits for the next caller that may have one more connection.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		c, err := l.unix.AcceptUnix()
		if err != nil {
			return nil, err
		}
		who, err := peer(c)
		if err != nil {
			_ = c.Close() // gone already
			continue
		}
		if !l.door.enter(who.UID) {
			refuse(c, who)
			continue
		}
		return &conn{Conn: c, caller: who, leave: sync.OnceFunc(func() { l.door.leave(who.UID) })}, nil
	}
}

// Close removes the socket and its lock.
func (l *Listener) Close() error {
	l.once.Do(func() {
		if l.path != "" {
			l.err = os.Remove(l.path)
		}
		l.err = errors.Join(l.err, l.unix.Close())
		if l.lock != nil {
			l.err = errors.Join(l.err, dropLock(l.lock))
		}
	})
	return l.err
}

// Addr returns the socket's path.
func (l *Listener) Addr() net.Addr { return l.unix.Addr() }
