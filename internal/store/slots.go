package store

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"sync"
)

// The write-ahead file has two slots, written alternately: while one is being
// written the other keeps what was saved before. Its space is allocated and its
// blocks are written when it is made, so that a later write changes nothing but
// their contents: it needs no room on a full disk, and flushing it is one write
// to the disk.
//
// A slot is, numbers in network byte order:
//
//	bytes  0-7   "lessee", 0, 1: what it is, and the version of this layout
//	bytes  8-15  the record's sequence number, from 1
//	bytes 16-19  the record's length; 0 says that the record was removed
//	bytes 20-23  CRC-32C (RFC 3720, Castagnoli) of bytes 0-19 and the record
//	bytes 24-    the record: the JSON text of the record's file, unindented
//
// A slot of zeros is empty. One whose checksum is wrong holds a write that the
// power failed in; it counts as empty, for nobody was told that it was done.
const (
	slotSize   = 16 << 10
	slotHeader = 24
	slotMagic  = "lessee\x00\x01"
	// maxSlot is the longest record that a slot takes, in bytes.
	maxSlot = slotSize - slotHeader
)

// castagnoli makes its table when it is first asked for: that takes longer than
// most of a program's start.
var castagnoli = sync.OnceValue(func() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) })

func checksum(header, record []byte) uint32 {
	table := castagnoli()
	return crc32.Update(crc32.Checksum(header, table), table, record)
}

// A slot is a record as the write-ahead file holds it. The zero slot is empty.
type slot struct {
	sequence uint64
	record   []byte // none: it was removed
}

func (s slot) removed() bool { return s.sequence > 0 && len(s.record) == 0 }

// appendSlot appends the slot's bytes to b. The record has at most maxSlot bytes.
func appendSlot(b []byte, s slot) []byte {
	at := len(b)
	b = append(b, slotMagic...)
	b = binary.BigEndian.AppendUint64(b, s.sequence)
	b = binary.BigEndian.AppendUint32(b, uint32(len(s.record))) //nolint:gosec // at most maxSlot
	b = binary.BigEndian.AppendUint32(b, checksum(b[at:], s.record))
	return append(b, s.record...)
}

// parseSlot reads a slot; false if there is none.
func parseSlot(b []byte) (slot, bool) {
	if len(b) < slotHeader || !bytes.HasPrefix(b, []byte(slotMagic)) {
		return slot{}, false
	}
	n := binary.BigEndian.Uint32(b[16:])
	if n > uint32(len(b)-slotHeader) { //nolint:gosec // at most maxFile
		return slot{}, false
	}
	s := slot{sequence: binary.BigEndian.Uint64(b[8:]), record: b[slotHeader : slotHeader+n]}
	return s, s.sequence > 0 && checksum(b[:20], s.record) == binary.BigEndian.Uint32(b[20:])
}

// torn reports whether a slot was begun and not completed. One of another layout
// is not for us to judge.
func torn(b []byte) bool {
	_, ok := parseSlot(b)
	return !ok && bytes.HasPrefix(b, []byte(slotMagic))
}

// parseSlots reads the write-ahead file. What is not a slot is an empty one.
func parseSlots(b []byte) (slots [2]slot) {
	for i := range slots {
		if len(b) < (i+1)*slotSize {
			break
		}
		if s, ok := parseSlot(b[i*slotSize : (i+1)*slotSize]); ok {
			slots[i] = s
		}
	}
	return slots
}
