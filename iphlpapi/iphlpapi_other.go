//go:build !linux && !windows

package iphlpapi

func interfaceInfo(*IpInterfaceInfo, *uint32) error           { return ERROR_NOT_SUPPORTED }
func adaptersInfo(*IpAdapterInfo, *uint32) error              { return ERROR_NOT_SUPPORTED }
func perAdapterInfo(uint32, *IpPerAdapterInfo, *uint32) error { return ERROR_NOT_SUPPORTED }
func numberOfInterfaces(*uint32) error                        { return ERROR_NOT_SUPPORTED }
func adapterIndex(*IpAdapterIndexMap, *uint32) error          { return ERROR_NOT_SUPPORTED }
func release(*IpAdapterIndexMap) error                        { return ERROR_NOT_SUPPORTED }
func renew(*IpAdapterIndexMap) error                          { return ERROR_NOT_SUPPORTED }
