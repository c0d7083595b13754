package housetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/lessee/lessee"

// pure are the packages without I/O, clock and goroutines; "..." means those below, too.
// depguard and forbidigo in .golangci.yml know the same list.
var pure = []string{"wire/...", "dhcp4", "dhcp6", "acd", "ipv4ll", "dna", "boottime", "errno", "names", "reason", "internal/core", "internal/tenancy/...", "internal/netconf", "internal/event", "internal/option", "internal/queue"}

// allowed is the part of the standard library that pure packages may import.
var allowed = []string{
	"bytes", "cmp", "container/heap", "crypto/hmac", "crypto/md5", "encoding", "encoding/binary", "encoding/hex", "errors", "fmt", "hash/crc32", "hash/fnv",
	"iter", "maps", "math", "math/bits", "math/rand/v2", "net/netip", "slices", "sort", "strconv", "strings",
	"time", "unicode", "unicode/utf8",
}

// rooms is what a package may import besides: queues of machines that run at the same
// time share their rooms.
var rooms = map[string]string{"internal/queue": "sync"}

// forbidden are the functions of package time that read or await the clock.
var forbidden = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

func isPure(dir string) bool {
	for _, p := range pure {
		below, tree := strings.CutSuffix(p, "/...")
		if dir == below || tree && strings.HasPrefix(dir, below+"/") {
			return true
		}
	}
	return false
}

type listed struct {
	ImportPath string
	Standard   bool
	Imports    []string
}

// list asks the go command for packages of the module and all that they need.
func list(t *testing.T, patterns ...string) map[string]listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-e", "-deps", "-json=ImportPath,Standard,Imports"}, patterns...)...)
	cmd.Dir = root(t)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, &stderr)
	}
	packages := map[string]listed{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		switch err := d.Decode(&p); {
		case errors.Is(err, io.EOF):
			return packages
		case err != nil:
			t.Fatal(err)
		}
		packages[p.ImportPath] = p
	}
}

func TestPurePackagesImportOnlyWhatIsAllowed(t *testing.T) {
	t.Parallel()
	var patterns []string
	for dir := range goDirs(t) {
		if isPure(dir) {
			patterns = append(patterns, "./"+dir)
		}
	}
	if len(patterns) < 4 {
		t.Fatalf("only %d pure packages found: %q", len(patterns), patterns)
	}
	for _, p := range list(t, patterns...) {
		if p.Standard {
			continue
		}
		dir, ours := strings.CutPrefix(p.ImportPath, module+"/")
		if !ours || !isPure(dir) {
			t.Errorf("%s is needed by a pure package and is not pure", p.ImportPath)
			continue
		}
		for _, i := range p.Imports {
			if !strings.HasPrefix(i, module) && !slices.Contains(allowed, i) && rooms[dir] != i {
				t.Errorf("%s imports %s, which is not on the list for pure packages", p.ImportPath, i)
			}
		}
	}
}

// goDirs returns the directories that have Go files other than tests, with those files.
func goDirs(t *testing.T) map[string][]file {
	t.Helper()
	dirs := map[string][]file{}
	for _, f := range tree(t) {
		if f.isGo() && !f.isTest() && !strings.Contains(f.path, "testdata/") {
			dirs[path.Dir(f.path)] = append(dirs[path.Dir(f.path)], f)
		}
	}
	return dirs
}

func TestPurePackagesHaveNoGoroutinesAndNoClock(t *testing.T) {
	t.Parallel()
	for dir, files := range goDirs(t) {
		if !isPure(dir) {
			continue
		}
		for _, f := range files {
			for _, fault := range impurities(t, f.path, f.text) {
				t.Error(fault)
			}
		}
	}
}

// impurities names what a file has that a pure package must not have.
func impurities(t *testing.T, name, text string) []string {
	t.Helper()
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, name, text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var faults []string
	ast.Inspect(tree, func(n ast.Node) bool {
		var what string
		switch n := n.(type) {
		case *ast.GoStmt:
			what = "a goroutine"
		case *ast.ChanType:
			what = "a channel"
		case *ast.SelectStmt:
			what = "a select"
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(forbidden, n.Sel.Name) {
				what = "time." + n.Sel.Name
			}
		}
		if what != "" {
			p := fset.Position(n.Pos())
			faults = append(faults, fmt.Sprintf("%s:%d: %s in a pure package", filepath.ToSlash(p.Filename), p.Line, what))
		}
		return true
	})
	return faults
}

func TestImpuritiesAreFound(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"package p\nimport \"time\"\nvar d = time.Second":                           0,
		"package p\nimport \"time\"\nvar d = time.Now()":                            1,
		"package p\nfunc f() { go f() }":                                            1,
		"package p\nvar c chan int\nfunc f() { select { case <-c: case c <- 1: } }": 2,
	} {
		if got := impurities(t, "p.go", text); len(got) != want {
			t.Errorf("%q: found %q, want %d", text, got, want)
		}
	}
}

// The two places that name the pure packages name the same ones.
func TestLinterKnowsThePurePackages(t *testing.T) {
	t.Parallel()
	config := find(t, ".golangci.yml")
	for _, p := range pure {
		if !strings.Contains(config.text, strings.TrimSuffix(p, "/...")) {
			t.Errorf(".golangci.yml does not know of %s", p)
		}
	}
	for _, a := range allowed {
		if !slices.Contains(strings.Fields(config.text), a+"$") {
			t.Errorf(".golangci.yml does not allow %s", a)
		}
	}
}
