package ipconfig

import (
	"os"
	"os/exec"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/windows"
)

// SixVerb leaves IPv6 to the system's own command: there is no function for it.
func (here) SixVerb() func(verb, pattern string) error { return systemCommand }

func systemCommand(verb, pattern string) error {
	dir, err := windows.GetSystemDirectory()
	if err != nil {
		return err
	}
	args := []string{"/" + verb}
	if pattern != "" {
		args = append(args, pattern)
	}
	cmd := exec.Command(filepath.Join(dir, "ipconfig.exe"), args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}

func hostDetails() Host { return Host{System: "Windows"} }

// suffixes asks the system for the connection-specific DNS suffixes, by the
// adapters' indices.
func suffixes() map[int]string {
	size := uint32(16 << 10)
	for {
		b := make([]uint64, (size+7)/8)
		first := (*windows.IpAdapterAddresses)(unsafe.Pointer(unsafe.SliceData(b)))
		err := windows.GetAdaptersAddresses(windows.AF_INET, 0, 0, first, &size)
		if err == windows.ERROR_BUFFER_OVERFLOW { //nolint:errorlint // It is the bare code.
			continue
		}
		if err != nil {
			return nil
		}
		m := make(map[int]string)
		for a := first; a != nil; a = a.Next {
			m[int(a.IfIndex)] = windows.UTF16PtrToString(a.DnsSuffix)
		}
		return m
	}
}

// isWireless: the contract's type tells.
func isWireless(string) bool { return false }
