// Package errno has the error codes of the contract "list, release, renew":
// the numbers and names of the Windows system error codes that every face of
// lessee (Go, C, command line, control API) uses alike.
package errno

import "strconv"

// An Errno is a Windows system error code. It is an error whose text says in
// plain words what went wrong; errors.Is finds it inside the errors of package
// lessee:
//
//	if errors.Is(err, errno.ERROR_SEM_TIMEOUT) { … }
//
// NO_ERROR (0) is never returned as an error.
type Errno uint32

// The codes of the contract, with their Windows names.
//
//revive:disable:var-naming The names are the contract's own.
const (
	NO_ERROR                     Errno = 0
	ERROR_FILE_NOT_FOUND         Errno = 2    // no such adapter, or nobody manages it by DHCP
	ERROR_ACCESS_DENIED          Errno = 5    // the caller may not do it
	ERROR_GEN_FAILURE            Errno = 31   // the system refused the change
	ERROR_NOT_SUPPORTED          Errno = 50   // not on this system, or the adapter's manager has no way to do it
	ERROR_INVALID_PARAMETER      Errno = 87   // a parameter is not valid
	ERROR_BUFFER_OVERFLOW        Errno = 111  // the buffer for the adapters' data is too small; the size needed has been stored
	ERROR_SEM_TIMEOUT            Errno = 121  // no server answered in time
	ERROR_INSUFFICIENT_BUFFER    Errno = 122  // the buffer is too small; the size needed has been stored
	ERROR_PROC_NOT_FOUND         Errno = 127  // the DHCP service could not be asked
	ERROR_BUSY                   Errno = 170  // another DHCP client manages the adapter
	ERROR_NO_DATA                Errno = 232  // no adapter is enabled for IPv4
	ERROR_NO_NETWORK             Errno = 1222 // the adapter is down or has no carrier
	ERROR_CANCELLED              Errno = 1223 // the caller gave up; the exchange goes on
	ERROR_ADDRESS_NOT_ASSOCIATED Errno = 1228 // there is no lease to release
	ERROR_DHCP_ADDRESS_CONFLICT  Errno = 4100 // the address offered is in use by another host
)

type entry struct {
	code       Errno
	name, text string
}

// table is a list, which the linker lays out: a map would be built at every start.
var table = [...]entry{
	{NO_ERROR, "NO_ERROR", "the operation succeeded"},
	{ERROR_FILE_NOT_FOUND, "ERROR_FILE_NOT_FOUND", "no such adapter, or it is not managed by DHCP"},
	{ERROR_ACCESS_DENIED, "ERROR_ACCESS_DENIED", "permission denied"},
	{ERROR_GEN_FAILURE, "ERROR_GEN_FAILURE", "the system refused the change"},
	{ERROR_NOT_SUPPORTED, "ERROR_NOT_SUPPORTED", "not supported here"},
	{ERROR_INVALID_PARAMETER, "ERROR_INVALID_PARAMETER", "a parameter is not valid"},
	{ERROR_BUFFER_OVERFLOW, "ERROR_BUFFER_OVERFLOW", "the buffer is too small for the adapters' data"},
	{ERROR_SEM_TIMEOUT, "ERROR_SEM_TIMEOUT", "no DHCP server answered in time"},
	{ERROR_INSUFFICIENT_BUFFER, "ERROR_INSUFFICIENT_BUFFER", "the buffer is too small"},
	{ERROR_PROC_NOT_FOUND, "ERROR_PROC_NOT_FOUND", "the DHCP client service could not be asked"},
	{ERROR_BUSY, "ERROR_BUSY", "another DHCP client manages the adapter"},
	{ERROR_NO_DATA, "ERROR_NO_DATA", "no network adapter is enabled for IPv4"},
	{ERROR_NO_NETWORK, "ERROR_NO_NETWORK", "the adapter is down or has no carrier"},
	{ERROR_CANCELLED, "ERROR_CANCELLED", "the caller gave up; the operation goes on"},
	{ERROR_ADDRESS_NOT_ASSOCIATED, "ERROR_ADDRESS_NOT_ASSOCIATED", "the adapter has no lease"},
	{ERROR_DHCP_ADDRESS_CONFLICT, "ERROR_DHCP_ADDRESS_CONFLICT", "the offered address is in use by another host"},
}

func (e Errno) entry() (entry, bool) {
	for _, t := range table {
		if t.code == e {
			return t, true
		}
	}
	return entry{}, false
}

// Error returns the text of the code.
func (e Errno) Error() string {
	if t, ok := e.entry(); ok {
		return t.text
	}
	return "system error " + strconv.FormatUint(uint64(e), 10)
}

// Name returns the symbolic name, such as "ERROR_SEM_TIMEOUT", or the number
// where the contract has no name for it.
func (e Errno) Name() string {
	if t, ok := e.entry(); ok {
		return t.name
	}
	return strconv.FormatUint(uint64(e), 10)
}
