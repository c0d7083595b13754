package lessee

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/words"
	"github.com/lessee/lessee/reason"
)

// An Error says what failed, on which adapter, why, and what to do about it.
// All errors of this package are of this type. Its JSON form is also the body
// of every error that the daemon answers with.
//
// Programs decide by Code, or more finely by the reason of Cause; people read
// [Error.Error]. [errors.Is] finds the contract's code in it, and whatever lies
// behind:
//
//	errors.Is(err, errno.ERROR_SEM_TIMEOUT)  // no DHCP server answered in time
//	errors.Is(err, context.Canceled)         // the context of the call was cancelled
type Error struct {
	// Op is what was tried: "list", "show", "renew", "release", "up", "down",
	// "watch", "why", "discover", "trace" or "version".
	Op string
	// Adapter is the name it was tried on; empty where no adapter is concerned.
	Adapter string
	// Code is the contract's error code, never NO_ERROR.
	Code errno.Errno
	// Cause is why, with its typed fields. Its reason is empty where Code says
	// all that is known. One that [reason.Define] does not know comes from a
	// newer daemon.
	Cause reason.Cause
	// Err is the error behind this one, such as context.Canceled or a
	// system call's; nil if there is none. It is not part of the JSON form.
	Err error

	// detail and hint are the daemon's words.
	detail, hint string
}

// Detail says in plain English what went wrong, where that is more than the text
// of Code, which it replaces in the message.
func (e *Error) Detail() string {
	if e.Cause.Complete() {
		detail, _ := English(e.Cause, e.Adapter)
		return detail
	}
	return e.detail
}

// Hint says in plain English what follows from it and what to do.
func (e *Error) Hint() string {
	if e.Cause.Complete() {
		_, hint := English(e.Cause, e.Adapter)
		return hint
	}
	return e.hint
}

// English puts a cause on an adapter into words: what is wrong, and what follows
// from it or what to do. Either may be empty; both are for a reason that is not
// known here, or without a field that it needs. Times are in the local zone.
func English(c reason.Cause, adapter string) (detail, hint string) {
	return words.Say(words.English(), adapter, &c, words.Plain)
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
	if detail := e.Detail(); detail != "" {
		b.WriteString(detail)
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
	if hint := e.Hint(); hint != "" {
		b.WriteString("; ")
		b.WriteString(hint)
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

// errorJSON is the JSON form of an Error.
type errorJSON struct {
	Code errno.Errno `json:"code"`
	// Name is the code's, for people who read the answer.
	Name    string `json:"name,omitempty"`
	Op      string `json:"op,omitempty"`
	Adapter string `json:"adapter,omitempty"`
	reason.Cause
	Detail string `json:"detail,omitempty"`
	Hint   string `json:"hint,omitempty"`
}

// MarshalJSON writes the reason and its fields beside the others, and the code's
// name, Detail and Hint, for people who read the answer and for programs that do
// not know the reason.
func (e *Error) MarshalJSON() ([]byte, error) {
	return json.Marshal(errorJSON{e.Code, e.Code.Name(), e.Op, e.Adapter, e.Cause, e.Detail(), e.Hint()})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (e *Error) UnmarshalJSON(data []byte) error {
	var f errorJSON
	if err := json.Unmarshal(data, &f); err != nil {
		return err
	}
	*e = Error{Op: f.Op, Adapter: f.Adapter, Code: f.Code, Cause: f.Cause, detail: f.Detail, hint: f.Hint}
	return nil
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

// Reason returns the reason of an [Error] inside any error, [reason.None] if
// there is none.
func Reason(err error) reason.Reason {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Cause.Reason
	}
	return reason.None
}
