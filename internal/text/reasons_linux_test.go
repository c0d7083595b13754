package text

import (
	"context"
	"io"
	"strings"
	"syscall"
	"testing"
)

// What is translated as the system's reason is one, word by word.
func TestReasonsAreTheSystems(t *testing.T) {
	t.Parallel()
	real := map[string]bool{
		context.Canceled.Error(): true, context.DeadlineExceeded.Error(): true, io.ErrUnexpectedEOF.Error(): true,
		// driver.ErrNoLink, driver.ErrStopped, and what the sandbox does.
		"no such network interface": true, "the DHCP client service has stopped": true, "create namespaces": true,
	}
	for n := range syscall.Errno(134) {
		real[n.Error()] = true
	}
	for key := range frenchReasons() {
		if !real[key] && !strings.HasSuffix(key, " could not be sent") && !strings.HasSuffix(key, " could not be saved") {
			t.Errorf("nobody gives the reason %q", key)
		}
	}
}
