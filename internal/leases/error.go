//go:build linux

package leases

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// ErrInUse says that another daemon has the folder.
var ErrInUse = errors.New("another daemon uses this folder")

// An Error says what could not be done with which file, and why.
type Error struct {
	// Op is what failed, such as "save the lease".
	Op string
	// Adapter is the adapter it concerns, "" if none.
	Adapter string
	// Path is the file or folder.
	Path string
	// Hint says what an administrator can do; mostly absent.
	Hint string
	Err  error
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.Adapter != "" {
		b.WriteString(e.Adapter + ": ")
	}
	// What the os package returns repeats the path, or names a temporary file.
	err := e.Err
	switch outer := err.(type) { //nolint:errorlint // only the outermost one repeats it
	case *fs.PathError:
		err = outer.Err
	case *os.LinkError:
		err = outer.Err
	}
	fmt.Fprintf(&b, "%s: %s: %v", e.Op, e.Path, err)
	if e.Hint != "" {
		b.WriteString(" (" + e.Hint + ")")
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// hint says what to do about the usual causes. flag is the option that chooses
// another folder.
func hint(err error, flag string) string {
	switch {
	case errors.Is(err, unix.EROFS):
		return "the file system is read-only: mount it writable, or choose another folder with " + flag
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		return "the disk is full: make room, or choose another folder with " + flag
	case errors.Is(err, fs.ErrPermission):
		return "run as root, or choose a folder you may write to with " + flag
	case errors.Is(err, unix.ENOTDIR), errors.Is(err, fs.ErrExist):
		return "it is not a folder: choose another one with " + flag
	}
	return ""
}
