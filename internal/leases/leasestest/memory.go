// Package leasestest has a disk in memory for the records of leases, which fails as
// real ones do. It implements leases.Disk.
package leasestest

import (
	"errors"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
)

// A Memory is a disk in memory. The process that uses it can die after any
// operation, and the power can fail: then what was not flushed is there, or not,
// or in part.
type Memory struct {
	files map[string]content
	// kept is what a power failure is sure to leave.
	kept map[string]content
	// left counts down to the operation in which the process dies; below 0: never.
	left *int
	// Skip leaves an operation out: a defect.
	Skip string
	// Full makes every Create fail.
	Full error
}

type content struct {
	text    string
	flushed bool
}

// ErrKilled is the panic of a process that is killed.
var ErrKilled = errors.New("killed")

// New returns an empty disk. left counts down to the operation in which the
// process dies, with a panic of [ErrKilled]; below 0: never. Disks may share it.
func New(left *int) *Memory {
	return &Memory{files: map[string]content{}, kept: map[string]content{}, left: left}
}

func (d *Memory) op(name string, do func()) {
	if *d.left == 0 {
		panic(ErrKilled)
	}
	*d.left--
	if d.Skip != name {
		do()
	}
}

// Read returns a file's contents.
func (d *Memory) Read(name string) ([]byte, error) {
	c, ok := d.files[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return []byte(c.text), nil
}

// Create makes a file.
func (d *Memory) Create(name string, b []byte, flush bool) error {
	if d.Full != nil {
		return d.Full
	}
	d.op("create", func() { d.files[name] = content{text: string(b[:len(b)/2])} }) // killed in mid-write
	d.op("write", func() { d.files[name] = content{text: string(b)} })
	if flush {
		d.op("flush", func() { d.files[name] = content{string(b), true} })
	}
	return nil
}

// Rename replaces the file to.
func (d *Memory) Rename(from, to string) error {
	d.op("rename", func() {
		d.files[to] = d.files[from]
		delete(d.files, from)
	})
	return nil
}

// Remove removes a file.
func (d *Memory) Remove(name string) error {
	if _, ok := d.files[name]; !ok {
		return fs.ErrNotExist
	}
	d.op("remove", func() { delete(d.files, name) })
	return nil
}

// Sync makes all that is there survive a power failure, as far as it was flushed.
func (d *Memory) Sync() error {
	d.op("sync", func() { d.kept = maps.Clone(d.files) })
	return nil
}

// List returns the names of all files, sorted.
func (d *Memory) List() ([]string, error) { return slices.Sorted(maps.Keys(d.files)), nil }

// PowerFails leaves what was flushed, and by chance some of the rest.
func (d *Memory) PowerFails(r *rand.Rand) {
	left := map[string]content{}
	for name := range maps.All(d.kept) {
		left[name] = d.kept[name]
	}
	for _, name := range slices.Sorted(maps.Keys(d.files)) {
		if r.IntN(2) == 0 {
			left[name] = d.files[name]
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.kept)) {
		if _, there := d.files[name]; !there && r.IntN(2) == 0 {
			delete(left, name)
		}
	}
	for name, c := range left {
		if !c.flushed {
			c.text = c.text[:r.IntN(len(c.text)+1)]
		}
		left[name] = content{c.text, true}
	}
	d.files, d.kept = left, maps.Clone(left)
}

// Clear removes all files, as a tmpfs loses them with the power.
func (d *Memory) Clear() { d.files, d.kept = map[string]content{}, map[string]content{} }

// Damage changes a file as a file system may that was not shut down: it is cut
// short, has zeros in the place of its end, or other digits than were written. It
// reports whether there is one.
func (d *Memory) Damage(name string, r *rand.Rand) bool {
	c, ok := d.files[name]
	if !ok || c.text == "" {
		return false
	}
	b := []byte(c.text)
	at := r.IntN(len(b))
	switch r.IntN(4) {
	case 0:
		b = b[:at]
	case 1:
		clear(b[at:])
	default:
		for i, n := at, 1+r.IntN(8); i < len(b) && n > 0; i++ {
			if b[i] >= '0' && b[i] <= '9' {
				b[i] = '0' + byte(r.IntN(10))
				n--
			}
		}
	}
	c = content{string(b), true}
	d.files[name], d.kept[name] = c, c
	return true
}
