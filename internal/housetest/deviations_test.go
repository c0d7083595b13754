package housetest

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	inCode    = regexp.MustCompile(`Deviation: (.*?) in docs/deviations\.md`)
	commented = regexp.MustCompile(`\n\s*// ?`)
	quoted    = regexp.MustCompile(`"([^"]+)"`)
	plainTest = regexp.MustCompile(`\b(Test|Fuzz)\w+`)
	backquote = regexp.MustCompile("`([^`]+)`")
)

// TestDeviationsAreDocumented: each "Deviation:" in the code names rows of
// docs/deviations.md, each row is named in the code, and the tests named there exist.
func TestDeviationsAreDocumented(t *testing.T) {
	t.Parallel()
	rows := deviationRows(t)
	var tests strings.Builder
	named := map[string]string{} // title -> file
	transcripts := map[string]bool{}
	for _, f := range tree(t) {
		if _, name, ok := strings.Cut(f.path, "/testdata/"); ok {
			transcripts[strings.TrimSuffix(strings.TrimPrefix(name, "transcripts/"), ".txt")] = true
		}
		switch {
		case f.isTest():
			tests.WriteString(f.text)
		case f.isGo():
			// A comment's lines are joined, so that a title may be broken.
			for _, m := range inCode.FindAllStringSubmatch(commented.ReplaceAllString(f.text, " "), -1) {
				for _, title := range quoted.FindAllStringSubmatch(m[1], -1) {
					named[title[1]] = f.path
				}
			}
		}
	}
	for _, title := range slices.Sorted(maps.Keys(named)) {
		if _, ok := rows[title]; !ok {
			t.Errorf("%s names %q, which has no row in docs/deviations.md", named[title], title)
		}
	}
	for _, r := range deviationTable(t) {
		title, cell := r.cell("title"), r.cell("test")
		if named[title] == "" {
			t.Errorf("deviation %q is not named in the code", title)
		}
		if slices.Contains(r.cells, "") {
			t.Errorf("deviation %q has an empty cell", title)
		}
		for _, name := range plainTest.FindAllString(cell, -1) {
			if !strings.Contains(tests.String(), "func "+name+"(") {
				t.Errorf("deviation %q: there is no %s", title, name)
			}
		}
		for _, m := range backquote.FindAllStringSubmatch(cell, -1) {
			if !plainTest.MatchString(m[1]) && !transcripts[m[1]] {
				t.Errorf("deviation %q: there is no transcript %s", title, m[1])
			}
		}
	}
}

// deviationTable returns the rows of docs/deviations.md.
func deviationTable(t *testing.T) []row {
	t.Helper()
	return slices.DeleteFunc(rows(find(t, "docs/deviations.md")), func(r row) bool { return r.cell("title") == "" })
}

// deviationRows returns the titles of docs/deviations.md and the RFCs that each departs from.
func deviationRows(t *testing.T) map[string][]string {
	t.Helper()
	number := regexp.MustCompile(`RFC (\d+)`)
	all := map[string][]string{}
	for _, r := range deviationTable(t) {
		title := r.cell("title")
		from := number.FindAllStringSubmatch(r.heading+" "+r.cell("text")+" "+r.cell("section"), -1)
		if from == nil {
			t.Errorf("docs/deviations.md:%d: %q does not say which RFC it departs from", r.line, title)
			continue
		}
		if _, twice := all[title]; twice {
			t.Errorf("docs/deviations.md:%d: %q is there twice", r.line, title)
		}
		for _, m := range from {
			all[title] = append(all[title], m[1])
		}
	}
	if len(all) < 15 {
		t.Fatalf("only %d deviations are found", len(all))
	}
	return all
}
