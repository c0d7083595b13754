package loop

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestKeeperEnds: the end waits for the disk, but not for ever.
func TestKeeperEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		block := make(chan struct{})
		k := newKeeper(func(string) error { <-block; return nil }, func(string, error) {})
		k.add("c0")
		began := time.Now()
		k.close(persistPatience)
		if took := time.Since(began); took != persistPatience {
			t.Errorf("the end took %v", took)
		}
		k.add("c1") // too late
		close(block)
		synctest.Wait()
	})
}

// pass lets time pass, and what follows from it happen.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// TestKeeperTriesAgain: what could not be persisted is tried again, later each time, and
// each failure is reported, and the first success after them.
func TestKeeperTriesAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		full := errors.New("the disk is full")
		began := time.Now()
		var tries []time.Duration
		var reports []error
		failures := 9
		var mu sync.Mutex
		pass := func(d time.Duration) {
			mu.Unlock()
			pass(d)
			mu.Lock()
		}
		k := newKeeper(func(string) error {
			mu.Lock()
			defer mu.Unlock()
			if tries = append(tries, time.Since(began)); len(tries) <= failures {
				return full
			}
			return nil
		}, func(_ string, err error) {
			mu.Lock()
			defer mu.Unlock()
			reports = append(reports, err)
		})
		mu.Lock()
		defer mu.Unlock()
		k.add("c0")
		pass(time.Hour)
		want, at, delay := []time.Duration{persistDelay}, persistDelay, firstAgain
		for range failures {
			at += delay + persistDelay
			want, delay = append(want, at), min(2*delay, lastAgain)
		}
		if !slices.Equal(tries, want) {
			t.Errorf("tried at %v, want %v", tries, want)
		}
		if len(reports) != failures+1 || !errors.Is(reports[0], full) || reports[failures] != nil {
			t.Errorf("reports %v", reports)
		}
		// All is well again: nothing is reported, and a failure begins anew.
		k.add("c0")
		pass(time.Minute)
		if len(tries) != failures+2 || len(reports) != failures+1 {
			t.Errorf("%d tries, %d reports", len(tries), len(reports))
		}
		tries, failures, began = nil, 1, time.Now()
		k.add("c0")
		pass(time.Minute)
		if want := []time.Duration{persistDelay, 2*persistDelay + firstAgain}; !slices.Equal(tries, want) {
			t.Errorf("tried at %v, want %v", tries, want)
		}
		k.close(persistPatience)
	})
}

// TestKeeperQueue: a record that changes while it waits is persisted once, one that
// changes while it is persisted once more, and those of the end at once.
func TestKeeperQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var done []string
		var k *keeper
		var mu sync.Mutex
		pass := func(d time.Duration) {
			mu.Unlock()
			pass(d)
			mu.Lock()
		}
		k = newKeeper(func(name string) error {
			mu.Lock()
			defer mu.Unlock()
			if done = append(done, name); len(done) == 1 {
				k.add(name)
			}
			return nil
		}, func(string, error) { t.Error("something is reported") })
		mu.Lock()
		defer mu.Unlock()
		for _, name := range []string{"c0", "c1", "c0", "c1"} {
			k.add(name)
		}
		for _, step := range []struct {
			after time.Duration
			want  []string
		}{
			{persistDelay - time.Nanosecond, nil},
			{time.Nanosecond, []string{"c0", "c1"}},
			{persistDelay, []string{"c0", "c1", "c0"}},
		} {
			if pass(step.after); !slices.Equal(done, step.want) {
				t.Errorf("persisted %v, want %v", done, step.want)
			}
		}
		pass(persistDelay)
		if k.mu.Lock(); k.state != keeperIdle {
			t.Errorf("state %v", k.state)
		}
		k.mu.Unlock()
		k.add("c2")
		began := time.Now()
		mu.Unlock()
		k.close(persistPatience)
		mu.Lock()
		if took := time.Since(began); took != 0 || done[len(done)-1] != "c2" {
			t.Errorf("the end took %v, persisted %v", took, done)
		}
		k.add("c3") // too late
		if pass(time.Second); done[len(done)-1] != "c2" {
			t.Errorf("persisted %v", done)
		}
	})
}
