package iphlpapi

import "syscall"

// Is reports whether target is the same code as the type of package syscall, of
// which the constants of golang.org/x/sys/windows are.
func (e Errno) Is(target error) bool {
	code, ok := target.(syscall.Errno)
	return ok && Errno(code) == e
}
