//go:build linux

package store

import (
	"errors"
	"io/fs"
)

// Remove implements the driver's Store. If there is no record, there is nothing to do.
func (s *Store) Remove(adapter string) error {
	const op = "remove the lease"
	e, err := s.entry(adapter)
	if err != nil {
		return s.failed(op, adapter, "", err)
	}
	e.replacing.Lock()
	defer e.replacing.Unlock()
	e.mu.Lock()
	made := e.made
	e.mu.Unlock()
	if made != nil {
		<-made
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := s.remove(e); err != nil {
		return s.failed(op, adapter, e.file, err)
	}
	s.forget(adapter)
	return nil
}

// remove removes an adapter's files. First it writes that down: whichever of
// them a crash leaves, it is no record any more. replacing and mu are held.
func (s *Store) remove(e *entry) error {
	if !e.known {
		s.look(e)
	}
	to := 1 - e.last
	if e.anchor >= 0 {
		to = 1 - e.anchor
	}
	err := s.disk.overwrite(e.ahead, int64(to)*slotSize, appendSlot(nil, slot{sequence: e.sequence + 1}), true)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	e.sequence++
	e.last, e.slots[to], e.behind, e.anchor = to, e.sequence, nil, to
	e.usable = false
	if err := s.disk.remove(e.file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := s.disk.sync(); err != nil {
		return err
	}
	// The last, and nobody waits for its end: where it comes back it says that
	// there is no record.
	if err := s.disk.remove(e.ahead); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Rename implements the driver's Store. If there is no record, there is nothing
// to do; a record that the new name has is replaced. A crash in between leaves
// both names the record.
func (s *Store) Rename(from, to string) error {
	const op = "rename the lease"
	a, err := s.entry(from)
	if err != nil {
		return s.failed(op, from, "", err)
	}
	b, err := s.entry(to)
	if err != nil {
		return s.failed(op, from, "", err)
	}
	if a == b {
		return nil
	}
	s.renaming.Lock()
	defer s.renaming.Unlock()
	there, err := s.copyRecord(a, b)
	if err != nil {
		return s.failed(op, from, a.file, err)
	}
	if !there {
		return nil
	}
	s.begin(b)
	return s.Remove(from)
}

// copyRecord makes a's record b's; false if there is none.
func (s *Store) copyRecord(a, b *entry) (bool, error) {
	for _, e := range []*entry{a, b} {
		e.replacing.Lock()
		defer e.replacing.Unlock()
		e.mu.Lock()
		defer e.mu.Unlock()
	}
	have := s.look(a)
	if have.text == nil {
		return false, have.err
	}
	f, err := parse(have.text)
	if err != nil {
		return false, err
	}
	s.look(b)
	b.sequence = max(a.sequence, b.sequence) + 1
	f.Sequence = b.sequence
	text, err := f.text()
	if err != nil {
		return false, err
	}
	if err := s.replaceFile(b, text); err != nil {
		return false, err
	}
	b.behind = nil
	s.caughtUp(b, b.sequence)
	return true, nil
}
