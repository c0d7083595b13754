package housetest

import (
	"path"
	"regexp"
	"slices"
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
	goTest     = regexp.MustCompile(`^((?:[a-z0-9]+/)*[a-z0-9]+)\.((?:Test|Fuzz)\w+)(?:/(.+))?$`)
	transcript = regexp.MustCompile(`^((?:[a-z0-9]+/)*[a-z0-9]+)/([\w.-]+)$`)
)

// checkTests reports the tests that a cell names in backquotes and that do not
// exist, and returns how many it names: "dir.TestX", "dir.FuzzX",
// "dir.TestX/part" where the part stands in that package's tests between
// quotes or is a command of the script that it plays, or "dir/transcript".
func checkTests(t *testing.T, where, cell string) int {
	t.Helper()
	n := 0
	for _, span := range codeSpan.FindAllString(cell, -1) {
		name := strings.Trim(span, "`")
		if m := goTest.FindStringSubmatch(name); m != nil {
			checkGoTest(t, where, m[1], m[2], m[3])
		} else if m := transcript.FindStringSubmatch(name); m == nil || !hasTranscript(t, m[1], m[2]) {
			t.Errorf("%s: there is no transcript %s", where, name)
		}
		n++
	}
	return n
}

func checkGoTest(t *testing.T, where, dir, name, part string) {
	t.Helper()
	if dir == "lessee" {
		dir = "."
	}
	found, hasPart := false, part == ""
	for _, f := range tree(t) {
		switch {
		case f.isTest() && path.Dir(f.path) == dir:
			found = found || strings.Contains(f.text, "func "+name+"(t *testing.T)") || strings.Contains(f.text, "func "+name+"(f *testing.F)")
			hasPart = hasPart || strings.Contains(f.text, `"`+part+`"`)
		case strings.HasPrefix(f.path, dir+"/testdata/"):
			hasPart = hasPart || slices.Contains(f.lines(), part)
		}
	}
	if !found {
		t.Errorf("%s: there is no %s in %s", where, name, dir)
	}
	if !hasPart {
		t.Errorf("%s: %s.%s has no part %q", where, dir, name, part)
	}
}

func hasTranscript(t *testing.T, dir, name string) bool {
	t.Helper()
	for _, f := range tree(t) {
		for _, at := range []string{"/testdata/transcripts/" + name, "/testdata/" + name, "/testdata/" + name + ".txt"} {
			if f.path == dir+at {
				return true
			}
		}
	}
	return false
}

func TestTables(t *testing.T) {
	t.Parallel()
	got := rows(file{"x.md", "# One\n|a|b|\n|---|:-:|\n| 1 | x \\| y |\n\n## Two\n```\n|no|\n```\n| c |\n|---|\n| 2 |\n"})
	if len(got) != 2 || got[0].heading != "One" || got[0].cell("b") != "x | y" || got[0].line != 4 ||
		got[1].heading != "Two" || got[1].cell("c") != "2" || got[1].cell("b") != "" {
		t.Errorf("%+v", got)
	}
}
