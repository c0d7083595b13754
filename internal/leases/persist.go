//go:build linux

package leases

import (
	"bytes"
	"errors"
	"io/fs"
)

// Pending lists the adapters whose second copy is not known to be as the first
// one. There are some after the start, if an earlier process of this boot died.
func (s *Store) Pending() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := make([]string, 0, len(s.pending))
	for file := range s.pending {
		if name, ok := adapterName(file); ok {
			names = append(names, name)
		}
	}
	return names
}

// Persist makes the second copy of the adapter's record as it was saved last:
// when it returns, that survives a power failure. It may take as long as the
// disk does, and it does not hold up the other methods. Calls for one adapter
// must come one after the other.
func (s *Store) Persist(adapter string) error {
	const op = "save the lease on disk"
	if s.state == nil {
		return nil
	}
	file, err := fileName(adapter)
	if err != nil {
		return s.state.failed(op, adapter, "", err)
	}
	c, text := s.lacking(file)
	if c == nil {
		return nil
	}
	if !s.state.ready {
		if err := s.state.prepare(); err != nil {
			return s.state.failed(op, adapter, "", err)
		}
	}
	switch {
	case text == nil:
		err = s.state.removeDurably(file)
	case c.kind == changeFound && s.state.has(file, text):
		// It was renamed, but perhaps not flushed.
		err = s.state.disk.Sync()
	default:
		err = s.state.replaceDurably(file, text)
	}
	if err != nil {
		return s.state.failed(op, adapter, file, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pending[file] != c {
		return nil // there is something newer by now, and another Persist to come
	}
	delete(s.pending, file)
	if text == nil {
		_ = s.run.disk.Remove(file) // it has done its duty
	}
	return nil
}

// lacking returns what the second copy lacks, nil if it lacks nothing, and the
// text that it must have, nil for none.
func (s *Store) lacking(file string) (*change, []byte) {
	s.mu.Lock()
	c := s.pending[file]
	s.mu.Unlock()
	switch {
	case c == nil, c.kind == changeRemoved:
		return c, nil
	case c.kind == changeSaved:
		return c, c.text
	}
	// It was found at the start. The disk may be slow, so nobody waits for this.
	found, _ := s.latest(file, s.clock.now())
	if found != nil && found.folder == s.run {
		if found.Removed {
			return c, nil
		}
		return c, found.text
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pending[file] == c {
		delete(s.pending, file) // removed or set aside meanwhile, or the second copy is newer
	}
	return nil, nil
}

// has reports whether a file has that text.
func (f *folder) has(file string, text []byte) bool {
	have, err := f.disk.Read(file)
	return err == nil && bytes.Equal(have, text)
}

// replaceDurably replaces a file so that there is the old one or the new one
// whatever happens. It returns when the new one would survive a power failure.
func (f *folder) replaceDurably(file string, text []byte) error {
	if err := f.replace(file, text, true); err != nil {
		return err
	}
	return f.disk.Sync()
}

func (f *folder) removeDurably(file string) error {
	if err := f.disk.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := f.disk.Sync(); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil // the folder went away, and the file with it
}
