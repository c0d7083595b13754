//go:build linux

package leases

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A folder has one copy of the records.
type folder struct {
	path string
	// flag is the option of the daemon that chooses another one.
	flag string
	disk Disk
	lock *os.File
	// ready says that the folder is there, locked, and was written to once.
	ready bool
}

// lockName is the file that the daemon holds a lock on.
const lockName = "lock"

// probeName is the file that shows that writing works: its block is allocated,
// which a full disk refuses.
const probeName = ".probe" + suffix

// prepare makes the folder if there is none, takes it for this process
// ([ErrInUse] if another one has it), removes what an unfinished write left
// and tries to write.
func (f *folder) prepare() error {
	if err := os.MkdirAll(f.path, dirPerm); err != nil {
		return err
	}
	if f.lock == nil {
		lock, err := takeLock(filepath.Join(f.path, lockName))
		if err != nil {
			return err
		}
		f.lock = lock
	}
	names, err := f.disk.List()
	if err != nil {
		return err
	}
	for _, n := range names {
		if temporary(n) {
			if err := f.disk.Remove(n); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	if err := f.disk.Create(probeName, make([]byte, 1024), false); err != nil {
		_ = f.disk.Remove(probeName)
		return err
	}
	if err := f.disk.Remove(probeName); err != nil {
		return err
	}
	f.ready = true
	return nil
}

func takeLock(path string) (*os.File, error) {
	// Not open for writing: that would keep an administrator from making the file
	// system read-only.
	f, err := os.OpenFile(path, os.O_RDONLY|os.O_CREATE|unix.O_NOFOLLOW, filePerm)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		defer f.Close()
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, err
		}
		b := make([]byte, 32)
		n, _ := f.Read(b)
		if pid, err := strconv.Atoi(strings.TrimSpace(string(b[:n]))); err == nil {
			return nil, fmt.Errorf("%w: pid %d", ErrInUse, pid)
		}
		return nil, ErrInUse
	}
	// The pid is for others' error messages; the lock does not depend on it.
	_ = os.WriteFile(path, []byte(strconv.Itoa(os.Getpid())+"\n"), filePerm)
	return f, nil
}

// replace replaces a file: a process that dies leaves the old one or the new
// one. With flush, the new contents, not the name, would survive a power failure.
// A folder that went away is made anew.
func (f *folder) replace(file string, text []byte, flush bool) error {
	temp := temporaryName(file)
	err := f.disk.Create(temp, text, flush)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(f.path, dirPerm); err == nil {
			err = f.disk.Create(temp, text, flush)
		}
	}
	if err == nil {
		err = f.disk.Rename(temp, file)
	}
	if err != nil {
		_ = f.disk.Remove(temp)
	}
	return err
}

// read reads and checks a record, which it returns as a text, too.
func (f *folder) read(file string) ([]byte, record, error) {
	text, err := f.disk.Read(file)
	if err != nil {
		return nil, record{}, err
	}
	r, err := parse(text)
	return text, r, err
}

// report returns the error about a file that does not count. What is no record is
// set aside; what the system did not let us read stays, for it may be one.
func (f *folder) report(op, adapter, file string, cause error) error {
	var system unix.Errno
	if errors.As(cause, &system) && system != unix.ELOOP && system != unix.ENXIO { // a symbolic link, a socket
		return f.failed(op, adapter, file, cause)
	}
	return f.setAside(op, adapter, file, cause)
}

// failed builds an error about the adapter's file.
func (f *folder) failed(op, adapter, file string, err error) error {
	return &Error{Op: op, Adapter: adapter, Path: filepath.Join(f.path, file), Err: err, Hint: hint(err, f.flag)}
}

// maxAside is how many files are kept per adapter that were not understood.
const maxAside = 5

// setAside renames a file that cannot be understood to the next free name, and
// returns the error to report. The last name is used again when all are taken,
// so that the first fault is not lost under later ones.
func (f *folder) setAside(op, adapter, file string, cause error) error {
	failure := &Error{Op: op, Adapter: adapter, Path: filepath.Join(f.path, file), Err: cause}
	aside, err := f.nextAside(file)
	if err == nil {
		err = f.disk.Rename(file, aside)
	}
	if err != nil {
		failure.Hint = fmt.Sprintf("it could not be set aside: %v; it is ignored", err)
	} else {
		failure.Hint = "it is set aside as " + aside
	}
	return failure
}

func (f *folder) nextAside(file string) (string, error) {
	names, err := f.disk.List()
	if err != nil {
		return "", err
	}
	for i := 1; ; i++ {
		aside := fmt.Sprintf("%s.corrupt-%d", file, i)
		if i == maxAside || !slices.Contains(names, aside) {
			return aside, nil
		}
	}
}
