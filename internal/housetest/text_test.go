package housetest

import (
	"regexp"
	"strings"
	"testing"
)

// What is missing is an issue, not a note in the tree.
func TestNothingIsLeftForLater(t *testing.T) {
	t.Parallel()
	// Put together here, so that this file does not find itself.
	later := regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X|HAC` + `K|WI` + `P)\b`)
	for _, f := range tree(t) {
		if f.path == "LICENSE" || strings.Contains(f.path, "/testdata/") {
			continue
		}
		for i, l := range f.lines() {
			if w := later.FindString(l); w != "" {
				t.Errorf("%s:%d: %s: open an issue instead", f.path, i+1, w)
			}
		}
	}
}

const longest = 600

func TestFilesAreAboutOneThing(t *testing.T) {
	t.Parallel()
	for _, f := range tree(t) {
		if !f.isGo() || f.isTest() || f.isGenerated() {
			continue
		}
		if n := len(f.lines()); n > longest {
			t.Errorf("%s has %d lines; about 400 is long, %d too long: split it", f.path, n, longest)
		}
	}
}

// Paths of somebody's machine have no place in the project.
func TestNoPathsOfOneMachine(t *testing.T) {
	t.Parallel()
	machine := regexp.MustCompile("(^|[\\s\"'`=(:])/(work|home|root|Users|tmp)/[\\w.$]")
	for _, f := range tree(t) {
		for i, l := range f.lines() {
			if m := machine.FindString(l); m != "" {
				t.Errorf("%s:%d: %q is a path of one machine; tests use t.TempDir, scripts mktemp", f.path, i+1, strings.TrimSpace(l))
			}
		}
	}
}

func TestTextFilesAreTidy(t *testing.T) {
	t.Parallel()
	for _, f := range tree(t) {
		if strings.Contains(f.path, "testdata/") || f.text == "" {
			continue
		}
		if !strings.HasSuffix(f.text, "\n") {
			t.Errorf("%s does not end with a newline", f.path)
		}
		if strings.Contains(f.text, "\r") {
			t.Errorf("%s has carriage returns", f.path)
		}
		for i, l := range f.lines() {
			if strings.TrimRight(l, " \t") != l {
				t.Errorf("%s:%d: space at the end of the line", f.path, i+1)
			}
		}
	}
}
