package main

import (
	"strings"
	"testing"
)

func play(t *testing.T, lines string) (*report, string) {
	t.Helper()
	var out strings.Builder
	r := newReport(&out)
	if err := read(strings.NewReader(lines), r); err != nil {
		t.Fatal(err)
	}
	r.end()
	return r, out.String()
}

const passed = `
{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"noise\n"}
{"Action":"pass","Package":"p","Test":"TestA","Elapsed":0.1}
{"Action":"pass","Package":"p","Elapsed":0.2}
`

func TestPassed(t *testing.T) {
	t.Parallel()
	r, out := play(t, passed)
	if want := "ok       0.20s  p\n1 passed, 0 failed, 0 skipped\n"; out != want {
		t.Errorf("got %q, want %q", out, want)
	}
	if !r.ok(true) {
		t.Error("not ok")
	}
}

func TestSkippedNamesTestAndReason(t *testing.T) {
	t.Parallel()
	r, out := play(t, passed+`
{"Action":"output","Package":"p","Test":"TestB","Output":"=== RUN   TestB\n"}
{"Action":"output","Package":"p","Test":"TestB","Output":"    b_test.go:3: needs root\n"}
{"Action":"output","Package":"p","Test":"TestB","Output":"--- SKIP: TestB (0.00s)\n"}
{"Action":"skip","Package":"p","Test":"TestB"}
`)
	if want := "skipped: p TestB: b_test.go:3: needs root\n1 passed, 0 failed, 1 skipped\n"; !strings.HasSuffix(out, want) {
		t.Errorf("got %q, want %q at the end", out, want)
	}
	if !r.ok(false) || r.ok(true) {
		t.Error("a skipped test is to fail only where all are required")
	}
}

func TestFailedShowsItsOutput(t *testing.T) {
	t.Parallel()
	r, out := play(t, passed+`
{"Action":"output","Package":"q","Test":"TestC","Output":"    c_test.go:9: boom\n"}
{"Action":"fail","Package":"q","Test":"TestC"}
{"Action":"output","Package":"q","Output":"FAIL\n"}
{"Action":"fail","Package":"q","Elapsed":1}
`)
	if !strings.Contains(out, "boom") || !strings.HasSuffix(out, "1 passed, 1 failed, 0 skipped\n") || r.ok(false) {
		t.Errorf("got %q", out)
	}
}

func TestPackageThatDoesNotCompileFails(t *testing.T) {
	t.Parallel()
	r, out := play(t, passed+`
{"ImportPath":"q","Action":"build-output","Output":"q.go:1: syntax error\n"}
{"ImportPath":"q","Action":"build-fail"}
{"Action":"output","Package":"q","Output":"FAIL\tq [build failed]\n"}
{"Action":"fail","Package":"q","FailedBuild":"q"}
`)
	if !strings.Contains(out, "syntax error") || !strings.HasSuffix(out, "1 passed, 1 failed, 0 skipped\n") || r.ok(false) {
		t.Errorf("got %q", out)
	}
}

func TestNoTestAtAllIsNotOK(t *testing.T) {
	t.Parallel()
	if r, _ := play(t, `{"Action":"skip","Package":"p"}`); r.ok(false) {
		t.Error("no test ran, and that was fine")
	}
}

func TestOutputThatIsNotJSONIsAnError(t *testing.T) {
	t.Parallel()
	if err := read(strings.NewReader("flag provided but not defined"), newReport(&strings.Builder{})); err == nil {
		t.Error("no error")
	}
}

func TestUnfinishedTestIsShown(t *testing.T) {
	t.Parallel()
	r, out := play(t, passed+`
{"Action":"output","Package":"q","Test":"TestHangs","Output":"    waiting for an offer\n"}
{"Action":"output","Package":"q","Output":"panic: test timed out\n"}
{"Action":"fail","Package":"q","Elapsed":1}
`)
	if !strings.Contains(out, "waiting for an offer") || !strings.Contains(out, "timed out") || r.ok(false) {
		t.Errorf("got %q", out)
	}
}
