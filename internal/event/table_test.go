package event

import (
	"regexp"
	"testing"
)

// Each row says all that it has to, and names that tell rows apart do.
func TestRowsAreWhole(t *testing.T) {
	t.Parallel()
	word := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	names, counters := map[string]bool{}, map[string]bool{"": true}
	for k, r := range All() {
		switch {
		case !word.MatchString(r.Name) || names[r.Name]:
			t.Errorf("kind %d: the name %q", k, r.Name)
		case r.Text == "":
			t.Errorf("%v has no text", k)
		case r.Stream != "" && !word.MatchString(r.Stream), r.Fact != "" && !word.MatchString(string(r.Fact)):
			t.Errorf("%v: %q, %q", k, r.Stream, r.Fact)
		case r.Counter != "" && (r.Counter != "event."+r.Name || counters[r.Counter]):
			t.Errorf("%v: the counter %q", k, r.Counter)
		case k.String() != r.Name || k.Row() != r:
			t.Errorf("%v: %+v", k, k.Row())
		}
		if _, ok := Streamed(r.Stream); r.Stream != "" && !ok {
			t.Errorf("%v: there is no event called %s", k, r.Stream)
		}
		names[r.Name], counters[r.Counter] = true, true
	}
	for _, k := range []Kind{0, kinds, 255} {
		if k.Row() != (Row{}) || k.String() != "" {
			t.Errorf("%d: %+v", k, k.Row())
		}
	}
}

func TestStreamed(t *testing.T) {
	t.Parallel()
	if r, ok := Streamed("bound"); !ok || r != Bound.Row() {
		t.Errorf("%+v, %v", r, ok)
	}
	if r, ok := Streamed("resumed"); ok {
		t.Errorf("%+v", r) // it is "bound" there
	}
}

func TestTally(t *testing.T) {
	t.Parallel()
	var tally Tally
	for _, k := range []Kind{Bound, Renewed, Renewed, Sent, 0, kinds, 255} {
		tally.Count(k)
	}
	got := map[string]uint64{}
	for name, n := range tally.All() {
		if n > 0 {
			got[name] = n
		}
	}
	if len(got) != 2 || got["event.bound"] != 1 || got["event.renewed"] != 2 {
		t.Errorf("%v", got)
	}
}
