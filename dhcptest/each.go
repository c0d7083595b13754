package dhcptest

import (
	"fmt"
	"os"
	"strconv"
	"testing"
)

// SeedVariable is the environment variable that has [Each] run one seed only,
// the one that a failure named, and write the trace of its world to the log.
const SeedVariable = "DHCPTEST_SEED"

// Each calls check with a world of its own for each of n seeds, from 0 on, as
// subtests. A failure logs one line that runs it again:
//
//	DHCPTEST_SEED=17 go test -run '^TestLossyLink$' .
func Each(t *testing.T, n uint64, check func(t *testing.T, w *World)) {
	t.Helper()
	first, traced := uint64(0), false
	if text, ok := os.LookupEnv(SeedVariable); ok {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("%s=%s: a seed is a whole number", SeedVariable, text)
		}
		first, n, traced = seed, 1, true
	}
	for seed := first; seed-first < n; seed++ {
		t.Run(strconv.FormatUint(seed, 10), func(sub *testing.T) {
			w := New(seed)
			if traced {
				w.Trace = func(line string) { sub.Log(line) }
			}
			defer func() {
				if sub.Failed() {
					sub.Log("to run it again: " + replay(t.Name(), seed))
				}
			}()
			check(sub, w)
		})
	}
}

func replay(name string, seed uint64) string {
	return fmt.Sprintf("%s=%d go test -run '^%s$' .", SeedVariable, seed, name)
}
