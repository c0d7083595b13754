//go:build linux

package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
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
	// flushes bounds how many slots are flushed at a time, replacements how many
	// files are replaced. Each keeps a thread of the process busy, and a Go
	// process keeps its threads for good.
	flushes, replacements chan struct{}
	// beside runs what nobody waits for, background waits for its end.
	beside     func(func())
	background sync.WaitGroup

	renaming sync.Mutex

	mu      sync.Mutex
	entries map[string]*entry
}

// maxFlushes lets a quick disk be busy: many adapters may get a lease at once.
// Nobody waits for the replacements.
const (
	maxFlushes      = 4
	maxReplacements = 2
)

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
	s := newStore(path, directory{path}, clock)
	s.lock = lock
	if err := s.prepare(); err != nil {
		lock.Close()
		return nil, fail("write to the state directory", err)
	}
	return s, nil
}

func newStore(path string, d disk, clock Clock) *Store {
	s := &Store{
		path: path, disk: d, clock: clock, entries: map[string]*entry{},
		flushes: make(chan struct{}, maxFlushes), replacements: make(chan struct{}, maxReplacements),
	}
	s.beside = s.background.Go
	return s
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
	if err := s.disk.create(probeName, make([]byte, 1024), false); err != nil {
		_ = s.disk.remove(probeName)
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
	s.background.Wait()
	return s.lock.Close()
}

// failed builds an error about the adapter's file.
func (s *Store) failed(op, adapter, file string, err error) error {
	return &Error{Op: op, Adapter: adapter, Path: filepath.Join(s.path, file), Err: err, Hint: hint(err)}
}

// Save implements the driver's Store. The record goes to the write-ahead file;
// its own file follows with Flush, or at once where the former cannot be
// written. If Save fails, the record from before is still there.
func (s *Store) Save(adapter string, r tenancy.Record, durable bool) error {
	const op = "save the lease"
	e, err := s.entry(adapter)
	if err != nil {
		return s.failed(op, adapter, "", err)
	}
	s.await(e)
	e.mu.Lock()
	if !e.known {
		s.look(e)
	}
	e.sequence++
	text, err := encode(r, e.sequence, s.clock.now())
	written := err == nil && s.writeAhead(e, text, durable)
	e.mu.Unlock()
	if err == nil && !written {
		err = s.saveSlowly(e, text)
	}
	if err != nil {
		return s.failed(op, adapter, e.file, err)
	}
	return nil
}

// saveSlowly replaces the record's file where the write-ahead file cannot take
// the record, and has that one made anew where it fails.
func (s *Store) saveSlowly(e *entry, text []byte) error {
	e.replacing.Lock()
	err := s.replaceFile(e, text)
	e.mu.Lock()
	if err == nil {
		s.caughtUp(e, e.sequence)
		if !e.usable {
			e.made = nil
		}
	}
	e.mu.Unlock()
	e.replacing.Unlock()
	if err == nil {
		s.begin(e)
	}
	return err
}

// Flush implements the driver's Store: the record's file has the record then.
func (s *Store) Flush(adapter string) error {
	const op = "replace the lease file"
	e, err := s.entry(adapter)
	if err != nil {
		return s.failed(op, adapter, "", err)
	}
	e.mu.Lock()
	if !e.known {
		s.look(e)
	}
	e.mu.Unlock()
	if err := s.catchUp(e); err != nil {
		failure := &Error{Op: op, Adapter: adapter, Path: filepath.Join(s.path, e.file), Err: err, Hint: e.ahead + " has the lease until that works"}
		if h := hint(err); h != "" {
			failure.Hint = h + "; " + failure.Hint
		}
		return failure
	}
	return nil
}

// Load implements the driver's Store. The write-ahead file is made beside it,
// so that the first Save finds it ready.
func (s *Store) Load(adapter string) (tenancy.Record, bool, error) {
	const op = "load the lease"
	e, err := s.entry(adapter)
	if err != nil {
		return tenancy.Record{}, false, s.failed(op, adapter, "", err)
	}
	defer s.begin(e)
	e.replacing.Lock()
	defer e.replacing.Unlock()
	e.mu.Lock()
	defer e.mu.Unlock()
	f := s.look(e)
	switch {
	case f.removed:
		// What was begun is finished; if it fails, the slot still says so.
		if s.disk.remove(e.file) == nil {
			_ = s.disk.sync()
		}
		return tenancy.Record{}, false, nil
	case f.err == nil && f.text == nil:
		return tenancy.Record{}, false, nil
	case f.err == nil:
		var r tenancy.Record
		if r, f.err = decode(f.text, s.clock.now()); f.err == nil {
			return r, true, nil
		}
	}
	fault := e.file
	if f.inAhead {
		fault = e.ahead
	}
	failure := &Error{Op: op, Adapter: adapter, Path: filepath.Join(s.path, fault), Err: f.err}
	if aside, err := s.setAside(e, f.unread); err != nil {
		failure.Hint = fmt.Sprintf("it could not be set aside: %v; it is ignored", err)
	} else {
		failure.Hint = "it is set aside as " + aside + "; a new lease will be obtained"
	}
	return tenancy.Record{}, false, failure
}

// maxAside is how many files are kept per adapter that were not understood.
const maxAside = 5

// setAside renames the file to the next free name; the last one is used again
// when all are taken, so that the first fault is not lost under later ones. A
// write-ahead file that holds anything, or is unread, goes the same way. mu is held.
func (s *Store) setAside(e *entry, unread bool) (string, error) {
	names, err := s.disk.list()
	if err != nil {
		return "", err
	}
	var aside string
	for _, file := range []string{e.ahead, e.file} {
		if !slices.Contains(names, file) || file == e.ahead && e.slots == [2]uint64{} && !unread {
			continue
		}
		for i := 1; ; i++ {
			aside = fmt.Sprintf("%s.corrupt-%d", file, i)
			if i == maxAside || !slices.Contains(names, aside) {
				break
			}
		}
		if err := s.disk.rename(file, aside); err != nil {
			return "", err
		}
	}
	e.slots, e.anchor, e.behind = [2]uint64{}, -1, nil
	return aside, s.disk.sync()
}

// Names implements the driver's Store. The names are sorted.
func (s *Store) Names() ([]string, error) {
	files, err := s.disk.list()
	if err != nil {
		return nil, &Error{Op: "list the leases", Path: s.path, Err: err, Hint: hint(err)}
	}
	var names []string
	for _, f := range files {
		n, ok := adapterName(f)
		if ok && (strings.HasSuffix(f, suffix) || s.onlyAhead(f, files)) {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return names, nil
}

// onlyAhead reports whether a write-ahead file has a record whose own file does
// not exist yet.
func (s *Store) onlyAhead(ahead string, files []string) bool {
	if slices.Contains(files, strings.TrimSuffix(ahead, aheadSuffix)+suffix) {
		return false
	}
	b, err := s.disk.read(ahead)
	if err != nil {
		return false
	}
	slots := parseSlots(b)
	newest := slots[0]
	if slots[1].sequence > newest.sequence {
		newest = slots[1]
	}
	return len(newest.record) > 0
}
