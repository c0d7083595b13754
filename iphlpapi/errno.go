package iphlpapi

import "github.com/lessee/lessee/errno"

// An Errno is a Windows system error code, the same on every system. Its Error
// method returns the text of the code, as [FormatMessage] does. errors.Is finds
// the constants of this package in it and those of package errno, with which
// the errors of package lessee are compared:
//
//	errors.Is(err, iphlpapi.ERROR_SEM_TIMEOUT)
//	errors.Is(err, errno.ERROR_SEM_TIMEOUT)
type Errno uint32

// The codes of the contract; package errno says what each one means.
//
//revive:disable:var-naming The names are the contract's own.
const (
	NO_ERROR                     = Errno(errno.NO_ERROR)
	ERROR_FILE_NOT_FOUND         = Errno(errno.ERROR_FILE_NOT_FOUND)
	ERROR_ACCESS_DENIED          = Errno(errno.ERROR_ACCESS_DENIED)
	ERROR_GEN_FAILURE            = Errno(errno.ERROR_GEN_FAILURE)
	ERROR_NOT_SUPPORTED          = Errno(errno.ERROR_NOT_SUPPORTED)
	ERROR_INVALID_PARAMETER      = Errno(errno.ERROR_INVALID_PARAMETER)
	ERROR_BUFFER_OVERFLOW        = Errno(errno.ERROR_BUFFER_OVERFLOW)
	ERROR_SEM_TIMEOUT            = Errno(errno.ERROR_SEM_TIMEOUT)
	ERROR_INSUFFICIENT_BUFFER    = Errno(errno.ERROR_INSUFFICIENT_BUFFER)
	ERROR_PROC_NOT_FOUND         = Errno(errno.ERROR_PROC_NOT_FOUND)
	ERROR_BUSY                   = Errno(errno.ERROR_BUSY)
	ERROR_NO_DATA                = Errno(errno.ERROR_NO_DATA)
	ERROR_NO_NETWORK             = Errno(errno.ERROR_NO_NETWORK)
	ERROR_CANCELLED              = Errno(errno.ERROR_CANCELLED)
	ERROR_ADDRESS_NOT_ASSOCIATED = Errno(errno.ERROR_ADDRESS_NOT_ASSOCIATED)
	ERROR_DHCP_ADDRESS_CONFLICT  = Errno(errno.ERROR_DHCP_ADDRESS_CONFLICT)
)

// Error returns the text of the code in the language of the user.
func (e Errno) Error() string { return FormatMessage(e, LANG_NEUTRAL) }

// Unwrap returns the same code of package errno. So errors.Is and errors.As find
// that one, too, and lessee.Code does.
func (e Errno) Unwrap() error { return errno.Errno(e) }
