//go:build !linux

package iphlpapi

func adapters() ([]adapter, error) { return nil, ERROR_NOT_SUPPORTED }
func release(string) error         { return ERROR_NOT_SUPPORTED }
func renew(string) error           { return ERROR_NOT_SUPPORTED }
