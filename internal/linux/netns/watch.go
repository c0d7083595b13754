//go:build linux

package netns

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"path/filepath"

	"github.com/lessee/lessee/internal/linux/poll"
	"github.com/lessee/lessee/internal/linux/syserr"
	"github.com/lessee/lessee/internal/netconf"
	"golang.org/x/sys/unix"
)

// A Watcher tells which paths do not lead to their namespaces any more. One inotify(7)
// descriptor is for all of them, so that a path costs none; one in /proc costs a
// descriptor of its process. All is done on the loop's goroutine.
type Watcher struct {
	loop poll.Loop
	fd   int // -1: no path is watched
	// dirs are the directories by inotify's number: several paths may lead to one.
	dirs map[int32]*directory
	buf  [16 * (unix.SizeofInotifyEvent + unix.NAME_MAX + 1)]byte
}

// A directory has paths that are watched, by the last part of their name.
type directory struct {
	id    int32
	paths map[string]map[*watched]struct{}
}

// A watched path, and whom it concerns.
type watched struct {
	w    *Watcher
	dir  *directory // nil: it is one of /proc, or not watched
	path *Path
	gone func()
	pid  int // the descriptor of its process, -1 if it is none of /proc
}

// NewWatcher returns one that watches nothing.
func NewWatcher(loop poll.Loop) *Watcher {
	return &Watcher{loop: loop, fd: -1, dirs: make(map[int32]*directory)}
}

// Watch calls gone when the path does not lead to its namespace any more, until it is
// closed. gone may do that.
func (w *Watcher) Watch(p *Path, gone func()) (io.Closer, error) {
	k := &watched{w: w, path: p, gone: gone, pid: -1}
	var err error
	if pid, is := p.process(); is {
		// Nothing of /proc is told but the end of the process.
		if k.pid, err = unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK); err == nil {
			err = w.loop.Add(k.pid, gone)
		}
	} else {
		err = w.add(k)
	}
	if err != nil {
		_ = k.Close()
		return nil, syserr.Wrap("", "watch "+p.path, err)
	}
	if n, err := p.Open(); err == nil {
		_ = n.Close()
	} else if errors.Is(err, netconf.ErrNoSpace) { // it went before
		_ = k.Close()
		return nil, err
	}
	return k, nil
}

// pathEvents are those that take a name away, or give it to another file.
const pathEvents = unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO | unix.IN_CREATE | unix.IN_ONLYDIR

func (w *Watcher) add(k *watched) error {
	if w.fd < 0 {
		fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
		if err != nil {
			return err
		}
		if err := w.loop.Add(fd, w.ready); err != nil {
			_ = unix.Close(fd)
			return err
		}
		w.fd = fd
	}
	dir, name := filepath.Split(k.path.path)
	id, err := unix.InotifyAddWatch(w.fd, dir, pathEvents) // the same number for the same directory
	if err != nil {
		w.rest()
		return err
	}
	d := w.dirs[int32(id)] //nolint:gosec // the kernel's numbers have 31 bits
	if d == nil {
		d = &directory{id: int32(id), paths: make(map[string]map[*watched]struct{})} //nolint:gosec // see above
		w.dirs[d.id] = d
	}
	k.dir = d
	if d.paths[name] == nil {
		d.paths[name] = make(map[*watched]struct{})
	}
	d.paths[name][k] = struct{}{}
	return nil
}

// Close ends the watch of one path.
func (k *watched) Close() error {
	w := k.w
	if k.pid >= 0 {
		w.loop.Remove(k.pid)
		err := unix.Close(k.pid)
		k.pid = -1
		return err
	}
	d := k.dir
	if d == nil {
		return nil
	}
	k.dir = nil
	_, name := filepath.Split(k.path.path)
	if delete(d.paths[name], k); len(d.paths[name]) == 0 {
		delete(d.paths, name)
	}
	if len(d.paths) > 0 || w.dirs[d.id] != d { // the directory itself may have gone
		return nil
	}
	delete(w.dirs, d.id)
	_, err := unix.InotifyRmWatch(w.fd, uint32(d.id)) //nolint:gosec // a positive number
	w.rest()
	return err
}

// rest closes the descriptor if no path is watched.
func (w *Watcher) rest() {
	if len(w.dirs) == 0 && w.fd >= 0 {
		w.loop.Remove(w.fd)
		_ = unix.Close(w.fd)
		w.fd = -1
	}
}

// ready reads what has happened, and looks where the paths lead: what exactly it was
// does not matter.
func (w *Watcher) ready() {
	n, err := unix.Read(w.fd, w.buf[:])
	if err != nil || n < unix.SizeofInotifyEvent {
		return
	}
	for b := w.buf[:n]; len(b) >= unix.SizeofInotifyEvent; {
		// struct inotify_event: watch, mask, cookie, length of the name.
		id, mask := int32(binary.NativeEndian.Uint32(b)), binary.NativeEndian.Uint32(b[4:]) //nolint:gosec // as the kernel has it
		size := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(b[12:]))
		if size > len(b) {
			return
		}
		name := bytes.TrimRight(b[unix.SizeofInotifyEvent:size], "\x00")
		b = b[size:]
		switch d := w.dirs[id]; {
		case mask&unix.IN_Q_OVERFLOW != 0:
			for _, d := range w.dirs {
				for _, list := range d.paths {
					look(list)
				}
			}
		case mask&unix.IN_IGNORED != 0 && d != nil: // the directory went
			delete(w.dirs, id)
			for _, list := range d.paths {
				look(list)
			}
		case d != nil:
			look(d.paths[string(name)])
		}
	}
}

// look tells whom a path concerns that does not lead to its namespace any more.
func look(list map[*watched]struct{}) {
	for k := range list {
		n, err := k.path.Open()
		if err == nil {
			_ = n.Close()
		} else if errors.Is(err, netconf.ErrNoSpace) {
			k.gone()
		}
	}
}
