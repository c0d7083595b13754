package text

import (
	"context"
	"io"
	"syscall"
	"testing"
)

// What is translated as the system's is what the system says, word by word.
func TestFaultsAreTheSystems(t *testing.T) {
	t.Parallel()
	real := map[string]bool{
		context.Canceled.Error(): true, context.DeadlineExceeded.Error(): true, io.ErrUnexpectedEOF.Error(): true,
	}
	for n := range syscall.Errno(134) {
		real[n.Error()] = true
	}
	for key := range frenchFaults() {
		if !real[key] {
			t.Errorf("the system does not say %q", key)
		}
	}
}
