package housetest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"strings"
	"testing"

	"github.com/lessee/lessee/reason"
)

// completedLater are causes that get a field where it is known, by package and reason.
var completedLater = map[string]reason.Field{
	"internal/tenancy no-server": reason.FieldTimeout, // the driver knows how long the caller waited
}

// TestCausesAreComplete: who names a reason gives all fields that the table says
// it needs. Without one of them the error has no words.
func TestCausesAreComplete(t *testing.T) {
	t.Parallel()
	names := constants(t)
	seen := 0
	for _, f := range tree(t) {
		if !f.isGo() || f.isTest() {
			continue
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, f.path, f.text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			given, of := keys(n)
			d, ok := reason.Define(names[of])
			if !ok {
				return true
			}
			seen++
			for _, need := range d.Needs {
				later := completedLater[path.Dir(f.path)+" "+d.Reason.String()]
				if need != later && !given[strings.ToLower(string(need))] {
					t.Errorf("%s: a cause with the reason %s lacks the field %s", set.Position(n.Pos()), d.Reason, need)
				}
			}
			return true
		})
	}
	if seen < 60 {
		t.Errorf("only %d causes were seen", seen)
	}
}

// keys returns the keys of a composite literal, in lower case, and the name of
// the constant that its key Reason has.
func keys(n ast.Node) (given map[string]bool, of string) {
	lit, ok := n.(*ast.CompositeLit)
	if !ok {
		return nil, ""
	}
	given = make(map[string]bool)
	for _, e := range lit.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		key, ok := kv.Key.(*ast.Ident)
		if !ok {
			continue
		}
		given[strings.ToLower(key.Name)] = true
		if sel, ok := kv.Value.(*ast.SelectorExpr); ok && key.Name == "Reason" {
			of = sel.Sel.Name
		}
	}
	return given, of
}

// constants returns the reasons by the names of their constants.
func constants(t *testing.T) map[string]reason.Reason {
	t.Helper()
	names := make(map[string]reason.Reason)
	for _, f := range tree(t) {
		if f.path != "reason/reason.go" {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), f.path, f.text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if v, ok := n.(*ast.ValueSpec); ok && len(v.Names) == 1 && len(v.Values) == 1 {
				if s, ok := v.Values[0].(*ast.BasicLit); ok {
					names[v.Names[0].Name] = reason.Reason(strings.Trim(s.Value, `"`))
				}
			}
			return true
		})
	}
	return names
}
