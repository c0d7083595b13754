package driver

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestPersistFails: a record that cannot be persisted is a problem until it can, and
// is tried again at growing intervals.
func TestPersistFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.addLink(2, "c0")
		w.diskErr = errors.New("input/output error")
		d := w.run(t)
		mustUp(t, d, "c0")
		problem := func() string {
			a, err := d.Adapter(t.Context(), "c0")
			if err != nil {
				t.Fatal(err)
			}
			return a.IPv4.Problem
		}
		time.Sleep(100 * time.Second)
		if p := problem(); !strings.Contains(p, "input/output error") {
			t.Errorf("problem %q", p)
		}
		w.mu.Lock()
		tries := len(w.persisted)
		w.diskErr = nil
		w.mu.Unlock()
		if tries < 5 || tries > 9 { // after 1, 2, 4, ... 32 s
			t.Errorf("%d attempts in 100 s", tries)
		}
		time.Sleep(2 * time.Minute)
		if p := problem(); p != "" {
			t.Errorf("problem %q when it can be written again", p)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if n := len(w.persisted); n != tries+1 {
			t.Errorf("%d attempts after it could be written", n-tries)
		}
	})
}

// TestSlowDisk: while the disk takes its time, other adapters and even this one are
// served; and of several records the latest is written.
func TestSlowDisk(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.addLink(2, "c0")
		w.addLink(3, "c1")
		w.diskDelay = 30 * time.Second
		d := w.run(t)
		mustUp(t, d, "c0")
		mustUp(t, d, "c1")
		time.Sleep(time.Second)
		began := time.Now()
		for _, name := range []string{"c1", "c0", "c1", "c0"} {
			if err := d.Renew(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("four renewals took %v", took)
		}
		time.Sleep(5 * time.Minute)
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, name := range []string{"c0", "c1"} {
			n := 0
			for _, p := range w.persisted {
				if p == name {
					n++
				}
			}
			if n < 1 || n > 2 {
				t.Errorf("%s was persisted %d times: %v", name, n, w.persisted)
			}
		}
	})
}

// TestPendingAtTheStart: what an earlier process left is persisted.
func TestPendingAtTheStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.pending = []string{"gone", "c0"}
		w.run(t)
		time.Sleep(2 * (100 * time.Millisecond))
		w.mu.Lock()
		defer w.mu.Unlock()
		if !slices.Equal(w.persisted, w.pending) {
			t.Errorf("persisted %v", w.persisted)
		}
	})
}
