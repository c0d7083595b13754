//go:build linux && cgo

// Command capi is the contract in C: built as libiphlpapi, a shared or static
// library, it has the functions of the headers in include/. `make capi` builds
// it; docs/porting.md is its guide.
//
// The functions of package iphlpapi do the work, in the caller's own memory. The
// C files have what Go cannot export: variadic functions, the last error of a
// thread, errno left alone, and an honest answer after fork.
package main

/*
#cgo CFLAGS: -std=gnu11 -Wall -Wextra -Wno-psabi -DLESSEE_LIBC_PRINTF
#include <stdlib.h>
#include "internal.h"
*/
import "C"

import (
	"errors"
	"unsafe"

	"github.com/lessee/lessee/internal/environ"
	"github.com/lessee/lessee/iphlpapi"
)

// A library is not run, but Go asks for it.
func main() {}

func init() {
	// The program may change its environment after it has loaded the library;
	// Go has a copy of what it was then.
	environ.Getenv = getenv
}

func getenv(name string) string {
	n := C.CString(name)
	defer C.free(unsafe.Pointer(n))
	return C.GoString(C.environment(n))
}

// answer carries out a call. A panic in it is the contract's "exception during
// the request": the program that called lives on.
func answer(call func() error) (code uint32) {
	defer func() {
		if recover() != nil {
			code = uint32(iphlpapi.ERROR_PROC_NOT_FOUND)
		}
	}()
	err := call()
	if err == nil {
		return 0
	}
	var e iphlpapi.Errno
	if !errors.As(err, &e) {
		return uint32(iphlpapi.ERROR_PROC_NOT_FOUND)
	}
	return uint32(e)
}

//export goGetInterfaceInfo
func goGetInterfaceInfo(table unsafe.Pointer, size *uint32) uint32 {
	return answer(func() error { return iphlpapi.GetInterfaceInfo((*iphlpapi.IpInterfaceInfo)(table), size) })
}

//export goIpReleaseAddress
func goIpReleaseAddress(adapter unsafe.Pointer) uint32 {
	return answer(func() error { return iphlpapi.IpReleaseAddress((*iphlpapi.IpAdapterIndexMap)(adapter)) })
}

//export goIpRenewAddress
func goIpRenewAddress(adapter unsafe.Pointer) uint32 {
	return answer(func() error { return iphlpapi.IpRenewAddress((*iphlpapi.IpAdapterIndexMap)(adapter)) })
}

//export goGetAdaptersInfo
func goGetAdaptersInfo(info unsafe.Pointer, size *uint32) uint32 {
	return answer(func() error { return iphlpapi.GetAdaptersInfo((*iphlpapi.IpAdapterInfo)(info), size) })
}

//export goGetPerAdapterInfo
func goGetPerAdapterInfo(index uint32, info unsafe.Pointer, size *uint32) uint32 {
	return answer(func() error {
		return iphlpapi.GetPerAdapterInfo(index, (*iphlpapi.IpPerAdapterInfo)(info), size)
	})
}

//export goGetNumberOfInterfaces
func goGetNumberOfInterfaces(number *uint32) uint32 {
	return answer(func() error { return iphlpapi.GetNumberOfInterfaces(number) })
}

//export goGetAdapterIndex
func goGetAdapterIndex(name *uint16, index *uint32) uint32 {
	return answer(func() error { return iphlpapi.GetAdapterIndex(name, index) })
}
