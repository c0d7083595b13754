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
	"sync"

	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"
)

// A disk is the state directory. Tests have another one, which fails.
type disk interface {
	// write replaces the file atomically. With durable it returns when that
	// would survive a power failure.
	write(name string, b []byte, durable bool) error
	// flush makes what was written without durable survive one, too.
	flush(name string) error
	read(name string) ([]byte, error)
	// rename replaces the file to, durably.
	rename(from, to string) error
	remove(name string) error
	// list returns the names of all files, sorted.
	list() ([]string, error)
}

type directory struct {
	path string
	// removing are files on their way out.
	removing *sync.WaitGroup
}

const (
	filePerm = 0o644
	dirPerm  = 0o755
	maxFile  = 4 << 20
)

var errTooLong = errors.New("it is too long to be a record")

func (d directory) write(name string, b []byte, durable bool) error {
	if !durable {
		return d.writeQuick(name, b)
	}
	p := filepath.Join(d.path, name)
	f, err := renameio.NewPendingFile(p, renameio.WithTempDir(d.path), renameio.WithStaticPermissions(filePerm))
	if err != nil {
		return err
	}
	defer f.Cleanup() //nolint:errcheck // after a success there is nothing to clean up
	if _, err := f.Write(b); err != nil {
		return err
	}
	if err := f.CloseAtomicallyReplace(); err != nil { // flushes the file first
		return err
	}
	return d.sync()
}

// writeQuick leaves it to the kernel when the disk is written.
func (d directory) writeQuick(name string, b []byte) error {
	f, err := os.CreateTemp(d.path, "."+name+"*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Chmod(filePerm)
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = d.replace(f.Name(), filepath.Join(d.path, name))
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// replace puts the file from in the place of to, at once and as a whole. Where
// it can, it exchanges the two: ext4 begins to write a file to the disk when it
// replaces another one by rename (mount option auto_da_alloc, ext4(5)), and
// what is not to wait for the disk would wait a millisecond or two for that. The
// removal of the other one takes as long, so nobody waits for it either; what a
// crash leaves of it, Open removes.
func (d directory) replace(from, to string) error {
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_EXCHANGE)
	if err != nil { // there is no such file yet, or no such way
		return os.Rename(from, to)
	}
	d.removing.Go(func() { _ = os.Remove(from) })
	return nil
}

func (d directory) flush(name string) error {
	f, err := os.OpenFile(filepath.Join(d.path, name), os.O_RDONLY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		return err
	}
	return d.sync()
}

// sync makes renames durable.
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
	if err := os.Rename(filepath.Join(d.path, from), filepath.Join(d.path, to)); err != nil {
		return err
	}
	return d.sync()
}

func (d directory) remove(name string) error {
	if err := os.Remove(filepath.Join(d.path, name)); err != nil {
		return err
	}
	return d.sync()
}

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

// temporary reports whether a write that never ended left the file behind.
// Names of records do not begin with a dot.
func temporary(name string) bool {
	rest, ok := strings.CutPrefix(name, ".")
	if !ok {
		return false
	}
	i := strings.LastIndex(rest, suffix)
	return i > 0 && strings.Trim(rest[i+len(suffix):], "0123456789") == ""
}
