package driver

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lessee/lessee"
)

// The texts of errors come with what they were made of, for clients in other
// languages and zones.
func TestTextsOfErrors(t *testing.T) {
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
		if e.Detail != "no DHCP server answered in 20s" || e.DetailFormat != "no DHCP server answered in %s" ||
			len(e.DetailArgs) != 1 || e.DetailArgs[0] != 20*time.Second {
			t.Errorf("detail %q of %q, %v", e.Detail, e.DetailFormat, e.DetailArgs)
		}
		if e.HintFormat != "the lease stays valid until %s" || len(e.HintArgs) != 1 {
			t.Fatalf("hint %q of %q, %v", e.Hint, e.HintFormat, e.HintArgs)
		}
		until, ok := e.HintArgs[0].(time.Time)
		if !ok || !strings.HasSuffix(e.Hint, until.Format(" 15:04:05")) || until.Before(time.Now()) || until.After(time.Now().Add(2*time.Hour)) {
			t.Errorf("hint %q, until %v", e.Hint, e.HintArgs[0])
		}
	})
}
