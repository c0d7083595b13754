package housetest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"github.com/lessee/lessee/internal/event"
)

// Each kind in the stream of events is a constant of package lessee, with a
// line that says what it means.
func TestEventsAreConstants(t *testing.T) {
	t.Parallel()
	const file = "eventkind.go"
	tree, err := parser.ParseFile(token.NewFileSet(), file, find(t, file).text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	constants := map[string]bool{}
	for _, d := range tree.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, s := range g.Specs {
			v, _ := s.(*ast.ValueSpec)
			literal, ok := v.Values[0].(*ast.BasicLit)
			if !ok {
				t.Fatalf("%s: %s is no text", file, v.Names[0].Name)
			}
			kind, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			constants[kind] = true
			if _, streamed := event.Streamed(kind); !streamed {
				t.Errorf("%s: the table of events does not have %q", file, kind)
			}
			if says := v.Names[0].Name + " says that "; !strings.HasPrefix(v.Doc.Text(), says) {
				t.Errorf("%s: the comment does not begin with %q", file, says)
			}
		}
	}
	for k, row := range event.All() {
		if row.Stream != "" && !constants[row.Stream] {
			t.Errorf("%v: %s has no constant for %q", k, file, row.Stream)
		}
	}
}
