package text

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lessee/lessee/internal/event"
	"github.com/lessee/lessee/internal/option"
)

// speaking are the calls whose arguments are keys of the catalog, with the
// numbers of those arguments.
var speaking = map[string][]int{
	"Text":      {0},
	"Sprintf":   {0},
	"usagef":    {0},
	"sentencef": {0},
	"complainf": {0},
	"denied":    {0},
}

// passing are the functions that hand on a key which their callers have.
var passing = map[string]bool{
	"cli.sentence": true, "cli.kind": true, "cli.option": true, "cli.complainf": true, "cli.usagef": true, "cli.sentencef": true,
	"cli.demo": true, // what package sandbox says
}

// spoken are the packages with texts for people. What has a reason is not among
// these texts.
var spoken = []string{"errno", "iphlpapi", "internal/cli", "internal/ipconfig", "internal/text", "internal/sandbox"}

// A finder finds the keys in one package's source.
type finder struct {
	t      *testing.T
	fset   *token.FileSet
	pkg    string
	consts map[string]ast.Expr
	found  map[string]token.Position
	loose  []string // keys that are not constants
	inside string
}

// value returns the value of a constant string.
func (f *finder) value(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind != token.STRING {
			return "", false
		}
		s, err := strconv.Unquote(e.Value)
		return s, err == nil
	case *ast.BinaryExpr:
		a, ok := f.value(e.X)
		b, alsoOK := f.value(e.Y)
		return a + b, ok && alsoOK && e.Op == token.ADD
	case *ast.ParenExpr:
		return f.value(e.X)
	case *ast.Ident:
		if c, ok := f.consts[e.Name]; ok {
			return f.value(c)
		}
	}
	return "", false
}

func (f *finder) add(e ast.Expr, strict bool) {
	s, ok := f.value(e)
	pos := f.fset.Position(e.Pos())
	switch {
	case ok:
		if s != "" && s != "%s" {
			f.found[s] = pos
		}
	case strict && !passing[f.pkg+"."+f.inside] && f.pkg != "text":
		f.loose = append(f.loose, pos.String())
	}
}

func (f *finder) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.FuncDecl:
		f.inside = n.Name.Name
	case *ast.CallExpr:
		name, strict := "", true
		switch fun := n.Fun.(type) {
		case *ast.Ident:
			name = fun.Name
		case *ast.SelectorExpr:
			name = fun.Sel.Name
			if x, ok := fun.X.(*ast.Ident); ok && (x.Name == "fmt" || x.Name == "t") {
				return true
			}
		}
		if name == "denied" {
			strict = false // some of them name a path
		}
		for _, i := range speaking[name] {
			if i < len(n.Args) {
				f.add(n.Args[i], strict)
			}
		}
	case *ast.ReturnStmt:
		if f.pkg == "sandbox" && f.inside == "hint" {
			f.add(n.Results[0], true)
		}
	}
	return true
}

// knows reports whether the catalog has the key in every language.
func knows(key string) bool {
	for _, tag := range Languages()[1:] {
		t := tongues[tag]()
		if _, ok := t.texts[key]; !ok && t.plurals[key] == nil {
			return false
		}
	}
	return true
}

// keysOfTheCode returns the keys that the code uses, those in tables included.
func keysOfTheCode(t *testing.T) map[string]token.Position {
	t.Helper()
	found := make(map[string]token.Position)
	for _, row := range event.All() {
		found["event|"+row.Stream] = token.Position{Filename: "internal/event/table.go"}
	}
	for _, row := range option.All() {
		if row.Label != "" {
			found[row.Label] = token.Position{Filename: "internal/option/table.go"}
		}
	}
	for _, dir := range spoken {
		path := filepath.Join("..", "..", filepath.FromSlash(dir))
		entries, err := os.ReadDir(path)
		if err != nil {
			t.Fatal(err)
		}
		f := &finder{t: t, fset: token.NewFileSet(), pkg: "lessee", consts: make(map[string]ast.Expr), found: found}
		if dir != "" {
			f.pkg = filepath.Base(dir)
		}
		var files []*ast.File
		for _, e := range entries {
			if !isSource(e) || f.pkg == "text" && e.Name() != "system.go" {
				continue
			}
			file, err := parser.ParseFile(f.fset, filepath.Join(path, e.Name()), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, file)
			f.constants(file)
		}
		for _, file := range files {
			ast.Inspect(file, f.visit)
		}
		for _, l := range f.loose {
			t.Errorf("%s: the key is not a constant, so it cannot be looked for in the catalog", l)
		}
	}
	return found
}

func isSource(e fs.DirEntry) bool {
	return !e.IsDir() && strings.HasSuffix(e.Name(), ".go") && !strings.HasSuffix(e.Name(), "_test.go")
}

func (f *finder) constants(file *ast.File) {
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, s := range g.Specs {
			if v, ok := s.(*ast.ValueSpec); ok && len(v.Names) == len(v.Values) {
				for i, name := range v.Names {
					f.consts[name.Name] = v.Values[i]
				}
			}
		}
	}
}

// Every text of the code is there in every language, and no translation is left
// over from a text that is no more.
func TestEveryTextIsTranslated(t *testing.T) {
	t.Parallel()
	used := keysOfTheCode(t)
	if len(used) < 300 {
		t.Errorf("only %d texts found", len(used))
	}
	for _, key := range slices.Sorted(maps.Keys(used)) {
		if !knows(key) {
			t.Errorf("%v: not in every language: %q", used[key], key)
		}
	}
	for _, tag := range Languages() {
		for _, d := range []dictionary{frenchCommand(), frenchHelp(), frenchErrors(), frenchIpconfig(), frenchStory(), frenchNetwork()} {
			for key := range d {
				if _, ok := used[key]; !ok {
					t.Errorf("%v: nobody says %q any more", tag, key)
				}
			}
		}
	}
	for key := range plurals() {
		if _, ok := used[key]; !ok {
			t.Errorf("nobody says %q any more", key)
		}
	}
}

// The finder finds what it is to find.
func TestFinder(t *testing.T) {
	t.Parallel()
	const source = `package x
const hello = "hello " + "%s"
func f(a app, key string) {
	a.speak.Sprintf(hello, key)
	a.speak.Text(key)
	fmt.Sprintf("not this")
	usagef("a " +
		"b")
	denied("mount a tmpfs on " + key, err)
	denied("cover /etc", err)
}
`
	f := &finder{t: t, fset: token.NewFileSet(), pkg: "x", consts: make(map[string]ast.Expr), found: make(map[string]token.Position)}
	file, err := parser.ParseFile(f.fset, "x.go", source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	f.constants(file)
	ast.Inspect(file, f.visit)
	want := []string{"a b", "cover /etc", "hello %s"}
	if got := slices.Sorted(maps.Keys(f.found)); !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
	if len(f.loose) != 1 || !strings.HasPrefix(f.loose[0], "x.go:5:") {
		t.Errorf("keys that are not constants: %q", f.loose)
	}
}
