package lab

import (
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// A FreezableDisk is an ext4 file system on a loop device.
type FreezableDisk struct {
	Disk

	dir *os.File // its root: the ioctls need no path
}

// ioctls of linux/fs.h
const (
	fiFreeze = 0xc0045877
	fiThaw   = 0xc0045878
)

// FreezableDisk makes an image file with an ext4 file system of 16 MiB and mounts
// it in the space. The file is unlinked and the loop device detaches itself, so
// that nothing is left when the space ends. It skips the test where there are no
// loop devices.
func (s *Space) FreezableDisk(t T, name string) *FreezableDisk {
	t.Helper()
	Need(t, "mkfs.ext4", "mount", "fsfreeze")
	if err := unix.Access("/dev/loop-control", unix.R_OK|unix.W_OK); err != nil {
		Skip(t, "/dev/loop-control: %v", err)
	}
	d := &FreezableDisk{Disk: Disk{Dir: s.Path(name), t: t, space: s}}
	image := s.Path(name + ".img")
	s.Run(t, "mkfs.ext4", "-q", "-F", "-E", "nodiscard,root_owner=0:0", image, "16M")
	err := os.Mkdir(d.Dir, 0o755)
	if err != nil {
		t.Fatalf("space %s: %v", s.Name, err)
	}
	s.Run(t, "mount", "-o", "loop", image, d.Dir) // it has the device detach itself
	d.do("open", func() error {
		d.dir, err = os.Open(d.Dir)
		return err
	})
	if err = os.Remove(image); err != nil {
		t.Fatalf("space %s: %v", s.Name, err)
	}
	t.Cleanup(func() {
		_ = d.dir.Close()
		_ = s.Do(func() error { return unix.Unmount(d.Dir, unix.MNT_DETACH) })
	})
	return d
}

// Freeze has everything wait that writes to the disk, until the returned
// function is called, the test ends, or this process does: a process that
// outlives it thaws the disk then, as nothing could be done about a frozen disk
// that is not mounted any more.
func (d *FreezableDisk) Freeze() (thaw func()) {
	t := d.t
	t.Helper()
	watchdog, err := d.watchdog()
	if err != nil {
		t.Fatalf("space %s: watchdog of %s: %v", d.space.Name, d.Dir, err)
	}
	if err = unix.IoctlSetInt(int(d.dir.Fd()), fiFreeze, 0); err != nil {
		_ = watchdog()
		t.Fatalf("space %s: freeze %s: %v", d.space.Name, d.Dir, err)
	}
	thaw = sync.OnceFunc(func() {
		if err := watchdog(); err != nil {
			t.Errorf("space %s: thaw %s: %v", d.space.Name, d.Dir, err)
		}
	})
	d.space.onUnhold(thaw)
	t.Cleanup(thaw)
	return thaw
}

// watchdog starts a process that thaws the disk when this process ends. The
// function that it returns has it do so now, and waits for its end.
func (d *FreezableDisk) watchdog() (thaw func() error, err error) {
	fsfreeze, err := Program("fsfreeze")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("sh", "-c", `cat >/dev/null; exec "$0" --unfreeze /proc/self/fd/3`, fsfreeze)
	cmd.ExtraFiles = []*os.File{d.dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, err
	}
	return func() error { return stopWatchdog(cmd, in) }, nil
}

func stopWatchdog(cmd *exec.Cmd, in io.Closer) error {
	_ = in.Close()
	return cmd.Wait()
}
