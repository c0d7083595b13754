//go:build linux

package leases

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// A Disk is what a folder's files are made with. What an operation does is
// visible at once; a power failure may undo it, wholly or in part, until it is
// flushed. Tests have other disks, which fail.
type Disk interface {
	// Read returns a file's contents, an error that wraps [fs.ErrNotExist] if there
	// is none.
	Read(name string) ([]byte, error)
	// Create makes a file, or empties one, and fills it. With flush its
	// contents, not its name, would survive a power failure then.
	Create(name string, b []byte, flush bool) error
	// Rename replaces the file to.
	Rename(from, to string) error
	// Remove removes a file.
	Remove(name string) error
	// Sync makes what was created, renamed and removed survive a power failure.
	Sync() error
	// List returns the names of all files, sorted.
	List() ([]string, error)
}

type directory struct{ path string }

const (
	// Only root reads a record: it may have a nonce, which is a secret.
	filePerm = 0o600
	dirPerm  = 0o755
	maxFile  = 4 << 20
)

var errTooLong = errors.New("it is too long to be a record")

// Create goes past the os package: it is called between an ACK and the use of
// its address.
func (d directory) Create(name string, b []byte, flush bool) error {
	fail := func(op string, err error) error {
		return &fs.PathError{Op: op, Path: name, Err: err}
	}
	fd, err := again(func() (int, error) {
		return unix.Open(filepath.Join(d.path, name), unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC|unix.O_CLOEXEC|unix.O_NOFOLLOW, filePerm)
	})
	if err != nil {
		return fail("open", err)
	}
	for len(b) > 0 && err == nil {
		var n int
		if n, err = again(func() (int, error) { return unix.Write(fd, b) }); err == nil && n == 0 {
			err = io.ErrShortWrite
		}
		b = b[max(n, 0):]
	}
	if err == nil && flush {
		_, err = again(func() (int, error) { return 0, unix.Fsync(fd) })
	}
	if e := unix.Close(fd); err == nil {
		err = e
	}
	if err != nil {
		return fail("write", err)
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

func (d directory) Sync() error {
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

func (d directory) Read(name string) ([]byte, error) {
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

func (d directory) Rename(from, to string) error {
	err := unix.Rename(filepath.Join(d.path, from), filepath.Join(d.path, to))
	if errors.Is(err, unix.EISDIR) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ENOTEMPTY) {
		return &fs.PathError{Op: "rename", Path: to, Err: err}
	}
	if err != nil {
		return &fs.PathError{Op: "rename", Path: from, Err: err}
	}
	return nil
}

func (d directory) Remove(name string) error { return os.Remove(filepath.Join(d.path, name)) }

func (d directory) List() ([]string, error) {
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
