package system

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/lessee/lessee/iphlpapi"
)

// extras asks GetAdaptersAddresses for what users call the adapters, and more.
func extras() (map[uint32]extra, error) {
	const flags = windows.GAA_FLAG_SKIP_ANYCAST | windows.GAA_FLAG_SKIP_MULTICAST | windows.GAA_FLAG_SKIP_UNICAST | windows.GAA_FLAG_SKIP_DNS_SERVER
	size := uint32(15000) // what the documentation advises to begin with
	for {
		buf := make([]uint64, (size+7)/8)
		first := (*windows.IpAdapterAddresses)(unsafe.Pointer(&buf[0]))
		err := windows.GetAdaptersAddresses(windows.AF_INET, flags, 0, first, &size)
		switch {
		case errors.Is(err, windows.ERROR_BUFFER_OVERFLOW) && int(size) > 8*len(buf):
			continue
		case errors.Is(err, windows.ERROR_NO_DATA):
			return nil, nil
		case err != nil:
			if code, ok := errors.AsType[syscall.Errno](err); ok {
				return nil, iphlpapi.Errno(code)
			}
			return nil, err
		}
		out := make(map[uint32]extra)
		for a := first; a != nil; a = a.Next {
			out[a.IfIndex] = extra{
				name: windows.UTF16PtrToString(a.FriendlyName), mtu: int(a.Mtu),
				carrier: a.OperStatus == windows.IfOperStatusUp,
			}
		}
		return out, nil
	}
}

// sameName compares names as Windows does.
func sameName(a, b string) bool { return strings.EqualFold(a, b) }

// ipconfig runs the system's own, not a program of that name in PATH.
func ipconfig(ctx context.Context, verb, adapter string) (string, error) {
	dir, err := windows.GetSystemDirectory()
	if err != nil {
		return "", err
	}
	args := []string{verb}
	if adapter != "" {
		args = append(args, adapter)
	}
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "ipconfig.exe"), args...).CombinedOutput()
	return string(out), err
}
