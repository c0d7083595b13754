package core

import (
	"testing"

	"github.com/lessee/lessee/boottime"
	"pgregory.net/rapid"
)

// A due is a timed of this test.
type due struct{ place slot }

func (d *due) slot() *slot   { return &d.place }
func (d *due) timeout(*Core) {}

// TestDeadlines sets, moves and removes deadlines at random: the first is always the
// earliest, and each one comes once.
func TestDeadlines(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var d deadlines
		all := make([]due, 12)
		want := make(map[*due]boottime.Instant)
		one := func(t *rapid.T) *due { return &all[rapid.IntRange(0, len(all)-1).Draw(t, "which")] }
		check := func(t *rapid.T) {
			at, set := d.first()
			if set != (len(want) > 0) || len(d.q) != len(want) {
				t.Fatalf("%d have a deadline, want %d", len(d.q), len(want))
			}
			for x, its := range want {
				if at.After(its) {
					t.Fatalf("the first is at %v, one is at %v", at, its)
				}
				if p := x.place; p.at != its || p.position == 0 || d.q[p.position-1] != timed(x) {
					t.Fatalf("%+v, want %v", p, its)
				}
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"": check,
			"set": func(t *rapid.T) {
				x, at := one(t), boottime.Instant(rapid.IntRange(1, 20).Draw(t, "at"))
				d.set(x, at)
				want[x] = at
			},
			"remove": func(t *rapid.T) {
				x := one(t)
				d.remove(x)
				delete(want, x)
				if x.place.position != 0 {
					t.Fatalf("a removed one has the place %d", x.place.position)
				}
			},
			"soonest": func(t *rapid.T) {
				at, set := d.first()
				if !set {
					return
				}
				x, is := d.soonest().(*due)
				if !is || want[x] != at || x.place.position != 0 {
					t.Fatalf("took %+v, the first is at %v", x, at)
				}
				delete(want, x)
			},
		})
		for len(want) > 0 {
			x, _ := d.soonest().(*due)
			delete(want, x)
		}
		check(t)
	})
}
