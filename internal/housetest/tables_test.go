package housetest

import (
	"path"
	"regexp"
	"strings"
	"testing"
)

// A row is a line of a Markdown table.
type row struct {
	heading string // of the section that the table is in
	line    int
	names   []string // of the columns
	cells   []string
}

// cell returns the cell of that column, "" if there is no such column.
func (r row) cell(name string) string {
	for i, n := range r.names {
		if n == name && i < len(r.cells) {
			return r.cells[i]
		}
	}
	return ""
}

// rows returns the rows of all tables of a Markdown file. A "\|" in a cell does not end it.
func rows(f file) []row {
	var all []row
	var names []string
	var top string
	lines := prose(f)
	for i, l := range lines {
		if m := heading.FindStringSubmatch(l); m != nil {
			top = m[1]
		}
		if !strings.HasPrefix(l, "|") {
			names = nil
			continue
		}
		cells := strings.Split(strings.Trim(strings.ReplaceAll(l, `\|`, "\x00"), "|"), "|")
		for j := range cells {
			cells[j] = strings.ReplaceAll(strings.TrimSpace(cells[j]), "\x00", "|")
		}
		switch {
		case names == nil:
			names = cells
		case strings.Trim(l, "|-: ") == "":
		default:
			all = append(all, row{top, i + 1, names, cells})
		}
	}
	return all
}

var (
	goTest     = regexp.MustCompile("`((?:[a-z0-9]+/)*[a-z0-9]+)\\.((?:Test|Fuzz)\\w+)(?:/([^`]+))?`")
	transcript = regexp.MustCompile("`((?:[a-z0-9]+/)*[a-z0-9]+)/testdata/([^`]+)`")
)

// checkTests reports the tests that a cell names in backquotes and that do not
// exist, and returns how many it names: "dir.TestX", "dir.FuzzX",
// "dir.TestX/sub test" where "sub test" stands in that package's tests between
// quotes, or "dir/testdata/..." for a transcript that TestTranscripts plays.
func checkTests(t *testing.T, where, cell string) int {
	t.Helper()
	n := 0
	for _, m := range goTest.FindAllStringSubmatch(cell, -1) {
		n++
		dir := m[1]
		if dir == "lessee" {
			dir = "."
		}
		var text strings.Builder
		for _, f := range tree(t) {
			if f.isTest() && path.Dir(f.path) == dir {
				text.WriteString(f.text)
			}
		}
		switch {
		case !strings.Contains(text.String(), "func "+m[2]+"(t *testing.T)") &&
			!strings.Contains(text.String(), "func "+m[2]+"(f *testing.F)"):
			t.Errorf("%s: there is no %s in %s", where, m[2], m[1])
		case m[3] != "" && !strings.Contains(text.String(), `"`+m[3]+`"`):
			t.Errorf("%s: %s.%s has no part %q", where, m[1], m[2], m[3])
		}
	}
	for _, m := range transcript.FindAllStringSubmatch(cell, -1) {
		n++
		found := false
		for _, f := range tree(t) {
			found = found || f.path == m[1]+"/testdata/"+m[2]
		}
		if !found {
			t.Errorf("%s: there is no transcript %s", where, strings.Trim(m[0], "`"))
		}
	}
	return n
}

func TestTables(t *testing.T) {
	t.Parallel()
	got := rows(file{"x.md", "# One\n|a|b|\n|---|:-:|\n| 1 | x \\| y |\n\n## Two\n```\n|no|\n```\n| c |\n|---|\n| 2 |\n"})
	if len(got) != 2 || got[0].heading != "One" || got[0].cell("b") != "x | y" || got[0].line != 4 ||
		got[1].heading != "Two" || got[1].cell("c") != "2" || got[1].cell("b") != "" {
		t.Errorf("%+v", got)
	}
}
