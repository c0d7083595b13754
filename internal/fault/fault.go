// Package fault takes an error of the operating system apart: what was tried,
// the number, and what the system says.
package fault

import (
	"context"
	"errors"
	"io"
	"strings"
	"syscall"

	"github.com/lessee/lessee/reason"
)

// Of returns the fault of an error, nil for nil. What an errno, a context or the
// end of input says is apart from what stands before it, so that a program can
// show it in another language.
func Of(err error) *reason.Fault {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*reason.Fault](err); ok {
		return f
	}
	f := &reason.Fault{Text: err.Error()}
	said := ""
	if n, ok := errors.AsType[syscall.Errno](err); ok {
		f.Errno, said = uint32(n), n.Error()
	} else {
		for _, known := range [...]error{context.Canceled, context.DeadlineExceeded, io.ErrUnexpectedEOF} {
			if errors.Is(err, known) {
				said = known.Error()
			}
		}
	}
	if before, ok := strings.CutSuffix(f.Text, ": "+said); ok && said != "" {
		f.During, f.Text = before, said
	}
	return f
}
