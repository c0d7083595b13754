package errno_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"github.com/lessee/lessee/errno"
)

// TestEveryConstant reads the source: each constant has its own name and a text.
func TestEveryConstant(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "errno.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	texts := make(map[string]string)
	for _, decl := range file.Decls {
		d, ok := decl.(*ast.GenDecl)
		if !ok || d.Tok != token.CONST {
			continue
		}
		for _, spec := range d.Specs {
			v := spec.(*ast.ValueSpec)
			name := v.Names[0].Name
			lit, ok := v.Values[0].(*ast.BasicLit)
			if !ok {
				t.Errorf("%s is not a number", name)
				continue
			}
			n, err := strconv.ParseUint(lit.Value, 10, 32)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			e := errno.Errno(n)
			if e.Name() != name {
				t.Errorf("the name of %d is %q, want %q", n, e.Name(), name)
			}
			text := e.Error()
			if text == "" || strings.HasPrefix(text, "system error") {
				t.Errorf("%s has no text", name)
			}
			if other, ok := texts[text]; ok {
				t.Errorf("%s and %s have the same text", name, other)
			}
			texts[text] = name
		}
	}
	if len(texts) < 13 {
		t.Errorf("found %d constants, the contract has 13", len(texts))
	}
}

func TestUnknown(t *testing.T) {
	t.Parallel()
	if e := errno.Errno(4242); e.Error() != "system error 4242" || e.Name() != "4242" {
		t.Errorf("got %q, %q", e.Error(), e.Name())
	}
}

func ExampleErrno() {
	err := fmt.Errorf("eth0: %w", errno.ERROR_NO_NETWORK)
	fmt.Println(err)
	fmt.Println(errors.Is(err, errno.ERROR_NO_NETWORK))
	// Output:
	// eth0: the adapter is down or has no carrier
	// true
}

func ExampleErrno_Name() {
	fmt.Println(errno.ERROR_SEM_TIMEOUT.Name(), uint32(errno.ERROR_SEM_TIMEOUT))
	// Output: ERROR_SEM_TIMEOUT 121
}
