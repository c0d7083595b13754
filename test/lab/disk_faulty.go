package lab

import (
	"fmt"
	"os"
	"sync"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// A DiskOp is an operation of a file system that changes it.
type DiskOp string

// The operations that a [FaultyDisk] can hold or fail.
const (
	OpCreate DiskOp = "create"
	OpMkdir  DiskOp = "mkdir"
	OpOpen   DiskOp = "open" // for writing
	OpWrite  DiskOp = "write"
	OpResize DiskOp = "resize" // truncate, allocate, and changes of attributes
	OpFsync  DiskOp = "fsync"
	OpRename DiskOp = "rename"
	OpUnlink DiskOp = "unlink"
	OpLink   DiskOp = "link" // hard and symbolic links, device nodes
)

// A FaultyDisk is a FUSE file system that keeps its files in a directory, and
// whose operations can be held for any time or fail.
type FaultyDisk struct {
	Disk
	// Held are the operations that were held, as they begin to wait.
	Held Journal[DiskOp]

	mu    sync.Mutex
	rules map[DiskOp]diskRule
}

type diskRule struct {
	until <-chan struct{} // closed when the operation may proceed; nil: at once
	fails unix.Errno      // 0: it is carried out
}

// FaultyDisk mounts such a file system in the space, without any fault. It skips
// the test where FUSE is not to be had.
func (s *Space) FaultyDisk(t T, name string) *FaultyDisk {
	t.Helper()
	if err := unix.Access("/dev/fuse", unix.R_OK|unix.W_OK); err != nil {
		Skip(t, "/dev/fuse: %v", err)
	}
	d := &FaultyDisk{Disk: Disk{Dir: s.Path(name), t: t, space: s}}
	files := s.Path(name + ".files")
	server, err := d.mount(files)
	if err != nil {
		t.Fatalf("space %s: FUSE at %s: %v", s.Name, d.Dir, err)
	}
	t.Cleanup(func() {
		d.Mend()
		if err := s.Do(func() error { return unix.Unmount(d.Dir, unix.MNT_DETACH) }); err != nil {
			t.Errorf("space %s: unmount %s: %v", s.Name, d.Dir, err)
		}
		server.Wait()
	})
	return d
}

func (d *FaultyDisk) mount(files string) (*fuse.Server, error) {
	for _, dir := range []string{files, d.Dir} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return nil, err
		}
	}
	root, err := fs.NewLoopbackRoot(files)
	if err != nil {
		return nil, err
	}
	raw := &faultyFS{RawFileSystem: fs.NewNodeFS(root, &fs.Options{}), disk: d}
	var server *fuse.Server
	err = d.space.Do(func() error {
		var err error
		// The mount belongs to this thread's namespace: no help of fusermount.
		server, err = fuse.NewServer(raw, d.Dir, &fuse.MountOptions{
			Name: "lab", FsName: "lab", DirectMountStrict: true, AllowOther: true,
			// Else the kernel reads and writes the files itself.
			DisabledCapabilities: fuse.CAP_PASSTHROUGH,
		})
		if err != nil {
			return err
		}
		go server.Serve()
		return server.WaitMount()
	})
	return server, err
}

// Hold has each of the operations wait until release is called or the test
// ends. A process that waits cannot be killed before.
func (d *FaultyDisk) Hold(ops ...DiskOp) (release func()) {
	until := make(chan struct{})
	release = sync.OnceFunc(func() {
		d.set(diskRule{}, ops)
		close(until)
	})
	d.set(diskRule{until: until}, ops)
	d.space.onUnhold(release)
	d.t.Cleanup(release)
	return release
}

// Fail has each of the operations fail.
func (d *FaultyDisk) Fail(with unix.Errno, ops ...DiskOp) { d.set(diskRule{fails: with}, ops) }

// ReadOnly has all changes fail as on a read-only file system.
func (d *FaultyDisk) ReadOnly() { d.Fail(unix.EROFS, AllDiskOps()...) }

// Mend ends all faults. Operations that are held stay so until they are released.
func (d *FaultyDisk) Mend() { d.set(diskRule{}, AllDiskOps()) }

// AllDiskOps returns all operations that change a file system.
func AllDiskOps() []DiskOp {
	return []DiskOp{OpCreate, OpMkdir, OpOpen, OpWrite, OpResize, OpFsync, OpRename, OpUnlink, OpLink}
}

func (d *FaultyDisk) set(r diskRule, ops []DiskOp) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.rules == nil {
		d.rules = map[DiskOp]diskRule{}
	}
	for _, op := range ops {
		d.rules[op] = r
	}
}

// before waits as long as the operation is held, and returns what it fails with.
func (d *FaultyDisk) before(op DiskOp) fuse.Status {
	d.mu.Lock()
	r := d.rules[op]
	d.mu.Unlock()
	if r.until != nil {
		d.Held.Add(op)
		<-r.until
	}
	return fuse.Status(r.fails)
}

// AwaitHeld waits until an operation of one of the kinds is held, or was since
// mark, and returns the mark after it.
func (d *FaultyDisk) AwaitHeld(mark int, ops ...DiskOp) int {
	d.t.Helper()
	_, next, ok := d.Held.Wait(mark, waitLong, func(op DiskOp) bool {
		for _, o := range ops {
			if o == op {
				return true
			}
		}
		return len(ops) == 0
	})
	if !ok {
		d.t.Fatalf("disk %s: none of %v was held: %v", d.Dir, fmt.Sprint(ops), d.Held.Since(mark))
	}
	return next
}
