//go:build linux

package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/lessee/lessee/internal/tenancy"
)

// A step is one call of a store.
type step struct {
	verb    string // save, flush, remove, rename, load
	name    string
	to      string // of a rename
	durable bool   // of a save
	value   uint32 // of a save: what tells its record from others; 0 is none
	long    bool   // of a save: longer than a slot
}

func (s step) String() string {
	return fmt.Sprintf("%s %s %s value %d durable %v long %v", s.verb, s.name, s.to, s.value, s.durable, s.long)
}

func (s step) record() tenancy.Record {
	r := full(1e12)
	r.HardwareAddr = binary.BigEndian.AppendUint32([]byte{2, 0}, s.value)
	// It differs from others in its last sector too.
	r.LinkLocal = netip.AddrFrom4([4]byte{169, 254, byte(s.value >> 8), byte(s.value)})
	if s.long {
		r.Lease.Routes = slices.Repeat(r.Lease.Routes, 300)
	}
	return r
}

func valueOf(r tenancy.Record) uint32 {
	if len(r.HardwareAddr) != 6 {
		return 0
	}
	return binary.BigEndian.Uint32(r.HardwareAddr[2:])
}

// A past is what was saved under one name, oldest first: 0 is no record.
type past struct {
	values []uint32
	// sure is the place in values of what must not be lost by a power failure.
	sure int
}

func (p past) now() uint32 { return p.values[len(p.values)-1] }

// A story is what a test does to a store, and what is to be found after a crash.
type story struct {
	disk  *ledger
	steps []step
	store *Store
}

func (st *story) open() {
	st.store = newStore("", st.disk, newMachine().clock())
	st.store.beside = func(f func()) { f() }
}

// run makes the calls; false if the disk crashed in one of them.
func (st *story) run(t *testing.T, steps []step) (survived bool) {
	t.Helper()
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(crashed); !ok {
				panic(r)
			}
		}
	}()
	for _, s := range steps {
		st.steps = append(st.steps, s)
		call := len(st.steps) - 1
		st.disk.do(operation{kind: opCallBegan, call: call})
		var err error
		switch s.verb {
		case "save":
			err = st.store.Save(s.name, s.record(), s.durable)
		case "flush":
			err = st.store.Flush(s.name)
		case "remove":
			err = st.store.Remove(s.name)
		case "rename":
			err = st.store.Rename(s.name, s.to)
		case "load":
			_, _, err = st.store.Load(s.name)
		}
		if err != nil {
			t.Fatalf("%v: %v", s, err)
		}
		st.disk.do(operation{kind: opCallEnded, call: call})
	}
	return true
}

// pasts follows the calls that began within the first n operations, from the
// given pasts on. The one under way, if any, is returned beside them.
func (st *story) pasts(from map[string]past, n int) (map[string]past, *step) {
	p := map[string]past{}
	for name, v := range from {
		p[name] = past{slices.Clone(v.values), v.sure}
	}
	add := func(name string, value uint32, sure bool) {
		v := p[name]
		v.values = append(slices.Clone(v.values), value)
		if sure {
			v.sure = len(v.values) - 1
		}
		p[name] = v
	}
	var under *step
	for _, o := range st.disk.ops[:n] {
		switch o.kind {
		case opCallBegan:
			under = &st.steps[o.call]
		case opCallEnded:
			s := st.steps[o.call]
			under = nil
			switch s.verb {
			case "save":
				add(s.name, s.value, s.durable)
			case "flush":
				add(s.name, p[s.name].now(), true)
			case "remove":
				add(s.name, 0, true)
			case "rename":
				if v := p[s.name].now(); v != 0 {
					add(s.to, v, true)
					add(s.name, 0, true)
				}
			}
		default:
		}
	}
	return p, under
}

// check loads from what a crash left and compares it with what may be there.
func check(left *ledger, p map[string]past, under *step, power bool) (map[string]uint32, error) {
	s := newStore("", left, newMachine().clock())
	s.beside = func(func()) {} // it only looks
	found := map[string]uint32{}
	for name, v := range p {
		may := v.values[len(v.values)-1:]
		if power {
			may = v.values[v.sure:]
		}
		may = slices.Clone(may)
		if under != nil {
			switch {
			case under.verb == "save" && under.name == name:
				may = append(may, under.value)
			case under.verb == "remove" && under.name == name, under.verb == "rename" && under.name == name:
				may = append(may, 0)
			case under.verb == "rename" && under.to == name:
				// What a power failure may leave of the other, it may leave here.
				may = append(may, p[under.name].values...)
			}
		}
		r, ok, err := s.Load(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if ok {
			found[name] = valueOf(r)
		} else {
			found[name] = 0
		}
		if !slices.Contains(may, found[name]) {
			return nil, fmt.Errorf("%s: found record %d, may be %v", name, found[name], may)
		}
		names, _ := s.Names()
		if ok != slices.Contains(names, name) && ok {
			return nil, fmt.Errorf("%s: its record is not listed: %v", name, names)
		}
	}
	if under != nil && under.verb == "rename" && p[under.name].now() != 0 && !power &&
		found[under.name] != p[under.name].now() && found[under.to] != p[under.name].now() {
		return nil, errors.New("the record is under neither name")
	}
	return found, nil
}

func beginning() map[string]past {
	return map[string]past{"a": {values: []uint32{0}}, "b": {values: []uint32{0}}}
}

// prefixes crashes after each operation in all the ways the ledger knows, some
// of them by chance, and returns the first that goes wrong.
func (st *story) prefixes(r *rand.Rand, draws int) error {
	for n := range len(st.disk.ops) + 1 {
		p, under := st.pasts(beginning(), n)
		fail := func(how string, err error) error {
			return fmt.Errorf("%s after %d operations, in %v: %w", how, n, under, err)
		}
		for _, torn := range []bool{false, true} {
			if _, err := check(st.disk.killed(n, torn), p, under, false); err != nil && !(torn && under == nil) {
				return fail("killed", err)
			}
		}
		choices := []choice{all, none}
		for range draws {
			choices = append(choices, some(r))
		}
		for _, c := range choices {
			if _, err := check(st.disk.failed(n, c), p, under, true); err != nil {
				return fail("power failure", err)
			}
		}
	}
	return nil
}

func randomSteps(r *rand.Rand, n int, next *uint32) []step {
	steps := make([]step, 0, n)
	for range n {
		s := step{name: string("ab"[r.IntN(2)])}
		switch k := r.IntN(20); {
		case k < 13:
			*next++
			s.verb, s.value, s.durable, s.long = "save", *next, r.IntN(2) == 0, r.IntN(12) == 0
		case k < 16:
			s.verb = "flush"
		case k < 17:
			s.verb = "remove"
		case k < 18:
			s.verb, s.to = "rename", string("ba"[strings.Index("ab", s.name)])
		default:
			s.verb = "load"
		}
		steps = append(steps, s)
	}
	return steps
}

// TestCrashAfterEveryOperation checks "saved before used": whatever a crash
// leaves of a series of calls, a record that was saved durably is not lost to
// an older one, and one that was removed does not come back.
func TestCrashAfterEveryOperation(t *testing.T) {
	t.Parallel()
	seeds, draws := 15, 4
	if testing.Short() {
		seeds = 4
	}
	for seed := range uint64(seeds) {
		r := rand.New(rand.NewPCG(seed, 1))
		st := &story{disk: newLedger()}
		st.open()
		var next uint32
		st.run(t, randomSteps(r, 8, &next))
		if err := st.prefixes(r, draws); err != nil {
			t.Fatalf("seed %d: %v\n%v", seed, err, st.steps)
		}
	}
}

// TestCrashAfterCrash goes on after each of many crashes.
func TestCrashAfterCrash(t *testing.T) {
	t.Parallel()
	seeds := 120
	if testing.Short() {
		seeds = 25
	}
	for seed := range uint64(seeds) {
		r := rand.New(rand.NewPCG(seed, 2))
		st := &story{disk: newLedger()}
		var next uint32
		was := beginning()
		for range 12 {
			st.open()
			st.disk.crashAt = len(st.disk.ops) + r.IntN(60)
			st.run(t, randomSteps(r, 1+r.IntN(8), &next))
			n := len(st.disk.ops)
			p, under := st.pasts(was, n)
			power := r.IntN(2) == 0
			var left *ledger
			if power {
				left = st.disk.failed(n, some(r))
			} else {
				left = st.disk.killed(n, r.IntN(2) == 0 && under != nil)
			}
			if power {
				left = left.settled()
			}
			found, err := check(left.settled(), p, under, power)
			if err != nil {
				t.Fatalf("seed %d: %v\n%v", seed, err, st.steps)
			}
			if !power {
				// What was not flushed is still not: the next process goes on there.
				st.disk.crashAt = -1
				left = st.disk
				if under != nil {
					left = left.killed(n, false).settled()
					if found, err = check(left.settled(), p, under, power); err != nil {
						t.Fatalf("seed %d: %v\n%v", seed, err, st.steps)
					}
				}
			}
			if left != st.disk {
				was = map[string]past{}
				for name, v := range found {
					was[name] = past{values: []uint32{v}}
				}
				st.disk, st.steps = left, nil
			}
		}
	}
}

// TestCrashesAreFound plants defects in the disk: without them the store would
// not be what the tests above say.
func TestCrashesAreFound(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(operation) operation{
		"a slot is not flushed": func(o operation) operation {
			if o.kind == opFlush && strings.HasSuffix(o.name, aheadSuffix) {
				o.kind = opNothing
			}
			return o
		},
		"a new file is not flushed": func(o operation) operation {
			if o.kind == opFlush && o.name == "" {
				o.kind = opNothing
			}
			return o
		},
		"names are not flushed": func(o operation) operation {
			if o.kind == opSync {
				o.kind = opNothing
			}
			return o
		},
		"there is one slot only": func(o operation) operation {
			if o.kind == opWrite && o.at > 0 {
				o.at = 0
			}
			return o
		},
		"a removal is not written down": func(o operation) operation {
			if o.kind == opWrite && len(o.data) == slotHeader && o.data[0] != 0 {
				o.kind = opNothing
			}
			return o
		},
		"a file is removed before it is replaced": func(o operation) operation {
			if o.kind == opRename {
				o.kind = opRemove
			}
			return o
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(60) {
				r := rand.New(rand.NewPCG(seed, 1))
				st := &story{disk: newLedger()}
				st.disk.fault = fault
				st.open()
				var next uint32
				st.run(t, randomSteps(r, 8, &next))
				if st.prefixes(r, 4) != nil {
					return
				}
			}
			t.Error("nothing was found")
		})
	}
}
