//go:build linux

package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// A disk is the state directory: the operations of which all others are made.
// What one of them does is visible at once; a power failure may undo it,
// wholly or in part, until it is flushed. Tests have other disks, which fail.
type disk interface {
	read(name string) ([]byte, error)
	// create makes a file, or empties one, and fills it. With flush its
	// contents, not its name, would survive a power failure then.
	create(name string, b []byte, flush bool) error
	// overwrite writes into a file, at most up to its end. With flush it
	// returns when all of the file's contents would survive a power failure.
	overwrite(name string, at int64, b []byte, flush bool) error
	// flush makes the contents of a file survive a power failure.
	flush(name string) error
	// rename replaces the file to.
	rename(from, to string) error
	remove(name string) error
	// sync makes what was created, renamed and removed survive a power failure.
	sync() error
	// list returns the names of all files, sorted.
	list() ([]string, error)
}

type directory struct{ path string }

const (
	// Only root reads a record: it may have a nonce, which is a secret.
	filePerm = 0o600
	dirPerm  = 0o755
	maxFile  = 4 << 20
)

var errTooLong = errors.New("it is too long to be a record")

func (d directory) create(name string, b []byte, flush bool) error {
	f, err := os.OpenFile(filepath.Join(d.path, name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC|unix.O_NOFOLLOW, filePerm)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Chmod(filePerm) // whatever the umask is
	}
	if err == nil && flush {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

// overwrite goes past the os package, which would make the file's descriptor
// known to the poller and not use it.
func (d directory) overwrite(name string, at int64, b []byte, flush bool) error {
	fail := func(op string, err error) error {
		return &fs.PathError{Op: op, Path: name, Err: err}
	}
	fd, err := again(func() (int, error) {
		return unix.Open(filepath.Join(d.path, name), unix.O_WRONLY|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	})
	if err != nil {
		return fail("open", err)
	}
	defer unix.Close(fd)
	for len(b) > 0 {
		n, err := again(func() (int, error) { return unix.Pwrite(fd, b, at) })
		if err == nil && n == 0 {
			err = io.ErrShortWrite
		}
		if err != nil {
			return fail("write", err)
		}
		b, at = b[n:], at+int64(n)
	}
	if flush {
		if _, err := again(func() (int, error) { return 0, unix.Fdatasync(fd) }); err != nil {
			return fail("fdatasync", err)
		}
	}
	return nil
}

// again repeats a system call that a signal interrupted.
func again(f func() (int, error)) (int, error) {
	for {
		n, err := f()
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

func (d directory) flush(name string) error {
	f, err := os.OpenFile(filepath.Join(d.path, name), os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

func (d directory) sync() error {
	f, err := os.Open(d.path)
	if err != nil {
		return err
	}
	defer f.Close()
	// Some file systems cannot flush a directory; theirs need no flushing.
	if err := f.Sync(); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOTSUP) {
		return err
	}
	return nil
}

func (d directory) read(name string) ([]byte, error) {
	// A symbolic link would lead elsewhere, a FIFO would block.
	f, err := os.OpenFile(filepath.Join(d.path, name), os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil {
		return nil, err
	} else if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("it is not a regular file: %w", fs.ErrInvalid)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = errTooLong
	}
	return b, err
}

func (d directory) rename(from, to string) error {
	return os.Rename(filepath.Join(d.path, from), filepath.Join(d.path, to))
}

func (d directory) remove(name string) error { return os.Remove(filepath.Join(d.path, name)) }

func (d directory) list() ([]string, error) {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	slices.Sort(names)
	return names, nil
}

// replace writes a file beside the old one and puts it in its place, so that
// whatever happens there is the old one or the new one. It returns when the
// new one would survive a power failure.
func replace(d disk, name string, b []byte) error {
	temp := temporaryName(name)
	err := d.create(temp, b, true)
	if err == nil {
		err = d.rename(temp, name)
	}
	if err != nil {
		_ = d.remove(temp)
		return err
	}
	return d.sync()
}

func temporaryName(name string) string { return "." + name + "0" }

// temporary reports whether a write that never ended left the file behind.
// Names of records do not begin with a dot.
func temporary(name string) bool {
	rest, ok := strings.CutPrefix(name, ".")
	if !ok {
		return false
	}
	rest = strings.TrimRight(rest, "0123456789")
	return len(rest) > len(suffix) && (strings.HasSuffix(rest, suffix) || strings.HasSuffix(rest, aheadSuffix))
}
