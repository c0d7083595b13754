package iphlpapi

import (
	"go/ast"
	"go/parser"
	"go/token"
	"testing"
)

// TestOtherSystems reads the source for the systems that none of the others is
// for: all that a call does there is to say that it is not supported.
func TestOtherSystems(t *testing.T) {
	t.Parallel()
	functions := func(file string) map[string]*ast.FuncDecl {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		out := make(map[string]*ast.FuncDecl)
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
				out[fn.Name.Name] = fn
			}
		}
		return out
	}
	other, windows, linux := functions("iphlpapi_other.go"), functions("iphlpapi_windows.go"), functions("iphlpapi_linux.go")
	if len(other) < 7 {
		t.Errorf("found %d functions, there are 7", len(other))
	}
	for name, fn := range other {
		if windows[name] == nil || linux[name] == nil {
			t.Errorf("%s is not there on Windows or Linux", name)
		}
		if len(fn.Body.List) != 1 {
			t.Errorf("%s does more than to return", name)
			continue
		}
		r, ok := fn.Body.List[0].(*ast.ReturnStmt)
		if !ok || len(r.Results) != 1 {
			t.Errorf("%s does not return one value", name)
			continue
		}
		if id, ok := r.Results[0].(*ast.Ident); !ok || id.Name != "ERROR_NOT_SUPPORTED" {
			t.Errorf("%s does not return ERROR_NOT_SUPPORTED", name)
		}
	}
}
