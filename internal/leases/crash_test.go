//go:build linux

package leases

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/lessee/lessee/internal/leases/leasestest"
	"github.com/lessee/lessee/internal/tenancy/v4"
)

// A life is a store and what it must remember of one adapter.
type life struct {
	m          *machine
	left       int
	run, state *leasestest.Memory
	store      *Store
	// now is what a process finds that starts; under is what it may find as well,
	// while a call is under way. persisted is what a power failure must not lose
	// to anything older. 0 is no record.
	now, under, persisted int
	saved                 []int
}

func newLife() *life {
	l := &life{m: newMachine(), left: -1}
	l.run, l.state = leasestest.New(&l.left), leasestest.New(&l.left)
	l.saved = []int{0}
	l.start()
	return l
}

func (l *life) start() {
	l.left = -1
	l.store = OpenOn(l.run, l.state, l.m.clock())
}

const eth0 = "eth0"

// step makes a random call.
func (l *life) step(r *rand.Rand) (err error) {
	l.m.pass(1)
	l.under = l.now
	defer func() {
		if p := recover(); p != nil {
			if p != leasestest.ErrKilled { //nolint:errorlint // it is what op panics with
				panic(p)
			}
			err = leasestest.ErrKilled
		}
	}()
	switch r.IntN(6) {
	case 0, 1, 2:
		n := len(l.saved)
		l.saved = append(l.saved, n)
		l.under = n
		err = l.store.Save(eth0, v4.Record{HardwareAddr: binary.BigEndian.AppendUint32(nil, uint32(n))})
		l.now = n
	case 3:
		l.under = 0
		err = l.store.Remove(eth0)
		l.now = 0
		l.saved = append(l.saved, 0)
	default:
		err = l.store.Persist(eth0)
		if err == nil {
			l.persisted = len(l.saved) - 1
		}
	}
	return err
}

// found returns what the store has.
func (l *life) found() (int, error) {
	r, ok, err := l.store.Load(eth0)
	if !ok {
		return 0, err
	}
	return int(binary.BigEndian.Uint32(r.HardwareAddr)), err
}

// play lets random calls happen, processes die in them and the power fail.
func play(seed uint64, defect func(*life)) error {
	r := rand.New(rand.NewPCG(seed, 1))
	l := newLife()
	defect(l)
	for range 40 {
		l.left = r.IntN(12)
		if err := l.step(r); err != nil && !errors.Is(err, leasestest.ErrKilled) {
			return err
		}
		power := r.IntN(4) == 0
		if power {
			l.m.reboot(1)
			l.run.Clear()
			l.state.PowerFails(r)
		}
		l.start()
		got, err := l.found()
		if err != nil {
			return fmt.Errorf("after a crash, power failure %v: %w", power, err)
		}
		if power {
			// Nothing older than what was persisted; 0 where that was removed.
			if !slices.Contains(l.saved[l.persisted:], got) {
				return fmt.Errorf("a power failure left %d; persisted was %v", got, l.saved[l.persisted:])
			}
			l.saved, l.persisted = append(l.saved, got), len(l.saved)
		} else if got != l.now && got != l.under {
			return fmt.Errorf("a crash left %d; it was %d or %d", got, l.now, l.under)
		}
		l.now = got
		if !power && got != l.saved[len(l.saved)-1] {
			l.saved = append(l.saved, got)
		}
	}
	return nil
}

// TestCrashes: whatever a process that dies leaves, the next one finds the record
// that was saved last; and after a power failure none older than the one that was
// persisted last.
func TestCrashes(t *testing.T) {
	t.Parallel()
	seeds := uint64(3000)
	if testing.Short() {
		seeds = 500
	}
	for seed := range seeds {
		if err := play(seed, func(*life) {}); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// TestCrashesAreFound: without each of these operations the tests above fail.
func TestCrashesAreFound(t *testing.T) {
	t.Parallel()
	for name, defect := range map[string]func(*life){
		"the second copy is not flushed": func(l *life) { l.state.Skip = "flush" },
		"names are not flushed":          func(l *life) { l.state.Skip = "sync" },
		"the second copy is not removed": func(l *life) { l.state.Skip = "remove" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(500) {
				if play(seed, defect) != nil {
					return
				}
			}
			t.Error("nothing was found")
		})
	}
}

// TestUnwritten: a store has what it saved last, though there was no room for it.
func TestUnwritten(t *testing.T) {
	t.Parallel()
	l := newLife()
	want := func(what string, n byte, there bool) {
		t.Helper()
		r, ok, err := l.store.Load(eth0)
		if ok != there || err != nil || there && r.HardwareAddr[0] != n {
			t.Errorf("%s: %v, %v, %v", what, r, ok, err)
		}
	}
	save := func(n byte) error { return l.store.Save(eth0, v4.Record{HardwareAddr: []byte{n}}) }
	if err := save(1); err != nil {
		t.Fatal(err)
	}
	full := errors.New("no space left on device")
	l.run.Full = full
	if err := save(2); !errors.Is(err, full) {
		t.Errorf("a full disk: %v", err)
	}
	want("not written", 2, true)
	if err := l.store.Remove(eth0); !errors.Is(err, full) {
		t.Errorf("a full disk: %v", err)
	}
	want("not removed", 0, false)
	l.run.Full = nil
	if err := save(3); err != nil {
		t.Fatal(err)
	}
	want("written", 3, true)
}
