package lab

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// A Disk is a file system that was made for a test and that only its space
// sees. It ends with the space.
type Disk struct {
	// Dir is where the space sees it.
	Dir string

	t     T
	space *Space
	flags string // of a tmpfs
}

// SmallDisk mounts a tmpfs of 64 KiB in the space.
func (s *Space) SmallDisk(t T, name string) *Disk {
	t.Helper()
	d := &Disk{Dir: s.Path(name), t: t, space: s, flags: "size=64k,mode=755"}
	err := s.Do(func() error {
		if err := os.Mkdir(d.Dir, 0o755); err != nil {
			return err
		}
		return unix.Mount("tmpfs", d.Dir, "tmpfs", 0, d.flags)
	})
	if err != nil {
		t.Fatalf("space %s: disk %s: %v", s.Name, name, err)
	}
	return d
}

// do runs f in the space and fails the test if it fails.
func (d *Disk) do(what string, f func() error) {
	d.t.Helper()
	if err := d.space.Do(f); err != nil {
		d.t.Fatalf("space %s: %s %s: %v", d.space.Name, what, d.Dir, err)
	}
}

// ballast is the file that fills a disk.
const ballast = "ballast"

// Fill writes a file until the disk is full.
func (d *Disk) Fill() {
	d.t.Helper()
	d.do("fill", func() error {
		f, err := os.Create(filepath.Join(d.Dir, ballast))
		if err != nil {
			return err
		}
		defer f.Close()
		for size := 4096; size > 0; {
			switch _, err = f.Write(make([]byte, size)); {
			case errors.Is(err, unix.ENOSPC):
				size /= 2
			case err != nil:
				return err
			}
		}
		return nil
	})
}

// Drain removes the file that fills the disk.
func (d *Disk) Drain() {
	d.t.Helper()
	d.do("drain", func() error { return os.Remove(filepath.Join(d.Dir, ballast)) })
}

// ReadOnly makes the disk read-only, or writable again. Nothing may have a file
// of it open for writing.
func (d *Disk) ReadOnly(yes bool) {
	d.t.Helper()
	flags := uintptr(unix.MS_REMOUNT)
	if yes {
		flags |= unix.MS_RDONLY
	}
	d.do("remount", func() error { return unix.Mount("", d.Dir, "", flags, d.flags) })
}

// Write writes a file of the disk.
func (d *Disk) Write(name string, content []byte) {
	d.t.Helper()
	d.do("write to", func() error { return os.WriteFile(filepath.Join(d.Dir, name), content, 0o600) })
}

// Remove removes a file of the disk, or a directory with what it has.
func (d *Disk) Remove(name string) {
	d.t.Helper()
	d.do("remove from", func() error { return os.RemoveAll(filepath.Join(d.Dir, name)) })
}

// Read reads a file of the disk; nil if it is not there.
func (d *Disk) Read(name string) []byte {
	d.t.Helper()
	b, err := d.space.ReadFile(filepath.Join(d.Dir, name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		d.t.Fatalf("space %s: %v", d.space.Name, err)
	}
	return b
}

// Files lists the names of the files and directories of the disk.
func (d *Disk) Files() []string {
	d.t.Helper()
	var names []string
	d.do("list", func() error {
		entries, err := os.ReadDir(d.Dir)
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return err
	})
	return names
}
