package iphlpapi

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// The system's own implementation of the contract.
var (
	dll                    = windows.NewLazySystemDLL("iphlpapi.dll")
	procGetInterfaceInfo   = dll.NewProc("GetInterfaceInfo")
	procIpReleaseAddress   = dll.NewProc("IpReleaseAddress")
	procIpRenewAddress     = dll.NewProc("IpRenewAddress")
	procGetAdaptersInfo    = dll.NewProc("GetAdaptersInfo")
	procGetPerAdapterInfo  = dll.NewProc("GetPerAdapterInfo")
	procNumberOfInterfaces = dll.NewProc("GetNumberOfInterfaces")
	procGetAdapterIndex    = dll.NewProc("GetAdapterIndex")
)

// call makes the call and returns its code as an error, nil for NO_ERROR. A
// system without the function does not support it. The directive keeps what the
// arguments point to alive, and in place, during the call.
//
//go:uintptrescapes
func call(p *windows.LazyProc, args ...uintptr) error {
	if p.Find() != nil {
		return ERROR_NOT_SUPPORTED
	}
	if r, _, _ := p.Call(args...); Errno(r) != NO_ERROR {
		return Errno(r)
	}
	return nil
}

func interfaceInfo(table *IpInterfaceInfo, size *uint32) error {
	return call(procGetInterfaceInfo, uintptr(unsafe.Pointer(table)), uintptr(unsafe.Pointer(size)))
}

func release(a *IpAdapterIndexMap) error {
	return call(procIpReleaseAddress, uintptr(unsafe.Pointer(a)))
}

func renew(a *IpAdapterIndexMap) error { return call(procIpRenewAddress, uintptr(unsafe.Pointer(a))) }

func adaptersInfo(info *IpAdapterInfo, size *uint32) error {
	return call(procGetAdaptersInfo, uintptr(unsafe.Pointer(info)), uintptr(unsafe.Pointer(size)))
}

func perAdapterInfo(index uint32, info *IpPerAdapterInfo, size *uint32) error {
	return call(procGetPerAdapterInfo, uintptr(index), uintptr(unsafe.Pointer(info)), uintptr(unsafe.Pointer(size)))
}

func numberOfInterfaces(number *uint32) error {
	return call(procNumberOfInterfaces, uintptr(unsafe.Pointer(number)))
}

func adapterIndex(m *IpAdapterIndexMap, index *uint32) error {
	return call(procGetAdapterIndex, uintptr(unsafe.Pointer(&m.Name[0])), uintptr(unsafe.Pointer(index)))
}
