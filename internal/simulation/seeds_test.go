package simulation

import (
	"flag"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

var (
	seedsFlag = flag.Uint64("seeds", 0, "how many seeds to play; 0: what LESSEE_SEEDS says, else 2000, or 300 with -short")
	seedFlag  = flag.Uint64("seed", 0, "play this seed only and write what happens to the log, with -v")
)

// number returns how many seeds are to be played.
func number(t *testing.T) uint64 {
	t.Helper()
	text, set := os.LookupEnv(SeedsVariable)
	switch {
	case *seedsFlag > 0:
		return *seedsFlag
	case set:
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil || n == 0 {
			t.Fatalf("%s=%s: it is to be a number of seeds", SeedsVariable, text)
		}
		return n
	case testing.Short():
		return 300
	}
	return 2000
}

// TestSeeds plays many lives. Each keeps all promises.
func TestSeeds(t *testing.T) {
	t.Parallel()
	if *seedFlag > 0 {
		if f := Run(*seedFlag, func(line string) { t.Log(line) }, nil); f != nil {
			t.Fatal(f)
		}
		return
	}
	n := number(t)
	total := Tally{}
	var (
		mu       sync.Mutex
		next     atomic.Uint64
		failures atomic.Int32
		wait     sync.WaitGroup
	)
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			tally := Tally{}
			for failures.Load() < 3 {
				seed := next.Add(1)
				if seed > n {
					break
				}
				if f := Run(seed, nil, tally); f != nil {
					failures.Add(1)
					t.Error(f)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			for what, times := range tally {
				total[what] += times
			}
		})
	}
	wait.Wait()
	if !t.Failed() && n >= 300 {
		full(t, total)
	}
	for what, times := range total {
		t.Log(times, what)
	}
}

// full checks that the lives were full ones: a rule that is never put to the
// test holds always.
func full(t *testing.T, total Tally) {
	t.Helper()
	for _, i := range slices.Concat(incidents, encounters) {
		if total[i.name] == 0 {
			t.Errorf("never: %s", i.name)
		}
	}
	for _, what := range tamperings {
		if total["another program: "+what.name] == 0 {
			t.Errorf("never: another program %s", what.name)
		}
	}
	for _, what := range strings.Split(strings.TrimSpace(`
state init, state selecting, state requesting, state bound, state renewing, state rebinding
state init-reboot, state rebooting, state released
sent DISCOVER, sent REQUEST, sent DECLINE, sent RELEASE, sent ARP
heard OFFER, heard ACK, heard NAK, heard FORCERENEW, heard ARP
answer renew NO_ERROR, answer renew ERROR_SEM_TIMEOUT, answer renew ERROR_NO_NETWORK, answer renew ERROR_CANCELLED
answer release NO_ERROR, answer release ERROR_ADDRESS_NOT_ASSOCIATED, answer release ERROR_NO_NETWORK
answer up NO_ERROR, answer down NO_ERROR
NAK of a lease in use, conflict, link-local, known network, crashed, settled
taken away, put back
adapter renamed, exchanged, links told anew, record astray
companion: answer renew NO_ERROR, companion: answer release NO_ERROR, companion: answer down NO_ERROR, companion settled
`), ",") {
		for line := range strings.Lines(what) {
			if line = strings.TrimSpace(line); line != "" && total[line] == 0 {
				t.Errorf("never: %s", line)
			}
		}
	}
}

// The same seed does the same.
func TestRunsAreRepeatable(t *testing.T) {
	t.Parallel()
	play := func(seed uint64) string {
		var b strings.Builder
		if f := Run(seed, func(line string) { b.WriteString(line + "\n") }, nil); f != nil {
			t.Fatal(f)
		}
		return b.String()
	}
	for seed := range uint64(20) {
		if a, b := play(seed), play(seed); a != b {
			t.Errorf("seed %d: two runs differ", seed)
		} else if len(a) < 1000 {
			t.Errorf("seed %d: next to nothing happens:\n%s", seed, a)
		}
	}
	if play(1) == play(2) {
		t.Error("two seeds do the same")
	}
}
