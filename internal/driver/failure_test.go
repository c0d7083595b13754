package driver

import (
	"errors"
	"fmt"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/reason"
)

// An error has its reason and what is known of it, for clients in other
// languages and zones.
func TestReasonsOfErrors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.addLink(2, "c0")
		d := w.run(t)
		mustUp(t, d, "c0")
		synctest.Wait()
		w.mu.Lock()
		w.silent = true
		w.mu.Unlock()

		e, ok := errors.AsType[*lessee.Error](d.Renew(t.Context(), "c0"))
		if !ok {
			t.Fatal("the renewal without a server succeeded")
		}
		c := e.Cause
		if c.Reason != reason.NoServer || c.Timeout != reason.Duration(20*time.Second) || !c.Complete() {
			t.Errorf("got %v", &c)
		}
		if c.Expires.Before(time.Now()) || c.Expires.After(time.Now().Add(2*time.Hour)) {
			t.Errorf("valid until %v", c.Expires)
		}
	})
}

// Why the system refused something has the system's number.
func TestFaultsOfProblems(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.addLink(2, "c0")
		w.applyErr = fmt.Errorf("c0: set MTU: %w", syscall.EPERM)
		d := w.run(t)
		events, stop := d.Subscribe()
		defer stop()
		if err := d.Manage("c0"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		a, err := d.Adapter(t.Context(), "c0")
		if err != nil || a.IPv4.ProblemCause == nil {
			t.Fatalf("%+v, %v", a.IPv4, err)
		}
		if c := a.IPv4.ProblemCause; c.Reason != reason.KernelRefused || c.Fault.Errno != uint32(syscall.EPERM) || a.IPv4.Problem != c.Fault.Error() {
			t.Errorf("%v: %q", c, a.IPv4.Problem)
		}
		for e := range events {
			if e.Kind == lessee.EventProblem {
				if e.Cause == nil || e.Cause.Reason != reason.KernelRefused || e.Detail != e.Cause.Fault.Error() {
					t.Errorf("event %+v", e)
				}
				break
			}
		}
		s, err := d.Why(t.Context(), "c0")
		if n := len(s.Advice); err != nil || n == 0 || s.Advice[n-1].Cause == nil || s.Advice[n-1].Cause.Reason != reason.KernelRefused {
			t.Errorf("%+v, %v", s, err)
		}
	})
}
