//go:build linux

package leases

import (
	"errors"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"

	"github.com/lessee/lessee/internal/tenancy/v4"
	"golang.org/x/sys/unix"
)

// Options say where a store keeps its records.
type Options struct {
	// Run is the folder that has a subfolder "leases" for the first copy. It is
	// best on a tmpfs.
	Run string
	// State is the folder of the second copy; "" keeps none.
	State string
	// Clock is the system's if its Boot is nil.
	Clock Clock
	// Log receives what hinders and is no error of a call; nil drops it.
	Log *slog.Logger
}

// A Store keeps records. Its methods may be called from any goroutine.
type Store struct {
	clock Clock
	log   *slog.Logger
	run   *folder
	state *folder // nil: no second copy is kept

	// mu is held while a file in run changes, and guards what follows.
	mu sync.Mutex
	// pending has what Persist has to do, by file name.
	pending map[string]*change
}

// A change is what the second copy does not have yet.
type change struct {
	kind changeKind
	text []byte // with changeSaved
	// unwritten says that the first copy could not be written either.
	unwritten bool
}

type changeKind uint8

const (
	changeSaved   changeKind = iota // the file gets a new text
	changeRemoved                   // the file goes
	changeFound                     // the first copy is from an earlier process: compare
)

// Open returns the store. Only another daemon that uses one of the folders is
// an error ([ErrInUse]). A folder that cannot be used is logged and tried again
// with each record.
func Open(o Options) (*Store, error) {
	s := &Store{
		clock: o.Clock, log: o.Log,
		run:     &folder{path: filepath.Join(o.Run, "leases"), flag: "--run"},
		pending: make(map[string]*change),
	}
	if s.clock.Boot == nil {
		s.clock = SystemClock()
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if o.State != "" {
		s.state = &folder{path: o.State, flag: "--state"}
	}
	for _, f := range s.folders() {
		f.disk = directory{f.path}
		err := f.prepare()
		if errors.Is(err, ErrInUse) {
			_ = s.Close()
			return nil, &Error{
				Op: "open the lease folder", Path: f.path, Err: err,
				Hint: "stop that daemon, or choose another folder with " + f.flag,
			}
		}
		if err != nil {
			s.log.Warn("a folder for leases cannot be used", "error", f.failed("write to the lease folder", "", "", err))
		}
	}
	s.find()
	return s, nil
}

// OpenOn returns a store on disks of the caller's; state nil keeps no second copy.
func OpenOn(run, state Disk, clock Clock) *Store {
	s := &Store{
		clock: clock, log: slog.New(slog.DiscardHandler),
		run:     &folder{path: "run", flag: "--run", disk: run, ready: true},
		pending: make(map[string]*change),
	}
	if state != nil {
		s.state = &folder{path: "state", flag: "--state", disk: state, ready: true}
	}
	s.find()
	return s
}

func (s *Store) folders() []*folder {
	if s.state == nil {
		return []*folder{s.run}
	}
	return []*folder{s.run, s.state}
}

// find notes the first copies of an earlier process of this boot: it may have
// died before the second copies had the same.
func (s *Store) find() {
	if s.state == nil {
		return
	}
	files, err := s.run.disk.List()
	if err != nil {
		return // said by prepare
	}
	now := s.clock.now()
	for _, file := range files {
		if _, ok := adapterName(file); !ok {
			continue
		}
		if _, r, err := s.run.read(file); err == nil && r.sameBoot(now) {
			s.pending[file] = &change{kind: changeFound}
		}
	}
}

// Close gives the folders back.
func (s *Store) Close() error {
	var errs []error
	for _, f := range s.folders() {
		if f.lock != nil {
			// A child process that has not run its program yet has the descriptor, too.
			_ = unix.Flock(int(f.lock.Fd()), unix.LOCK_UN)
			errs = append(errs, f.lock.Close())
		}
	}
	return errors.Join(errs...)
}

// Save replaces the first copy of the adapter's record: it survives the process
// when Save returns. If Save fails, Persist still has the record to write.
func (s *Store) Save(adapter string, r v4.Record) error {
	const op = "save the lease"
	file, err := fileName(adapter)
	if err != nil {
		return s.run.failed(op, adapter, "", err)
	}
	text, err := encode(r, s.clock.now())
	if err != nil {
		return s.run.failed(op, adapter, file, err)
	}
	return s.put(op, adapter, file, change{kind: changeSaved, text: text})
}

// RehearseSave encodes a record and writes a file, which it removes: what Save needs is in
// memory then.
func (s *Store) RehearseSave(r v4.Record) error {
	text, err := encode(r, s.clock.now())
	if err != nil {
		return err
	}
	scratch := temporaryName("rehearsal")
	if err := s.run.disk.Create(scratch, text, false); err != nil {
		return err
	}
	return s.run.disk.Remove(scratch)
}

// put writes the first copy and notes what the second one lacks.
func (s *Store) put(op, adapter, file string, c change) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != nil {
		s.pending[file] = &c
	}
	if err := s.run.replace(file, c.text, false); err != nil {
		c.unwritten = true
		if c.kind == changeRemoved {
			_ = s.run.disk.Remove(file) // it may need no room
		}
		return s.run.failed(op, adapter, file, err)
	}
	return nil
}

// Load returns the adapter's record, false if there is none. It is the one that
// this store saved last, though the folders had no room for it. Else the first
// copy counts if it is of this boot, unless the second one is newer, because the first
// could not be written. A copy that cannot be read or understood counts as none and
// is reported as an error beside what was found. What is no record is set aside.
func (s *Store) Load(adapter string) (v4.Record, bool, error) {
	const op = "load the lease"
	file, err := fileName(adapter)
	if err != nil {
		return v4.Record{}, false, s.run.failed(op, adapter, "", err)
	}
	now := s.clock.now()
	if c := s.unwritten(file); c != nil {
		if c.kind == changeRemoved {
			return v4.Record{}, false, nil
		}
		r, err := parse(c.text)
		if err != nil {
			return v4.Record{}, false, s.run.failed(op, adapter, file, err)
		}
		return r.decode(now), true, nil
	}
	found, faults := s.latest(file, now)
	var errs []error
	for _, f := range faults {
		errs = append(errs, f.folder.report(op, adapter, file, f.err))
	}
	if found == nil || found.Removed {
		return v4.Record{}, false, errors.Join(errs...)
	}
	return found.decode(now), true, errors.Join(errs...)
}

// A foundRecord is the copy that a folder has of a record.
type foundRecord struct {
	record
	folder *folder
	text   []byte
}

// A fault is why a folder's copy does not count.
type fault struct {
	folder *folder
	err    error
}

// latest returns the copy of a file that counts, nil if there is none: that of run
// if it is of this boot, unless that of state is newer, because run could not be
// written. It reads what the disk has, and takes as long as the disk does.
func (s *Store) latest(file string, now moment) (found *foundRecord, faults []fault) {
	for _, f := range s.folders() {
		text, r, err := f.read(file)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			faults = append(faults, fault{f, err})
		case f == s.run && !r.sameBoot(now):
			// Its folder is on a disk. The second copy is no older.
		case found == nil || r.sameBoot(now) && r.SavedUptime > found.SavedUptime:
			found = &foundRecord{r, f, text}
		}
	}
	return found, faults
}

// unwritten returns the change that the first copy of a file could not take, nil if
// it is as it was saved last.
func (s *Store) unwritten(file string) *change {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.pending[file]; c != nil && c.unwritten {
		return c
	}
	return nil
}

// Up lists the adapters, sorted, whose record of this boot says that they came
// under management by a call.
func (s *Store) Up() []string {
	now := s.clock.now()
	seen := make(map[string]bool)
	var names []string
	for _, f := range s.folders() {
		files, err := f.disk.List()
		if err != nil {
			continue // said by prepare
		}
		for _, file := range files {
			name, ok := adapterName(file)
			if !ok || seen[file] {
				continue
			}
			seen[file] = true
			if r, _ := s.latest(file, now); r != nil && r.sameBoot(now) && r.Up {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// Remove removes the adapter's record: when it returns, no later process finds
// it. Persist removes the second copy. If there is no record, it does nothing.
func (s *Store) Remove(adapter string) error {
	const op = "remove the lease"
	file, err := fileName(adapter)
	if err != nil {
		return s.run.failed(op, adapter, "", err)
	}
	if s.state == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		if err := s.run.disk.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return s.run.failed(op, adapter, file, err)
		}
		return nil
	}
	// The first copy says that the record was removed until the second is gone.
	text, err := encodeRemoval(s.clock.now())
	if err != nil {
		return s.run.failed(op, adapter, file, err)
	}
	return s.put(op, adapter, file, change{kind: changeRemoved, text: text})
}
