package ipconfig

import (
	"os"
	"os/exec"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/lessee/lessee/iphlpapi"
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

// extras asks the system for the connection-specific DNS suffixes and the name
// servers, by the adapters' indices.
func extras(first *iphlpapi.IpAdapterInfo) map[int]extra {
	m := make(map[int]extra)
	suffixes := suffixes()
	for info := range first.All() {
		e := extra{suffix: suffixes[info.Index]}
		if per, err := iphlpapi.PerAdapterInfo(info.Index); err == nil {
			e.dns = per.DnsServerList.Addresses()
		}
		m[int(info.Index)] = e
	}
	return m
}

func suffixes() map[uint32]string {
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
		m := make(map[uint32]string)
		for a := first; a != nil; a = a.Next {
			m[a.IfIndex] = windows.UTF16PtrToString(a.DnsSuffix)
		}
		return m
	}
}

// isWireless: the contract's type tells.
func isWireless(string) bool { return false }
