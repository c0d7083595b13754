package iphlpapi

import "github.com/lessee/lessee/errno"

// An Errno is a Windows system error code. Its Error method returns the text of
// the code, as FormatMessage does; errors.Is compares with the constants.
type Errno = errno.Errno

// The codes of the contract; package errno says what each one means.
//
//revive:disable:var-naming The names are the contract's own.
const (
	NO_ERROR                     = errno.NO_ERROR
	ERROR_FILE_NOT_FOUND         = errno.ERROR_FILE_NOT_FOUND
	ERROR_ACCESS_DENIED          = errno.ERROR_ACCESS_DENIED
	ERROR_GEN_FAILURE            = errno.ERROR_GEN_FAILURE
	ERROR_NOT_SUPPORTED          = errno.ERROR_NOT_SUPPORTED
	ERROR_INVALID_PARAMETER      = errno.ERROR_INVALID_PARAMETER
	ERROR_SEM_TIMEOUT            = errno.ERROR_SEM_TIMEOUT
	ERROR_INSUFFICIENT_BUFFER    = errno.ERROR_INSUFFICIENT_BUFFER
	ERROR_PROC_NOT_FOUND         = errno.ERROR_PROC_NOT_FOUND
	ERROR_BUSY                   = errno.ERROR_BUSY
	ERROR_NO_DATA                = errno.ERROR_NO_DATA
	ERROR_NO_NETWORK             = errno.ERROR_NO_NETWORK
	ERROR_CANCELLED              = errno.ERROR_CANCELLED
	ERROR_ADDRESS_NOT_ASSOCIATED = errno.ERROR_ADDRESS_NOT_ASSOCIATED
	ERROR_DHCP_ADDRESS_CONFLICT  = errno.ERROR_DHCP_ADDRESS_CONFLICT
)
