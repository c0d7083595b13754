//go:build linux

package netns

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/lessee/lessee/internal/linux/poll"
	"github.com/lessee/lessee/internal/linux/syserr"
	"github.com/lessee/lessee/internal/netconf"
	"golang.org/x/sys/unix"
)

// A Path leads to a network namespace, by which it is entered each time: it holds
// nothing that keeps the namespace.
type Path struct {
	path string
	id   FileID
}

// At returns the namespace that a path leads to now: a file in /run/netns, or one in
// /proc/PID/ns.
func At(path string) (*Path, error) {
	n, err := OpenPath(path)
	if err != nil {
		return nil, err
	}
	defer n.Close()
	return &Path{path, n.id}, nil
}

// ID distinguishes the namespace from all others that exist.
func (p *Path) ID() FileID { return p.id }

// Open opens the namespace. The error wraps [netconf.ErrNoSpace] if the path does not
// lead to it any more.
func (p *Path) Open() (*Namespace, error) {
	n, err := OpenPath(p.path)
	switch {
	case err != nil:
		return nil, err
	case n.id != p.id:
		_ = n.Close()
		return nil, fmt.Errorf("%s: another one is there now: %w", p.path, netconf.ErrNoSpace)
	}
	return n, nil
}

// OpenPath opens the network namespace that a path leads to. The error wraps
// [netconf.ErrNoSpace] if it does not lead to one.
func OpenPath(path string) (*Namespace, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: %w", err, netconf.ErrNoSpace)
	case err != nil:
		return nil, syserr.Wrap("", "open the network namespace", err)
	}
	// The mount goes before the file does: then that is an empty one.
	if kind, err := unix.IoctlRetInt(int(file.Fd()), unix.NS_GET_NSTYPE); err != nil || kind != unix.CLONE_NEWNET {
		_ = file.Close()
		return nil, fmt.Errorf("%s is no network namespace: %w", path, netconf.ErrNoSpace)
	}
	id, err := IDOf(fmt.Sprintf("/proc/self/fd/%d", file.Fd()))
	if err != nil {
		_ = file.Close()
		return nil, syserr.Wrap("", "identify the network namespace", err)
	}
	return &Namespace{file: file, id: id}, nil
}

// Watch calls gone on the loop's goroutine when the path does not lead to the
// namespace any more. It is called on that goroutine, and so is Close.
func (p *Path) Watch(loop poll.Loop, gone func()) (io.Closer, error) {
	w := &pathWatch{loop: loop, path: p, gone: gone, fd: -1}
	var err error
	if pid, is := p.process(); is {
		// There is nothing to be told of in /proc, but the end of the process.
		w.fd, err = unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	} else if w.fd, err = unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC); err == nil {
		_, err = unix.InotifyAddWatch(w.fd, filepath.Dir(p.path), unix.IN_DELETE|unix.IN_MOVED_FROM|unix.IN_MOVED_TO|unix.IN_CREATE|unix.IN_ONLYDIR)
	}
	if err == nil {
		err = loop.Add(w.fd, w.ready)
	}
	if err != nil {
		if w.fd >= 0 {
			_ = unix.Close(w.fd)
		}
		return nil, syserr.Wrap("", "watch "+p.path, err)
	}
	return w, nil
}

// process returns the process whose namespace a path in /proc leads to.
func (p *Path) process() (pid int, is bool) {
	rest, is := strings.CutPrefix(p.path, "/proc/")
	if !is {
		return 0, false
	}
	number, _, _ := strings.Cut(rest, "/")
	pid, err := strconv.Atoi(number)
	return pid, err == nil
}

type pathWatch struct {
	loop poll.Loop
	path *Path
	gone func()
	fd   int
	buf  [4096]byte
}

// ready looks where the path leads: what exactly has happened does not matter.
func (w *pathWatch) ready() {
	if _, process := w.path.process(); process {
		w.gone()
		return
	}
	for {
		if n, err := unix.Read(w.fd, w.buf[:]); n <= 0 || err != nil {
			break
		}
	}
	n, err := w.path.Open()
	if err == nil {
		_ = n.Close()
	} else if errors.Is(err, netconf.ErrNoSpace) {
		w.gone()
	}
}

// Close ends the watch. gone may call it.
func (w *pathWatch) Close() error {
	if w.fd < 0 {
		return nil
	}
	w.loop.Remove(w.fd)
	err := unix.Close(w.fd)
	w.fd = -1
	return err
}
