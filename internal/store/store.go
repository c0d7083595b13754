//go:build linux

package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/lessee/lessee/internal/driver"
	"github.com/lessee/lessee/internal/tenancy"
	"golang.org/x/sys/unix"
)

var _ driver.Store = (*Store)(nil)

// A Store is a state directory. Its methods may be called from any goroutine;
// calls for one adapter are to be made one after the other.
type Store struct {
	path  string
	disk  disk
	clock Clock
	lock  *os.File
	// flushes bounds how many files are flushed at a time. Each keeps a thread
	// of the process busy, and a Go process keeps its threads for good.
	flushes chan struct{}
	// removing are files that were replaced and are on their way out.
	removing sync.WaitGroup
}

// maxFlushes lets a quick disk be busy; many adapters may get a lease at once.
const maxFlushes = 4

// An Error says what could not be done with which file, and why.
type Error struct {
	// Op is what was to be done, such as "save the lease".
	Op string
	// Adapter is the adapter it concerns, "" if none.
	Adapter string
	// Path is the file or directory.
	Path string
	// Hint says what an administrator can do; mostly absent.
	Hint string
	Err  error
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.Adapter != "" {
		b.WriteString(e.Adapter + ": ")
	}
	// What the os package returns repeats the path, or names a temporary file.
	err := e.Err
	switch outer := err.(type) { //nolint:errorlint // only the outermost one repeats it
	case *fs.PathError:
		err = outer.Err
	case *os.LinkError:
		err = outer.Err
	}
	fmt.Fprintf(&b, "%s: %s: %v", e.Op, e.Path, err)
	if e.Hint != "" {
		b.WriteString(" (" + e.Hint + ")")
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// hint says what to do about the usual causes.
func hint(err error) string {
	switch {
	case errors.Is(err, unix.EROFS):
		return "the file system is read-only: mount it writable, or choose another directory with --state"
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		return "the disk is full: make room, or choose another directory with --state"
	case errors.Is(err, fs.ErrPermission):
		return "run as root, or choose a directory you may write to with --state"
	case errors.Is(err, unix.ENOTDIR), errors.Is(err, fs.ErrExist):
		return "it is not a directory: choose another one with --state"
	}
	return ""
}

// ErrInUse says that another daemon has the state directory.
var ErrInUse = errors.New("another daemon uses this state directory")

// lockName is the file that the daemon holds a lock on.
const lockName = "lock"

// Open makes the directory if there is none, checks that it can be written,
// takes it for this process ([ErrInUse] if another one has it) and removes what
// an unfinished Save left behind.
func Open(path string) (*Store, error) { return OpenWith(path, SystemClock()) }

// OpenWith is Open with a clock of the caller's.
func OpenWith(path string, clock Clock) (*Store, error) {
	fail := func(op string, err error) error {
		return &Error{Op: op, Path: path, Err: err, Hint: hint(err)}
	}
	if err := os.MkdirAll(path, dirPerm); err != nil {
		return nil, fail("make the state directory", err)
	}
	lock, err := takeLock(filepath.Join(path, lockName))
	if err != nil {
		if errors.Is(err, ErrInUse) {
			return nil, &Error{
				Op: "open the state directory", Path: path, Err: err,
				Hint: "stop that daemon, or choose another directory with --state",
			}
		}
		return nil, fail("open the state directory", err)
	}
	s := &Store{path: path, clock: clock, lock: lock, flushes: make(chan struct{}, maxFlushes)}
	s.disk = directory{path: path, removing: &s.removing}
	if err := s.prepare(); err != nil {
		lock.Close()
		return nil, fail("write to the state directory", err)
	}
	return s, nil
}

// probeName is the file that shows that writing works: its block is allocated,
// which a full disk refuses. It is not flushed, which would delay the start.
const probeName = ".probe" + suffix

func (s *Store) prepare() error {
	names, err := s.disk.list()
	if err != nil {
		return err
	}
	for _, n := range names {
		if temporary(n) {
			if err := s.disk.remove(n); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	if err := s.disk.write(probeName, make([]byte, 1024), false); err != nil {
		return err
	}
	return s.disk.remove(probeName)
}

func takeLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, filePerm)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		defer f.Close()
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, err
		}
		b := make([]byte, 32)
		n, _ := f.Read(b)
		if pid, err := strconv.Atoi(strings.TrimSpace(string(b[:n]))); err == nil {
			return nil, fmt.Errorf("%w: pid %d", ErrInUse, pid)
		}
		return nil, ErrInUse
	}
	// The pid is for others' error messages; the lock does not depend on it.
	if f.Truncate(0) == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	return f, nil
}

// Close gives the directory back.
func (s *Store) Close() error {
	s.removing.Wait()
	return s.lock.Close()
}

// failed builds an error about the adapter's file.
func (s *Store) failed(op, adapter, file string, err error) error {
	return &Error{Op: op, Adapter: adapter, Path: filepath.Join(s.path, file), Err: err, Hint: hint(err)}
}

// Save implements the driver's Store. If it fails, the record from before is
// still there.
func (s *Store) Save(adapter string, r tenancy.Record, durable bool) error {
	const op = "save the lease"
	file, err := fileName(adapter)
	if err != nil {
		return s.failed(op, adapter, "", err)
	}
	b, err := encode(r, s.clock.now())
	if err != nil {
		return s.failed(op, adapter, file, err)
	}
	if durable {
		s.flushes <- struct{}{}
		defer func() { <-s.flushes }()
	}
	if err := s.disk.write(file, b, durable); err != nil {
		return s.failed(op, adapter, file, err)
	}
	return nil
}

// Flush implements the driver's Store.
func (s *Store) Flush(adapter string) error {
	const op = "flush the lease"
	file, err := fileName(adapter)
	if err != nil {
		return s.failed(op, adapter, "", err)
	}
	s.flushes <- struct{}{}
	defer func() { <-s.flushes }()
	if err := s.disk.flush(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s.failed(op, adapter, file, err)
	}
	return nil
}

// Load implements the driver's Store.
func (s *Store) Load(adapter string) (tenancy.Record, bool, error) {
	const op = "load the lease"
	file, err := fileName(adapter)
	if err != nil {
		return tenancy.Record{}, false, s.failed(op, adapter, "", err)
	}
	b, err := s.disk.read(file)
	if errors.Is(err, fs.ErrNotExist) {
		return tenancy.Record{}, false, nil
	}
	var r tenancy.Record
	if err == nil {
		if r, err = decode(b, s.clock.now()); err == nil {
			return r, true, nil
		}
	}
	e := &Error{Op: op, Adapter: adapter, Path: filepath.Join(s.path, file), Err: err}
	if aside, err := s.setAside(file); err != nil {
		e.Hint = fmt.Sprintf("it could not be set aside: %v; it is ignored", err)
	} else {
		e.Hint = "it is set aside as " + aside + "; a new lease will be obtained"
	}
	return tenancy.Record{}, false, e
}

// maxAside is how many files are kept per adapter that were not understood.
const maxAside = 5

// setAside renames the file to the next free name; the last one is used again
// when all are taken, so that the first fault is not lost under later ones.
func (s *Store) setAside(file string) (string, error) {
	names, err := s.disk.list()
	if err != nil {
		return "", err
	}
	taken := make(map[string]bool, len(names))
	for _, n := range names {
		taken[n] = true
	}
	for i := 1; ; i++ {
		to := fmt.Sprintf("%s.corrupt-%d", file, i)
		if !taken[to] || i == maxAside {
			return to, s.disk.rename(file, to)
		}
	}
}

// Names implements the driver's Store. The names are sorted.
func (s *Store) Names() ([]string, error) {
	files, err := s.disk.list()
	if err != nil {
		return nil, &Error{Op: "list the leases", Path: s.path, Err: err, Hint: hint(err)}
	}
	var names []string
	for _, f := range files {
		if n, ok := adapterName(f); ok {
			names = append(names, n)
		}
	}
	return names, nil
}

// Remove implements the driver's Store. If there is no record, there is nothing to do.
func (s *Store) Remove(adapter string) error {
	const op = "remove the lease"
	file, err := fileName(adapter)
	if err != nil {
		return s.failed(op, adapter, "", err)
	}
	if err := s.disk.remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s.failed(op, adapter, file, err)
	}
	return nil
}

// Rename implements the driver's Store. If there is no record, there is nothing
// to do; a record that the new name has is replaced.
func (s *Store) Rename(from, to string) error {
	const op = "rename the lease"
	a, err := fileName(from)
	if err != nil {
		return s.failed(op, from, "", err)
	}
	b, err := fileName(to)
	if err != nil {
		return s.failed(op, from, "", err)
	}
	if err := s.disk.rename(a, b); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s.failed(op, from, a, err)
	}
	return nil
}
