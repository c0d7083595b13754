package housetest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// stateRows are all fields of core and the tenancies that are bools, pointers, funcs or
// maps, and all types with exactly two values: with them a state can hide from the
// types that say what the states are. Each row is a reason and what it is for. None is
// about a phase.
var stateRows = []struct {
	reason string
	what   []string
}{
	{"what is found by a key", []string{
		"core.Core.asked", "core.Core.calls", "core.Core.scans", "core.links.all", "core.links.macs", "core.links.named", "core.links.of",
		"core.roster.at", "core.roster.records", "core.roster.waits",
	}},
	{"a lease or what others were told, which nobody changes; nil: there is none", []string{
		"core.names.told",
		"core.Discovery.Lease", "v4.Network.Lease", "v4.Note.Lease", "v4.Record.Lease", "v4.Status.Lease",
		"v4.finder.learning", "v4.informing.parameters", "v4.leased.lease", "v4.probing.lease", "v4.released.given", "v4.Tenancy.recorded",
	}},
	{"a machine without I/O, which its owner drives and nobody else knows", []string{
		"core.living.tenancy", "core.scan.scan", "core.Discovery.Scan", "v4.Tenancy.client", "v4.finder.prober", "v4.guard.detector", "v4.linkLocal.client",
	}},
	{"what most adapters never need, and what costs memory", []string{
		"core.living.hold", "tenancy.Life.amiss", "v4.Tenancy.local", "v4.networks.finder", "v4.Status.Next",
	}},
	{"a fact about a packet or a link, as it came", []string{
		"core.ARP.Unicast", "core.LinkChanged.Gone", "tenancy.Link.Usable", "v4.ARP.Ours", "v4.ARP.Unicast",
	}},
	{"a setting", []string{
		"core.Config.Heard", "core.Config.Tenancy", "v4.Config.Inform", "v4.Config.LinkLocal", "v4.Config.Up", "v4.Policy.DNS", "v4.Policy.MTU",
	}},
	{"on record: a call began the management", []string{"core.wanted", "v4.Record.Up", "v4.Tenancy.byCall"}},
	{"whose an answer is, and what it is that ends", []string{"core.leaving.", "core.report.of"}},
	{"how or why something is asked for", []string{"core.SetUp", "tenancy.Cause", "v4.order"}},
	{"whether a port was asked to receive, and what follows from its answer alone", []string{"core.ear"}},
}

// TestNoStateInBools: core and the tenancies say what state they are in by types that
// name the states.
func TestNoStateInBools(t *testing.T) {
	t.Parallel()
	found := map[string]string{}
	for _, dir := range []string{"core", "tenancy", "tenancy/v4"} {
		for what, kind := range stateOf(t, filepath.Join(root(t), "internal", filepath.FromSlash(dir))) {
			found[filepath.Base(dir)+"."+what] = kind
		}
	}
	if len(stateRows) > 10 {
		t.Errorf("%d rows", len(stateRows))
	}
	for _, row := range stateRows {
		var list []string
		for _, what := range row.what {
			kind, is := found[what]
			if !is {
				t.Errorf("there is no %s (any more), or it is none of these", what)
			}
			delete(found, what)
			list = append(list, fmt.Sprintf("%s (%s)", what, kind))
		}
		t.Logf("%s: %s", row.reason, strings.Join(list, ", "))
	}
	for what, kind := range found {
		t.Errorf("%s is a %s, and no row says why", what, kind)
	}
}

// stateOf returns the fields and types of a package that the rows are about.
func stateOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	values := map[string]int{} // how many constants a type has
	set := token.NewFileSet()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: no files, %v", dir, err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(set, file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if g, ok := d.(*ast.GenDecl); ok {
				declared(g, found, values)
			}
		}
	}
	for typ, n := range values {
		if n == 2 {
			found[typ] = "type with two values"
		}
	}
	return found
}

// declared adds the fields of the structs of a declaration, and counts its constants
// by type.
func declared(g *ast.GenDecl, found map[string]string, values map[string]int) {
	typ := ""
	for _, s := range g.Specs {
		switch s := s.(type) {
		case *ast.TypeSpec:
			fieldsOf(s, found)
		case *ast.ValueSpec:
			if g.Tok != token.CONST {
				continue
			}
			if id, ok := s.Type.(*ast.Ident); ok {
				typ = id.Name
			} else if s.Type != nil || len(s.Values) > 0 {
				typ = ""
			}
			if typ != "" {
				values[typ] += len(s.Names)
			}
		}
	}
}

// fieldsOf adds the fields of a struct that the rows are about.
func fieldsOf(s *ast.TypeSpec, found map[string]string) {
	st, ok := s.Type.(*ast.StructType)
	if !ok {
		return
	}
	for _, f := range st.Fields.List {
		kind := ""
		switch typ := f.Type.(type) {
		case *ast.Ident:
			if typ.Name == "bool" {
				kind = "bool"
			}
		case *ast.StarExpr:
			kind = "pointer"
		case *ast.FuncType:
			kind = "func"
		case *ast.MapType:
			kind = "map"
		}
		if kind == "" {
			continue
		}
		if len(f.Names) == 0 {
			found[s.Name.Name+"."] = kind
		}
		for _, n := range f.Names {
			found[s.Name.Name+"."+n.Name] = kind
		}
	}
}
