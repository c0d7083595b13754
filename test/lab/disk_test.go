package lab_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/test/lab"
)

// save writes a file the way records are written: a process of the space
// creates it, flushes it and renames it.
func save(t *testing.T, s *lab.Space, dir string) *lab.Process {
	t.Helper()
	return s.Start(t, "dd", "if=/dev/zero", "of="+filepath.Join(dir, "record"), "bs=100", "count=1", "conv=fsync")
}

func TestSmallDisk(t *testing.T) {
	t.Parallel()
	s := lab.New(t).Space("alone")
	d := s.SmallDisk(t, "disk")
	d.Write("a", []byte("b"))
	d.Fill()
	if code := save(t, s, d.Dir).Wait(t, 10*time.Second); code != 1 {
		t.Errorf("exit status %d of a writer to a full disk", code)
	}
	d.Drain()
	if code := save(t, s, d.Dir).Wait(t, 10*time.Second); code != 0 {
		t.Errorf("exit status %d of a writer to a disk with room", code)
	}
	d.ReadOnly(true)
	if code := save(t, s, d.Dir).Wait(t, 10*time.Second); code != 1 {
		t.Errorf("exit status %d of a writer to a read-only disk", code)
	}
	d.ReadOnly(false)
	if code := save(t, s, d.Dir).Wait(t, 10*time.Second); code != 0 {
		t.Errorf("exit status %d of a writer to a writable disk", code)
	}
	if b, none := d.Read("a"), d.Read("c"); string(b) != "b" || none != nil {
		t.Errorf("read %q and %q", b, none)
	}
	if names := d.Files(); !slices.Equal(names, []string{"a", "record"}) {
		t.Errorf("files: %q", names)
	}
	if seen, _ := os.ReadDir(d.Dir); len(seen) != 0 {
		t.Errorf("other spaces see %v", seen)
	}
}

// TestFaultyDisk checks that each operation can be held and can fail.
func TestFaultyDisk(t *testing.T) {
	t.Parallel()
	s := lab.New(t).Space("alone")
	d := s.FaultyDisk(t, "disk")
	if code := save(t, s, d.Dir).Wait(t, 10*time.Second); code != 0 {
		t.Fatalf("exit status %d without a fault", code)
	}
	run := func(op lab.DiskOp) *lab.Process {
		file := filepath.Join(d.Dir, "record")
		switch op {
		case lab.OpCreate:
			return s.Start(t, "sh", "-c", "exec >"+file+".new")
		case lab.OpMkdir:
			return s.Start(t, "mkdir", file+".dir")
		case lab.OpResize:
			return s.Start(t, "truncate", "-s", "10", file)
		case lab.OpRename:
			return s.Start(t, "mv", file, file+".old")
		case lab.OpUnlink:
			return s.Start(t, "rm", "-f", file+".old", file+".new")
		case lab.OpLink:
			return s.Start(t, "ln", "-s", "x", file+".link")
		case lab.OpOpen, lab.OpWrite, lab.OpFsync:
		}
		return save(t, s, d.Dir)
	}
	for _, op := range lab.AllDiskOps() {
		d.Fail(unix.EIO, op)
		p := run(op)
		if code := p.Wait(t, 10*time.Second); code == 0 || !strings.Contains(p.Tail(9), "Input/output error") {
			t.Errorf("%s that should fail: exit status %d\n%s", op, code, p.Tail(9))
		}
		mark := d.Held.Mark()
		release := d.Hold(op)
		p = run(op)
		d.AwaitHeld(mark, op)
		if p.Exited() {
			t.Errorf("%s is held, but the process has ended", op)
		}
		release()
		if code := p.Wait(t, 10*time.Second); code != 0 {
			t.Errorf("%s that was released: exit status %d\n%s", op, code, p.Tail(9))
		}
	}
	d.ReadOnly()
	if p := save(t, s, d.Dir); p.Wait(t, 10*time.Second) == 0 || !strings.Contains(p.Tail(9), "Read-only file system") {
		t.Errorf("a writer to a read-only disk:\n%s", p.Tail(9))
	}
	d.Mend()
	if code := save(t, s, d.Dir).Wait(t, 10*time.Second); code != 0 {
		t.Errorf("exit status %d without a fault", code)
	}
}

// TestFreezableDisk checks that writers wait for the thaw, and that the disk is
// thawed when the test ends without doing so.
func TestFreezableDisk(t *testing.T) {
	t.Parallel()
	r := &recorder{T: t}
	l := lab.New(r)
	s := l.Space("alone")
	d := s.FreezableDisk(r, "disk")
	thaw := d.Freeze()
	p := save(t, s, d.Dir)
	awaitBlocked(t, p)
	thaw()
	if code := p.Wait(t, 10*time.Second); code != 0 {
		t.Errorf("exit status %d after the thaw", code)
	}
	p = s.Start(r, "sh", "-c", "read x; exec dd if=/dev/zero of="+d.Dir+"/record count=1")
	d.Freeze()
	q := s.Start(r, "touch", d.Dir+"/other")
	awaitBlocked(t, q)
	r.cleanup()
	if !p.Exited() || !q.Exited() || len(r.errors) > 0 {
		t.Errorf("ended %v and %v; %q", p.Exited(), q.Exited(), r.errors)
	}
	if _, err := os.Stat(d.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("left: %v", err)
	}
}

// awaitBlocked waits until the process sleeps so that no signal wakes it.
func awaitBlocked(t *testing.T, p *lab.Process) {
	t.Helper()
	if !lab.Eventually(10*time.Second, p.Blocked) {
		t.Fatal("not blocked")
	}
}
