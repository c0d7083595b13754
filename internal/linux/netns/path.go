//go:build linux

package netns

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

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
