package dhcp4

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestDeviationsAreDocumented: each "Deviation:" in the code names rows of
// docs/deviations.md, each row is named in the code, and the tests named there exist.
func TestDeviationsAreDocumented(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../docs/deviations.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{} // title -> last column
	for line := range strings.Lines(string(doc)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) < 8 {
			continue
		}
		if title := strings.TrimSpace(cells[1]); title != "title" && !strings.HasPrefix(title, "--") {
			rows[title] = cells[len(cells)-2]
		}
	}
	if len(rows) < 15 {
		t.Fatalf("only %d rows are found", len(rows))
	}
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	for _, name := range sources {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		code.Write(text)
	}
	// A comment's lines are joined, so that a title may be broken.
	joined := regexp.MustCompile(`\n\s*// `).ReplaceAllString(code.String(), " ")
	named := map[string]bool{}
	for _, m := range regexp.MustCompile(`Deviation: ([^.\n]*) in docs/deviations\.md`).FindAllStringSubmatch(joined, -1) {
		for _, title := range regexp.MustCompile(`"([^"]+)"`).FindAllStringSubmatch(m[1], -1) {
			named[title[1]] = true
		}
	}
	for _, title := range slices.Sorted(maps.Keys(named)) {
		if _, ok := rows[title]; !ok {
			t.Errorf("the code names %q, which has no row", title)
		}
	}
	for _, title := range slices.Sorted(maps.Keys(rows)) {
		if !named[title] {
			t.Errorf("row %q is not named in the code", title)
		}
		if strings.TrimSpace(rows[title]) == "" {
			t.Errorf("row %q names no test", title)
		}
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(rows[title], -1) {
			if _, err := os.Stat(filepath.Join("testdata/transcripts", m[1])); err != nil {
				t.Errorf("row %q: %v", title, err)
			}
		}
		for _, name := range regexp.MustCompile(`Test\w+`).FindAllString(rows[title], -1) {
			if !strings.Contains(code.String(), "func "+name+"(") {
				t.Errorf("row %q: there is no %s", title, name)
			}
		}
	}
}
