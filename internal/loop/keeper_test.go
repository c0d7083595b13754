package loop

import (
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
