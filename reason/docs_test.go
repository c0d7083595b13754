package reason_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/lessee/lessee/reason"
)

var update = flag.Bool("update", false, "rewrite the table of reasons in docs/api.md")

// comments returns what the source says of each reason.
func comments(t *testing.T) map[reason.Reason]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "reason.go", nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[reason.Reason]string)
	ast.Inspect(file, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || len(v.Values) != 1 {
			return true
		}
		if lit, ok := v.Values[0].(*ast.BasicLit); ok && v.Comment != nil {
			if name, err := strconv.Unquote(lit.Value); err == nil {
				all[reason.Reason(name)] = strings.TrimSpace(v.Comment.Text())
			}
		}
		return true
	})
	return all
}

// The documentation has every reason with its fields, in the words of the source.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	const page, begin, end = "../docs/api.md", "| `reason` | fields | |\n|---|---|---|\n", "\n\n"
	doc, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	said := comments(t)
	var want strings.Builder
	for _, d := range reason.Table() {
		if said[d.Reason] == "" {
			t.Errorf("the source says nothing of %s", d.Reason)
		}
		var fields []string
		for _, f := range d.Needs {
			fields = append(fields, "`"+string(f)+"`")
		}
		for _, f := range d.May {
			fields = append(fields, "(`"+string(f)+"`)")
		}
		fmt.Fprintf(&want, "| `%s` | %s | %s |\n", d.Reason, strings.Join(fields, ", "), said[d.Reason])
	}
	before, rest, found := bytes.Cut(doc, []byte(begin))
	has, after, ends := bytes.Cut(rest, []byte(end))
	if !found || !ends {
		t.Fatalf("%s has no table of reasons", page)
	}
	if string(has)+"\n" == want.String() {
		return
	}
	if !*update {
		t.Fatalf("%s is not as the source; 'go test ./reason -update' rewrites it", page)
	}
	text := string(before) + begin + want.String() + "\n" + string(after)
	if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
