package fault_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"

	"github.com/lessee/lessee/internal/fault"
	"github.com/lessee/lessee/reason"
)

func TestOf(t *testing.T) {
	t.Parallel()
	given := &reason.Fault{Text: "given"}
	denied := syscall.EPERM.Error()
	for _, c := range []struct {
		err  error
		want reason.Fault
	}{
		{syscall.EPERM, reason.Fault{Text: denied, Errno: uint32(syscall.EPERM)}},
		{&os.PathError{Op: "open", Path: "/x", Err: syscall.EPERM}, reason.Fault{During: "open /x", Text: denied, Errno: uint32(syscall.EPERM)}},
		{fmt.Errorf("%w (run as root)", syscall.EPERM), reason.Fault{Text: denied + " (run as root)", Errno: uint32(syscall.EPERM)}},
		{fmt.Errorf("ask: %w", context.DeadlineExceeded), reason.Fault{During: "ask", Text: "context deadline exceeded"}},
		{errors.New("trouble: much"), reason.Fault{Text: "trouble: much"}},
		{fmt.Errorf("around: %w", given), *given},
	} {
		if got := fault.Of(c.err); *got != c.want {
			t.Errorf("%v: %+v, want %+v", c.err, got, c.want)
		}
	}
	if fault.Of(nil) != nil {
		t.Error("no error has a fault")
	}
}
