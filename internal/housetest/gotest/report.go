package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// An event is one line of "go test -json" (see "go doc test2json").
type event struct {
	Action, Package, ImportPath, Test, Output string
	Elapsed                                   float64
}

type key struct{ pkg, test string }

// A report counts the tests, shows what failed and remembers what was skipped.
type report struct {
	w                       io.Writer
	passed, failed, skipped int
	// broken are packages that failed outside of a test: they did not
	// compile, or their TestMain or init failed.
	broken []string
	// output is what each running test printed, builds under the package's name.
	output map[key]*strings.Builder
	// failures counts the failed tests of each package.
	failures map[string]int
	skips    []string
}

func newReport(w io.Writer) *report {
	return &report{w: w, output: map[key]*strings.Builder{}, failures: map[string]int{}}
}

func (r *report) add(e event) {
	k := key{e.Package, e.Test}
	if e.Package == "" { // build-output and build-fail
		k.pkg = e.ImportPath
	}
	switch e.Action {
	case "output", "build-output":
		b := r.output[k]
		if b == nil {
			b = &strings.Builder{}
			r.output[k] = b
		}
		b.WriteString(e.Output)
		return
	case "build-fail":
		r.show(k)
	case "pass", "fail", "skip":
		if e.Test == "" {
			r.endPackage(e)
		} else {
			r.endTest(e)
		}
	default: // start, run, pause, cont, bench: nothing has been decided
		return
	}
	delete(r.output, k)
}

func (r *report) endTest(e event) {
	switch e.Action {
	case "pass":
		r.passed++
	case "fail":
		r.failed++
		r.failures[e.Package]++
		r.show(key{e.Package, e.Test})
	case "skip":
		r.skipped++
		r.skips = append(r.skips, e.Package+" "+e.Test+": "+r.reason(e))
	}
}

func (r *report) endPackage(e event) {
	switch e.Action {
	case "pass":
		fmt.Fprintf(r.w, "ok    %7.2fs  %s\n", e.Elapsed, e.Package)
	case "fail":
		if r.failures[e.Package] == 0 {
			r.broken = append(r.broken, e.Package)
		}
		r.showUnfinished(e.Package)
		fmt.Fprintf(r.w, "FAIL  %7.2fs  %s\n", e.Elapsed, e.Package)
	case "skip": // no test files
	}
}

func (r *report) show(k key) {
	if b := r.output[k]; b != nil {
		fmt.Fprint(r.w, b)
	}
}

// showUnfinished shows what a package printed outside of its tests, and what the
// tests printed that did not come to an end.
func (r *report) showUnfinished(pkg string) {
	var left []key
	for k := range r.output {
		if k.pkg == pkg {
			left = append(left, k)
		}
	}
	slices.SortFunc(left, func(a, b key) int { return strings.Compare(a.test, b.test) })
	for _, k := range left {
		r.show(k)
		delete(r.output, k)
	}
}

// reason returns what the skipped test said.
func (r *report) reason(e event) string {
	b := r.output[key{e.Package, e.Test}]
	if b == nil {
		return "no reason given"
	}
	var said []string
	for l := range strings.Lines(b.String()) {
		l = strings.TrimSpace(l)
		if l != "" && !strings.HasPrefix(l, "=== ") && !strings.HasPrefix(l, "--- ") {
			said = append(said, l)
		}
	}
	if len(said) == 0 {
		return "no reason given"
	}
	return strings.Join(said, "; ")
}

// line is the last line: tests of all levels, and packages that failed outside of a test.
func (r *report) line() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", r.passed, r.failed+len(r.broken), r.skipped)
}

func (r *report) end() {
	slices.Sort(r.skips)
	for _, s := range r.skips {
		fmt.Fprintln(r.w, "skipped:", s)
	}
	fmt.Fprintln(r.w, r.line())
}

// ok reports whether tests ran and none failed, nor, with requireAll, was skipped.
func (r *report) ok(requireAll bool) bool {
	return r.passed > 0 && r.failed == 0 && len(r.broken) == 0 && (!requireAll || r.skipped == 0)
}
