package recording

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/fault"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"github.com/lessee/lessee/reason"
)

// TestEveryInputHasAForm finds the inputs in the source of package core: who adds one
// hears of the recordings.
func TestEveryInputHasAForm(t *testing.T) {
	t.Parallel()
	var want []string
	files, err := filepath.Glob(filepath.Join("..", "core", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, is := d.(*ast.FuncDecl); is && f.Name.Name == "input" && f.Recv != nil {
				if receiver, is := f.Recv.List[0].Type.(*ast.Ident); is && receiver.IsExported() {
					want = append(want, receiver.Name)
				}
			}
		}
	}
	slices.Sort(want)
	if have := slices.Sorted(maps.Keys(inputs)); len(want) == 0 || !slices.Equal(have, want) {
		t.Errorf("inputs of a core are %q, of a recording %q", want, have)
	}
}

// TestEveryCallHasAForm: each method of the ports is a call.
func TestEveryCallHasAForm(t *testing.T) {
	t.Parallel()
	want := []string{"Tenancy"}
	p := reflect.TypeFor[core.Ports]()
	for i := range p.NumField() {
		for j := range p.Field(i).Type.NumMethod() {
			want = append(want, p.Field(i).Type.Method(j).Name)
		}
	}
	slices.Sort(want)
	if have := slices.Sorted(maps.Keys(calls)); !slices.Equal(have, want) {
		t.Errorf("the ports have %q, a recording %q", want, have)
	}
	if len(methods) != len(calls) {
		t.Error("a type of call is there twice")
	}
}

// TestRoundTrip fills every field of every type, and reads what was written.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	all := map[string]reflect.Type{"answer": reflect.TypeFor[answer]()}
	maps.Copy(all, inputs)
	maps.Copy(all, calls)
	for name, typ := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, full := range []bool{true, false} {
				v := reflect.New(typ).Elem()
				if full {
					fill(t, v)
				}
				text := codec{}.append(nil, v)
				back := reflect.New(typ).Elem()
				if err := decode(text, back); err != nil {
					t.Fatalf("%s: %v", text, err)
				}
				if !reflect.DeepEqual(back.Interface(), v.Interface()) {
					t.Errorf("%s\ncame back as\n%s", text, codec{}.append(nil, back))
				}
			}
		})
	}
}

// fill gives every field a value.
func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	texts := map[string]string{
		"netip.Addr": "192.0.2.1", "netip.Prefix": "192.0.2.1/24", "names.Host": "host.example", "names.Domain": "example", "names.URL": "https://example/x",
		"names.Zone": "Europe/Paris", "names.POSIXZone": "CET-1CEST", "names.Token": "h2", "names.Template": "/q{?dns}", "names.Text": "text",
		"reason.Duration": "1m0s", "time.Time": "2026-01-02T15:04:05Z",
	}
	switch {
	case v.Type() == errorType:
		v.Set(reflect.ValueOf(&reason.Fault{During: "send", Text: "network is down", Errno: 100}))
		return
	case isText(v.Type()):
		text, known := texts[v.Type().String()]
		if !known {
			t.Fatalf("no sample of %v", v.Type())
		}
		if err := set(v, text); err != nil {
			t.Fatalf("%v: %v", v.Type(), err)
		}
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(1<<(v.Type().Bits()-1) - 1)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(1<<v.Type().Bits() - 1)
	case reflect.String:
		v.SetString("é<&>\xff")
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(t, v.Index(0))
		fill(t, v.Index(1))
	case reflect.Array:
		for i := range v.Len() {
			fill(t, v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if !v.Type().Field(i).IsExported() {
				t.Fatalf("%v has a field that is not exported: it has to have a text", v.Type())
			}
			fill(t, v.Field(i))
		}
	default:
		t.Fatalf("no form of %v", v.Type())
	}
}

// TestErrorsAreTheSame: what the core looks for in an error is there when it is replayed.
func TestErrorsAreTheSame(t *testing.T) {
	t.Parallel()
	hop := netip.MustParseAddr("10.0.0.1")
	for _, err := range []error{
		errors.New("trouble"), netconf.ErrLinkDown, fmt.Errorf("routes have to wait: %w", netconf.ErrLinkDown), &netconf.UnresolvedError{Hop: hop},
		&reason.Fault{During: "save", Text: "no space left on device", Errno: 28}, fmt.Errorf("around: %w", fault.Of(errors.New("x"))),
		errors.Join(&reason.Fault{Text: "one"}, netconf.ErrLinkDown), fmt.Errorf("wait: %w", &netconf.UnresolvedError{Hop: hop}),
	} {
		var back answer
		text := codec{}.append(nil, reflect.ValueOf(answer{Err: err}))
		if err := decode(text, reflect.ValueOf(&back).Elem()); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(failureOf(back.Err), failureOf(err)) || back.Err.Error() != err.Error() {
			t.Errorf("%#v came back as %#v", err, back.Err)
		}
	}
}

// TestSharedLease: the lease of a network that is the record's own is the same one.
func TestSharedLease(t *testing.T) {
	t.Parallel()
	l, other := &dhcp4.Lease{Duration: time.Hour}, &dhcp4.Lease{Duration: time.Minute}
	r := v4.Record{Lease: l, Networks: []v4.Network{{Lease: l}, {Lease: other}}}
	var back v4.Record
	if err := decode(codec{}.append(nil, reflect.ValueOf(r)), reflect.ValueOf(&back).Elem()); err != nil {
		t.Fatal(err)
	}
	if back.Networks[0].Lease != back.Lease || back.Networks[1].Lease == back.Lease || r.Networks[0].Lease != l {
		t.Errorf("got %+v", back)
	}
	if err := decode([]byte(`{"Networks":[{}]}`), reflect.ValueOf(new(v4.Record)).Elem()); err == nil {
		t.Error("a network without a lease is taken")
	}
}

func TestDamageIsNoValue(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{`: "unexpected EOF", `[]`: "is no core.Manage", `{"Call":-1}`: "Call: ", `{"Call":1.5}`: "Call: ", `{"Call":"1"}`: "Call: ", `{"Call":18446744073709551616}`: "Call: ",
		`{"NS":4294967296}`: "NS: ", `{"Name":7}`: "Name: ", `{"Name":{"hex":"x"}}`: "Name: ", `{"Colour":1}`: "a newer program", `{"Call":null}`: "Call: ",
	} {
		var in core.Manage
		if err := decode([]byte(text), reflect.ValueOf(&in).Elem()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{`{"Host":"10.0.0"}`, `{"Link":"0"}`, `{"Link":[1]}`, `{"Host":1}`} {
		var in core.Neighbour
		if err := decode([]byte(text), reflect.ValueOf(&in).Elem()); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}
