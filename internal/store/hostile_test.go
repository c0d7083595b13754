package store

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/lessee/lessee/internal/hostile"
	"github.com/lessee/lessee/internal/tenancy"
)

// TestHostileStrings: what a server says is in the lease file only as what it
// claims to be, or in hexadecimal; and so it comes back.
func TestHostileStrings(t *testing.T) {
	t.Parallel()
	for name, text := range hostile.Texts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := hostile.Lease(text)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			s := open(t, dir, newMachine())
			if err := s.Save("eth0", tenancy.Record{Lease: l}, true); err != nil {
				t.Fatal(err)
			}
			if err := s.Flush("eth0"); err != nil {
				t.Fatal(err)
			}
			records := 0
			if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				b, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				if bytes.Contains(b, []byte("10.77.0.9")) {
					records++
				}
				if d.Name() != "eth0.json" {
					// What is written ahead has room, filled with zeros.
					b = bytes.ReplaceAll(b, []byte{0}, nil)
				}
				return hostile.Unread(b)
			}); err != nil || records == 0 {
				t.Errorf("%d files have the lease; %v", records, err)
			}
			r := load(t, s, "eth0")
			if len(text) < 256 && len(l.More.Other) < 8 || len(r.Lease.More.Other) != len(l.More.Other) {
				t.Errorf("%d other options came back of %d", len(r.Lease.More.Other), len(l.More.Other))
			}
		})
	}
}

// TestTornSlotStaysTorn: of a write that a power failure tore, what is missing
// may come with a later write, which is the same in most sectors. The record
// that was never saved must not appear then.
func TestTornSlotStaysTorn(t *testing.T) {
	t.Parallel()
	disk := newLedger()
	st := &story{disk: disk}
	st.open()
	st.run(t, []step{{verb: "save", name: "a", value: 1, durable: true}, {verb: "flush", name: "a"}})
	text, err := encode(step{value: 2}.record(), 2, newMachine().clock().now())
	if err != nil {
		t.Fatal(err)
	}
	whole := appendSlot(nil, slot{2, text})
	for i := range 2 {
		torn := slices.Clone(whole)
		clear(torn[sector : 2*sector])
		if err := disk.overwrite("a.ahead", int64(i)*slotSize, torn, true); err != nil {
			t.Fatal(err)
		}
	}
	st.open()
	st.run(t, []step{{verb: "load", name: "a"}})
	for i := range 2 {
		if err := disk.overwrite("a.ahead", int64(i)*slotSize+sector, whole[sector:2*sector], true); err != nil {
			t.Fatal(err)
		}
	}
	st.open()
	if r, ok, err := st.store.Load("a"); err != nil || !ok || valueOf(r) != 1 {
		t.Errorf("record %d, %v, %v; want 1", valueOf(r), ok, err)
	}
}

// TestAheadIsBlamed: an error names the file that is at fault.
func TestAheadIsBlamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "c0.ahead"), 0o700); err != nil {
		t.Fatal(err)
	}
	s, err := OpenWith(dir, newMachine().clock())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, _, err = s.Load("c0")
	if e, ok := errors.AsType[*Error](err); !ok || e.Path != filepath.Join(dir, "c0.ahead") {
		t.Errorf("%v", err)
	}
}

// TestRemovalIsKept: what was removed stays removed, as long as its file is
// there, until the disk has another record.
func TestRemovalIsKept(t *testing.T) {
	t.Parallel()
	disk := newLedger()
	st := &story{disk: disk}
	st.open()
	st.run(t, []step{{verb: "save", name: "a", value: 1, durable: true}, {verb: "flush", name: "a"}})
	// The process is killed before the file is removed.
	if err := disk.overwrite("a.ahead", 0, appendSlot(nil, slot{sequence: 2}), true); err != nil {
		t.Fatal(err)
	}
	st.open()
	st.run(t, []step{{verb: "save", name: "a", value: 2}, {verb: "save", name: "a", value: 3}, {verb: "save", name: "a", value: 4}})
	b, err := disk.read("a.ahead")
	if slots := parseSlots(b); err != nil || !slots[0].removed() || slots[1].sequence != 5 {
		t.Errorf("the slots have %d, removed: %v, and %d; %v", slots[0].sequence, slots[0].removed(), slots[1].sequence, err)
	}
	st.run(t, []step{{verb: "flush", name: "a"}})
	if r, ok, err := st.store.Load("a"); err != nil || !ok || valueOf(r) != 4 {
		t.Errorf("record %d, %v, %v; want 4", valueOf(r), ok, err)
	}
}
