//go:build linux

// Package netns holds a network namespace, so that sockets can be opened in it
// from any thread.
package netns

import (
	"fmt"
	"os"
	"runtime"

	"github.com/lessee/lessee/internal/linux/syserr"
	"golang.org/x/sys/unix"
)

// A Namespace is a network namespace that stays while it is open.
type Namespace struct {
	file *os.File
	id   FileID
}

// Open opens the network namespace of the calling thread.
func Open() (*Namespace, error) {
	file, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return nil, syserr.Wrap("", "open the network namespace", err)
	}
	id, err := IDOf(fmt.Sprintf("/proc/self/fd/%d", file.Fd()))
	if err != nil {
		file.Close()
		return nil, syserr.Wrap("", "identify the network namespace", err)
	}
	return &Namespace{file: file, id: id}, nil
}

// Close lets go of the namespace. Sockets that are open in it stay so.
func (n *Namespace) Close() error { return n.file.Close() }

// Inode identifies the namespace among those of the machine, until it ends.
func (n *Namespace) Inode() uint64 { return n.id.ino }

// Do runs f on a thread that is in the namespace.
func (n *Namespace) Do(f func() error) error {
	runtime.LockOSThread()
	if id, err := IDOf("/proc/thread-self/ns/net"); err == nil && id == n.id {
		defer runtime.UnlockOSThread()
		return f()
	}
	runtime.UnlockOSThread()

	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		back, err := os.Open("/proc/thread-self/ns/net")
		if err == nil {
			err = unix.Setns(int(n.file.Fd()), unix.CLONE_NEWNET)
		}
		if err != nil {
			if back != nil {
				back.Close()
			}
			runtime.UnlockOSThread()
			done <- fmt.Errorf("enter the network namespace: %w", err)
			return
		}
		err = f()
		// A thread that cannot go back is not given back: it ends with the goroutine.
		if unix.Setns(int(back.Fd()), unix.CLONE_NEWNET) == nil {
			runtime.UnlockOSThread()
		}
		back.Close()
		done <- err
	}()
	return <-done
}

// A FileID distinguishes files.
type FileID struct{ dev, ino uint64 }

// IDOf returns the identity of the file that the path leads to.
func IDOf(path string) (FileID, error) {
	var st unix.Stat_t
	err := unix.Stat(path, &st)
	return FileID{uint64(st.Dev), st.Ino}, err //nolint:unconvert // 32 bits wide on some systems
}
