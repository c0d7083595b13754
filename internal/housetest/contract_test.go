package housetest

import (
	"path"
	"regexp"
	"strings"
	"testing"
)

// TestContractTable: docs/contract.md has a test for every sentence, and every
// test that it names exists in the package it names.
func TestContractTable(t *testing.T) {
	t.Parallel()
	var text string
	for _, f := range tree(t) {
		if f.path == "docs/contract.md" {
			text = f.text
		}
	}
	tables, impossible, found := strings.Cut(text, "## What can't be tested here")
	if !found || !strings.Contains(impossible, "| why |") {
		t.Fatal("docs/contract.md does not say what cannot be tested")
	}
	rows := 0
	for line := range strings.Lines(tables) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if !strings.HasPrefix(line, "|") || len(cells) != 4 || strings.Contains(line, "---") || strings.Contains(cells[0], "sentence") {
			continue
		}
		rows++
		if named := testName.FindAllString(strings.Join(cells[1:], " "), -1); len(named) == 0 {
			t.Errorf("no test holds %q", strings.TrimSpace(cells[0]))
		}
		for _, c := range cells {
			if strings.TrimSpace(c) == "" {
				t.Errorf("an empty cell: %q", strings.TrimSpace(line))
			}
		}
	}
	if rows < 30 {
		t.Errorf("only %d rows were read", rows)
	}
	for _, name := range testName.FindAllString(text, -1) {
		name = strings.Trim(name, "`")
		dot := strings.LastIndexByte(name, '.')
		dir, test := name[:dot], name[dot+1:]
		if dir == "lessee" {
			dir = "."
		}
		if !hasTest(t, dir, test) {
			t.Errorf("docs/contract.md names %s, which does not exist", name)
		}
	}
}

var testName = regexp.MustCompile("`[a-z0-9/]+\\.Test\\w+`")

func hasTest(t *testing.T, dir, name string) bool {
	t.Helper()
	for _, f := range tree(t) {
		if f.isTest() && path.Dir(f.path) == dir && strings.Contains(f.text, "func "+name+"(t *testing.T)") {
			return true
		}
	}
	return false
}
