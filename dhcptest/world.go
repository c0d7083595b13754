package dhcptest

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"github.com/lessee/lessee/boottime"
)

// A World is a clock and one seed that all chance comes from: what is built and
// done in it alike happens alike. It is for one goroutine.
type World struct {
	Clock
	// Trace, where set, is told every frame that is sent, lost or delivered,
	// one line each, with the time in front.
	Trace func(line string)

	seed  uint64
	named map[string]int
}

// Epoch is the time at which a [World] begins: not zero, since no machine is
// without an uptime.
const Epoch = boottime.Instant(time.Hour)

// New returns a world.
func New(seed uint64) *World {
	w := &World{seed: seed, named: map[string]int{}}
	w.now = Epoch
	return w
}

// Seed returns what the world was made of.
func (w *World) Seed() uint64 { return w.seed }

// Rand returns a source of chance of its own for a purpose: another purpose
// that draws more or less does not change what this one draws.
func (w *World) Rand(purpose string) *rand.Rand {
	n := w.named[purpose]
	w.named[purpose]++
	h := fnv.New64a()
	fmt.Fprint(h, purpose, " ", n)
	return rand.New(rand.NewPCG(w.seed, h.Sum64())) //nolint:gosec // chance that can be repeated
}

func (w *World) trace(format string, args ...any) {
	if w.Trace != nil {
		w.Trace(w.Now().String() + " " + fmt.Sprintf(format, args...))
	}
}

// Between returns a random duration from lo to hi.
func Between(r *rand.Rand, lo, hi time.Duration) time.Duration {
	if hi <= lo {
		return lo
	}
	return lo + time.Duration(r.Int64N(int64(hi-lo)+1))
}

// Chance reports true with probability p, 0 to 1.
func Chance(r *rand.Rand, p float64) bool { return p > 0 && r.Float64() < p }
