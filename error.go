package lessee

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/lessee/lessee/errno"
)

// An Error says what failed, on which adapter, why, and what to do about it.
// All errors of this package are of this type. Its JSON form is also the body
// of every error that the daemon answers with.
//
// [errors.Is] finds the contract's code in it, and whatever lies behind:
//
//	errors.Is(err, errno.ERROR_SEM_TIMEOUT)  // no DHCP server answered in time
//	errors.Is(err, context.Canceled)         // the context of the call was cancelled
type Error struct {
	// Op is what was tried: "list", "show", "renew", "release", "up", "down",
	// "watch", "why", "discover", "trace" or "version".
	Op string `json:"op,omitempty"`
	// Adapter is the name it was tried on; empty where no adapter is concerned.
	Adapter string `json:"adapter,omitempty"`
	// Code is the contract's error code, never NO_ERROR.
	Code errno.Errno `json:"code"`
	// Detail says in plain words what went wrong, where that is more than the
	// text of Code, which it replaces in the message.
	Detail string `json:"detail,omitempty"`
	// Hint says what follows from it and what to do.
	Hint string `json:"hint,omitempty"`

	// DetailFormat and DetailArgs, HintFormat and HintArgs are what Detail and
	// Hint, which are in English, were made of: a format of package fmt and its
	// arguments, for programs that show them in another language. They are absent
	// where the text has no arguments: it is its own format then.
	// See [Error.SetDetail].
	DetailFormat string `json:"detail_format,omitempty"`
	DetailArgs   Args   `json:"detail_args,omitempty"`
	HintFormat   string `json:"hint_format,omitempty"`
	HintArgs     Args   `json:"hint_args,omitempty"`

	// Err is the error behind this one, such as context.Canceled or a
	// system call's; nil if there is none. It is not part of the JSON form.
	Err error `json:"-"`
}

// Error returns the message:
//
//	eth0: renew: no DHCP server answered in 20s (ERROR_SEM_TIMEOUT 121); the lease stays valid until 14:02
func (e *Error) Error() string {
	var b strings.Builder
	for _, s := range [...]string{e.Adapter, e.Op} {
		if s != "" {
			b.WriteString(s)
			b.WriteString(": ")
		}
	}
	if e.Detail != "" {
		b.WriteString(e.Detail)
	} else {
		b.WriteString(e.Code.Error())
	}
	number := strconv.FormatUint(uint64(e.Code), 10)
	b.WriteString(" (")
	if name := e.Code.Name(); name != number {
		b.WriteString(name)
		b.WriteByte(' ')
	}
	b.WriteString(number)
	b.WriteByte(')')
	if e.Hint != "" {
		b.WriteString("; ")
		b.WriteString(e.Hint)
	}
	return b.String()
}

// Unwrap returns Code and, if there is one, Err.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Code}
	}
	return []error{e.Code, e.Err}
}

// MarshalJSON adds the code's name to the fields, as "name", for people who
// read the answer.
func (e *Error) MarshalJSON() ([]byte, error) {
	type fields Error
	return json.Marshal(struct {
		Code errno.Errno `json:"code"`
		Name string      `json:"name"`
		*fields
	}{e.Code, e.Code.Name(), (*fields)(e)})
}

// Code returns the contract's code of any error: the one of an [Error] or an
// [errno.Errno] inside it, NO_ERROR for nil, and ERROR_PROC_NOT_FOUND, "the
// DHCP service could not be asked", for an error that has none.
func Code(err error) errno.Errno {
	if err == nil {
		return errno.NO_ERROR
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	if e, ok := errors.AsType[errno.Errno](err); ok {
		return e
	}
	return errno.ERROR_PROC_NOT_FOUND
}
