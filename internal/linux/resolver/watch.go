//go:build linux

package resolver

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// A fileWatch hears of changes of one file by inotify(7), whether it is
// written, replaced or removed.
type fileWatch struct {
	inotify *os.File
	dir     int // the watch of the directory
	path    string
	changed func()
}

// Changes of what is in a file; in a directory also those of which files there are.
const (
	contentEvents = unix.IN_MODIFY | unix.IN_CLOSE_WRITE
	nameEvents    = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO
)

// watchFile calls changed, from a goroutine of its own, after each change until
// it is closed. It may be called without one.
func watchFile(path string, changed func()) (*fileWatch, error) {
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		return nil, err
	}
	w := &fileWatch{inotify: os.NewFile(uintptr(fd), "inotify"), path: path, changed: changed}
	if w.dir, err = unix.InotifyAddWatch(fd, filepath.Dir(path), contentEvents|nameEvents|unix.IN_ONLYDIR); err != nil {
		w.close()
		return nil, err
	}
	w.watchContents()
	go w.run()
	return w, nil
}

// watchContents watches the file that has the name now. A file that is mounted
// there is not seen in the directory.
func (w *fileWatch) watchContents() {
	rc, err := w.inotify.SyscallConn()
	if err != nil {
		return // closed
	}
	_ = rc.Control(func(fd uintptr) { _, _ = unix.InotifyAddWatch(int(fd), w.path, contentEvents) })
}

func (w *fileWatch) close() { _ = w.inotify.Close() }

func (w *fileWatch) run() {
	buf := make([]byte, 16*(unix.SizeofInotifyEvent+unix.NAME_MAX+1))
	for {
		n, err := w.inotify.Read(buf)
		if err != nil {
			return // closed
		}
		if w.about(buf[:n]) {
			w.watchContents()
			w.changed()
		}
	}
}

// about reports whether one of the events is about the file.
func (w *fileWatch) about(events []byte) bool {
	for len(events) >= unix.SizeofInotifyEvent {
		// struct inotify_event: watch, mask, cookie, length of the name; name.
		watch := int(int32(binary.NativeEndian.Uint32(events)))
		size := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(events[12:]))
		if size > len(events) {
			return true
		}
		name := bytes.TrimRight(events[unix.SizeofInotifyEvent:size], "\x00")
		if watch != w.dir || string(name) == filepath.Base(w.path) {
			return true
		}
		events = events[size:]
	}
	return false
}
