//go:build linux

package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"sync"
)

// An entry is what the store knows of one adapter's files.
type entry struct {
	file  string // the record's file
	ahead string // the write-ahead file

	// file, the record's own, is replaced by whoever holds replacing; it is
	// taken before mu.
	replacing sync.Mutex

	mu sync.Mutex
	// known says that the fields below are as the files are.
	known bool
	// sequence is that of the record saved last, and last the slot that it or
	// one before it was written to last.
	sequence uint64
	last     int
	// slots are the sequence numbers in the slots, 0 for none.
	slots [2]uint64
	// anchor is the slot whose record is on the disk for good, and newer than
	// the one that the record's file has there; -1 if there is none. Until the
	// file has caught up, nothing else is written to that slot.
	anchor int
	// behind is the record saved last where the file does not have it yet.
	behind []byte
	// made is closed when the write-ahead file was made, or could not be;
	// usable says that it may be written to. made is nil before that began.
	made   chan struct{}
	usable bool
}

// entry returns the adapter's entry.
func (s *Store) entry(adapter string) (*entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.entries[adapter]; e != nil {
		return e, nil
	}
	file, err := fileName(adapter)
	if err != nil {
		return nil, err
	}
	ahead, err := aheadName(adapter)
	if err != nil {
		return nil, err
	}
	e := &entry{file: file, ahead: ahead, anchor: -1}
	s.entries[adapter] = e
	return e, nil
}

func (s *Store) forget(adapter string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.entries, adapter)
}

// A found is what the files of an adapter hold.
type found struct {
	// text is the newest record; nil if there is none.
	text []byte
	// err says why the record's file cannot be used, if nothing else can be
	// either; with inAhead it is about the write-ahead file.
	err     error
	inAhead bool
	// removed says that the record was removed, though files are left.
	removed bool
	// unread says that the write-ahead file cannot be read.
	unread bool
}

// look reads the adapter's files and brings the entry up to date. mu is held.
func (s *Store) look(e *entry) found {
	var f record
	text, err := s.disk.read(e.file)
	none := errors.Is(err, fs.ErrNotExist)
	if err == nil {
		f, err = parse(text)
	}
	var slots [2]slot
	b, aheadErr := s.disk.read(e.ahead)
	if aheadErr == nil {
		slots = parseSlots(b)
	}
	unread := aheadErr != nil && !errors.Is(aheadErr, fs.ErrNotExist)

	// What is in the slots when they are first seen is flushed before anything
	// is written; later it is known which of them was.
	first := !e.known
	e.known, e.behind = true, nil
	if first {
		e.anchor = -1
	}
	e.sequence, e.last = 0, 0
	if slots[1].sequence > slots[0].sequence {
		e.last = 1
	}
	newest := slots[e.last]
	e.slots = [2]uint64{slots[0].sequence, slots[1].sequence}
	if err == nil {
		e.sequence = f.Sequence
	}
	switch {
	case errors.Is(err, errTooNew):
		// Whoever wrote it knows better than we what its slots mean.
		return found{err: err}
	case newest.sequence <= e.sequence && err == nil:
		return found{text: text}
	case newest.removed():
		e.sequence = newest.sequence
		if first {
			e.anchor = e.last // the record's file may still be there
		}
		return found{removed: true}
	case newest.sequence > 0:
		if _, err := parse(newest.record); err != nil {
			return found{err: err, inAhead: true}
		}
		e.sequence, e.behind = newest.sequence, newest.record
		if first {
			e.anchor = e.last
		}
		return found{text: newest.record}
	case none && unread:
		return found{err: aheadErr, inAhead: true, unread: true}
	case none:
		return found{}
	}
	return found{err: err, unread: unread}
}

// begin has the write-ahead file made beside everything else, and the record's
// file catch up with it.
func (s *Store) begin(e *entry) {
	e.mu.Lock()
	if e.made != nil {
		e.mu.Unlock()
		return
	}
	made := make(chan struct{})
	e.made = made
	e.mu.Unlock()
	s.beside(func() {
		castagnoli() // nobody waits for it here
		err := s.makeAhead(e)
		e.mu.Lock()
		e.usable = err == nil
		e.mu.Unlock()
		close(made)
		// Who has something to lose will be told when it flushes.
		_ = s.catchUp(e)
	})
}

// makeAhead makes the write-ahead file, or sees to it that the one there is
// would survive a power failure.
func (s *Store) makeAhead(e *entry) error {
	b, err := s.disk.read(e.ahead)
	if err == nil && len(b) == 2*slotSize {
		for i := range 2 {
			// What is missing of a torn slot may come with the next write to it,
			// torn as well: nobody is to take the two for a record.
			if torn(b[i*slotSize : (i+1)*slotSize]) {
				if err := s.disk.overwrite(e.ahead, int64(i)*slotSize, make([]byte, slotHeader), false); err != nil {
					return err
				}
			}
		}
		if err := s.disk.flush(e.ahead); err != nil {
			return err
		}
		return s.disk.sync()
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		// A directory, a link: whatever it is, it is not ours.
		return err
	}
	return replace(s.disk, e.ahead, make([]byte, 2*slotSize))
}

// await waits until the write-ahead file was made, or could not be.
func (s *Store) await(e *entry) {
	s.begin(e)
	<-e.made
}

// writeAhead writes a record to a slot; false if that cannot be done. mu is
// held, and the sequence number is the record's already.
func (s *Store) writeAhead(e *entry, text []byte, durable bool) bool {
	if !e.usable || len(text) > maxSlot {
		return false
	}
	to := 1 - e.last
	if e.anchor >= 0 {
		to = 1 - e.anchor
	}
	block := appendSlot(make([]byte, 0, slotHeader+len(text)), slot{e.sequence, text})
	if durable {
		s.flushes <- struct{}{}
		defer func() { <-s.flushes }()
	}
	if err := s.disk.overwrite(e.ahead, int64(to)*slotSize, block, durable); err != nil {
		// What is in the slot now is unknown, and may never have reached the disk.
		e.usable = false
		return false
	}
	e.last, e.slots[to], e.behind = to, e.sequence, text
	if durable {
		e.anchor = to
	}
	return true
}

// catchUp replaces the record's file by the record saved last, where that is
// only in the write-ahead file, and then empties the slots it makes obsolete:
// so a record is forgotten by whoever removes its file.
func (s *Store) catchUp(e *entry) error {
	e.replacing.Lock()
	defer e.replacing.Unlock()
	e.mu.Lock()
	text, sequence := e.behind, e.sequence
	e.mu.Unlock()
	if text == nil {
		return nil
	}
	if err := s.replaceFile(e, text); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	s.caughtUp(e, sequence)
	return nil
}

// replaceFile puts a record into its file, indented for those who read it.
func (s *Store) replaceFile(e *entry, text []byte) error {
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", "  "); err != nil {
		return err
	}
	b.WriteByte('\n')
	s.replacements <- struct{}{}
	defer func() { <-s.replacements }()
	return replace(s.disk, e.file, b.Bytes())
}

// caughtUp notes that the file has the record with that number on the disk. mu is held.
func (s *Store) caughtUp(e *entry, sequence uint64) {
	if e.sequence == sequence {
		e.behind = nil
	}
	if e.anchor >= 0 && e.slots[e.anchor] <= sequence {
		e.anchor = -1
	}
	for i, n := range e.slots {
		if n > 0 && n <= sequence && e.usable {
			// If it fails, or is undone, the file counts: its number is not less.
			_ = s.disk.overwrite(e.ahead, int64(i)*slotSize, make([]byte, slotHeader), false)
			e.slots[i] = 0
		}
	}
}
