package housetest

import (
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var (
	painName   = regexp.MustCompile(`func (TestPain_\w+)\(t \*testing\.T\)`)
	painNumber = regexp.MustCompile(`\d+`)
)

// TestPains: every promise of docs/pains.md has its tests, whose names say which
// report they answer, and every test of that kind is named there.
func TestPains(t *testing.T) {
	t.Parallel()
	f := find(t, "docs/pains.md")
	promises, later := 0, 0
	for _, r := range rows(f) {
		where := f.path + ":" + strconv.Itoa(r.line)
		for _, c := range r.cells {
			if c == "" {
				t.Errorf("%s: an empty cell", where)
			}
		}
		if r.heading == "For later" {
			later++
			continue
		}
		promises++
		cell := r.cell("tests")
		if checkTests(t, where, cell) == 0 {
			t.Errorf("%s: no test keeps this promise", where)
		}
		named := false
		for _, m := range regexp.MustCompile(`TestPain_[A-Za-z0-9]+(?:_\d+)*`).FindAllString(cell, -1) {
			named = named || answers(m, r.cell("where"))
		}
		if !named {
			t.Errorf("%s: no test is named after %s", where, r.cell("where"))
		}
		for _, span := range codeSpan.FindAllString(cell, -1) {
			if !strings.Contains(span, ".TestPain_") {
				t.Errorf("%s: %s is not named after a report", where, span)
			}
		}
	}
	if promises < 31 || later == 0 {
		t.Errorf("%d promises and %d for later were read", promises, later)
	}
	for _, test := range tree(t) {
		if !test.isTest() {
			continue
		}
		for _, m := range painName.FindAllStringSubmatch(test.text, -1) {
			if name := path.Dir(test.path) + "." + m[1]; !strings.Contains(f.text, "`"+name+"`") {
				t.Errorf("docs/pains.md does not name %s", name)
			}
		}
	}
}

// answers reports whether a test's name says one of the reports: the project and
// the number, or the project where there is no number.
func answers(test, where string) bool {
	words := strings.ReplaceAll(strings.TrimPrefix(test, "TestPain_"), "_", "")
	project := ""
	for report := range strings.SplitSeq(where, ", ") {
		name, number, ok := strings.Cut(report, "#")
		if name != "" {
			project = name
		}
		if !ok {
			name = strings.Fields(report)[0]
			number = strings.Join(painNumber.FindAllString(name, -1), "")
			project = strings.TrimRight(name, "-0123456789")
		}
		if words == strings.NewReplacer("-", "", ".", "").Replace(project)+number {
			return true
		}
	}
	return false
}
