package housetest

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// matrixRFCs are the texts of docs/rfc-matrix.md: the number of their last
// section, or the headings of one that does not number them.
var matrixRFCs = map[string]struct {
	last     int
	headings []string
	least    int // rows, so that no table is lost unnoticed
}{
	"2131": {last: 4, least: 130},
	"2132": {last: 9, least: 15},
	"3396": {last: 7, least: 5},
	"3442": {headings: []string{"Format", "Local Subnet Routes", "DHCP Client Behavior", "Sizing"}, least: 5},
	"3927": {last: 7, least: 50},
	"4039": {last: 4, least: 6},
	"4361": {last: 6, least: 6},
	"4436": {last: 3, least: 20},
	"5227": {last: 2, least: 28},
	"6842": {last: 3, least: 2},
	"8925": {last: 4, least: 15},
}

var (
	matrixHeading = regexp.MustCompile(`^RFC (\d+): `)
	matrixLevel   = regexp.MustCompile(`^(MUST|MUST NOT|SHOULD|SHOULD NOT|MAY|NOT RECOMMENDED|must|should|may|text)$`)
	matrixSection = regexp.MustCompile(`^([1-9]\d*)(\.[1-9]\d*)*$`)
	deviationLink = regexp.MustCompile(`\[([^\]]+)\]\(deviations\.md#[^)]+\)`)
)

// TestMatrix: docs/rfc-matrix.md has a table for each RFC, no empty cell, no id
// twice, tests that exist, and the deviations that docs/deviations.md has.
func TestMatrix(t *testing.T) {
	t.Parallel()
	f := find(t, "docs/rfc-matrix.md")
	deviations := deviationRows(t)
	count := map[string]int{}
	ids := map[string]bool{}
	linked := map[string]map[string]bool{} // RFC -> titles
	for _, r := range rows(f) {
		m := matrixHeading.FindStringSubmatch(r.heading)
		if m == nil {
			continue
		}
		rfc := m[1]
		where := f.path + ":" + strconv.Itoa(r.line)
		known, ok := matrixRFCs[rfc]
		if !ok {
			t.Errorf("%s: RFC %s is not one of the matrix", where, rfc)
			continue
		}
		count[rfc]++
		if want := []string{"id", "section", "level", "the text", "status", "how, or why not", "tests"}; !slices.Equal(r.names, want) || len(r.cells) != len(want) {
			t.Errorf("%s: %d cells of columns %q, want %q", where, len(r.cells), r.names, want)
			continue
		}
		if slices.Contains(r.cells, "") {
			t.Errorf("%s: an empty cell", where)
		}
		id, section := r.cell("id"), r.cell("section")
		if ids[id] {
			t.Errorf("%s: id %s is there twice", where, id)
		}
		ids[id] = true
		checkSection(t, where, rfc, id, section, known.last, known.headings)
		if !matrixLevel.MatchString(r.cell("level")) {
			t.Errorf("%s: level %q", where, r.cell("level"))
		}
		tests := checkTests(t, where, r.cell("tests"))
		status := r.cell("status")
		if tests == 0 && status != "n/a" {
			t.Errorf("%s: %s names no test", where, id)
		}
		links := deviationLink.FindAllStringSubmatch(r.cell("how, or why not"), -1)
		switch status {
		case "done", "n/a":
			if len(links) > 0 {
				t.Errorf("%s: %s is %s and names a deviation", where, id, status)
			}
		case "deviation":
			if len(links) == 0 {
				t.Errorf("%s: %s does not say which deviation", where, id)
			}
		default:
			t.Errorf("%s: status %q", where, status)
		}
		for _, l := range links {
			if _, ok := deviations[l[1]]; !ok {
				t.Errorf("%s: docs/deviations.md has no row %q", where, l[1])
			}
			if linked[rfc] == nil {
				linked[rfc] = map[string]bool{}
			}
			linked[rfc][l[1]] = true
		}
	}
	for rfc, known := range matrixRFCs {
		if count[rfc] < known.least {
			t.Errorf("RFC %s has %d rows, want %d at least", rfc, count[rfc], known.least)
		}
	}
	for _, title := range slices.Sorted(maps.Keys(deviations)) {
		for _, rfc := range deviations[title] {
			if _, ours := matrixRFCs[rfc]; ours && !linked[rfc][title] {
				t.Errorf("deviation %q is from RFC %s, whose table does not name it", title, rfc)
			}
		}
	}
}

// checkSection checks the section's number, or heading, and that the id is made of it.
func checkSection(t *testing.T, where, rfc, id, section string, last int, headings []string) {
	t.Helper()
	want := rfc + "-" + section
	if headings != nil {
		i := slices.Index(headings, section)
		if i < 0 {
			t.Errorf("%s: RFC %s has no section %q", where, rfc, section)
			return
		}
		want = rfc + "-" + strings.ToLower(section[:strings.IndexByte(section+" ", ' ')])
	} else {
		m := matrixSection.FindStringSubmatch(section)
		if m == nil {
			t.Errorf("%s: %q is not a section's number", where, section)
			return
		}
		if n, err := strconv.Atoi(m[1]); err != nil || n > last {
			t.Errorf("%s: RFC %s has no section %s with rules for a client", where, rfc, section)
		}
	}
	number, ok := strings.CutPrefix(id, want+"-")
	if n, err := strconv.Atoi(number); !ok || err != nil || n < 1 {
		t.Errorf("%s: id %q, want %s-N", where, id, want)
	}
}
