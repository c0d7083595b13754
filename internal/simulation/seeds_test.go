package simulation

import (
	"flag"
	"sync"
	"sync/atomic"
	"testing"
)

var (
	seeds = flag.Uint64("seeds", 0, "how many seeds to play; 0: some")
	seed  = flag.Uint64("seed", 0, "play this seed only, and write what happens to the log")
)

func TestSeeds(t *testing.T) {
	if *seed > 0 {
		if f := Run(*seed, func(l string) { t.Log(l) }, nil); f != nil {
			t.Fatal(f)
		}
		return
	}
	n := *seeds
	if n == 0 {
		n = 500
	}
	total := Tally{}
	var mu sync.Mutex
	var next atomic.Uint64
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			tally := Tally{}
			for {
				i := next.Add(1)
				if i > n || t.Failed() {
					break
				}
				if f := Run(i, nil, tally); f != nil {
					t.Error(f)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			for k, v := range tally {
				total[k] += v
			}
		})
	}
	wg.Wait()
	if testing.Verbose() {
		for k, v := range total {
			t.Log(k, v)
		}
	}
}
