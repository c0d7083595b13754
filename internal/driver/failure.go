package driver

import (
	"github.com/lessee/lessee"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/fault"
	"github.com/lessee/lessee/reason"
)

func failed(op, name string, code errno.Errno, c reason.Cause) *lessee.Error {
	return &lessee.Error{Op: op, Adapter: name, Code: code, Cause: c}
}

func noAdapter(op, name string) *lessee.Error {
	return failed(op, name, errno.ERROR_FILE_NOT_FOUND, reason.Cause{Reason: reason.NoSuchAdapter})
}

func stopped(op, name string) *lessee.Error {
	return failed(op, name, errno.ERROR_PROC_NOT_FOUND, reason.Cause{Reason: reason.DaemonStopped})
}

// systemFailed is the error of a call for which the system refused something.
func systemFailed(op, name string, err error) *lessee.Error {
	e := failed(op, name, errno.ERROR_GEN_FAILURE, reason.Cause{Reason: reason.SystemFailed, Fault: fault.Of(err)})
	e.Err = err
	return e
}
