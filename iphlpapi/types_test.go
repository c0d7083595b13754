package iphlpapi

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
	"unsafe"
)

func TestLayout(t *testing.T) {
	t.Parallel()
	var m IpAdapterIndexMap
	var i IpInterfaceInfo
	for name, tc := range map[string]struct{ got, want uintptr }{
		"IP_ADAPTER_INDEX_MAP":        {unsafe.Sizeof(m), 260},
		"IP_ADAPTER_INDEX_MAP.Name":   {unsafe.Offsetof(m.Name), 4},
		"IP_INTERFACE_INFO":           {unsafe.Sizeof(i), 264},
		"IP_INTERFACE_INFO.Adapter":   {unsafe.Offsetof(i.Adapter), 4},
		"IP_INTERFACE_INFO alignment": {unsafe.Alignof(i), 4},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: %d, want %d", name, tc.got, tc.want)
		}
	}
}

func TestName(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		ok   bool
	}{
		{"eth0", true},
		{"é€𝄞", true},
		{strings.Repeat("x", 127), true},
		{strings.Repeat("𝄞", 63), true},
		{"", false},
		{strings.Repeat("x", 128), false},
		{strings.Repeat("𝄞", 64), false},
		{"a\x00b", false},
		{"\xff", false},
	} {
		var m IpAdapterIndexMap
		err := m.SetName("before")
		if err != nil {
			t.Fatal(err)
		}
		err = m.SetName(tc.name)
		want := tc.name
		if !tc.ok {
			want = "before"
			if !errors.Is(err, ERROR_INVALID_PARAMETER) {
				t.Errorf("SetName(%.20q): %v, want ERROR_INVALID_PARAMETER", tc.name, err)
			}
		} else if err != nil {
			t.Errorf("SetName(%.20q): %v", tc.name, err)
		}
		if got := m.NameString(); got != want {
			t.Errorf("after SetName(%.20q): %.20q", tc.name, got)
		}
		if got, err := m.check(); got != want || err != nil {
			t.Errorf("check after SetName(%.20q): %.20q, %v", tc.name, got, err)
		}
	}
}

// badNames are the ones that do not say which adapter is meant.
func badNames() map[string]*IpAdapterIndexMap {
	unit := func(units ...uint16) *IpAdapterIndexMap {
		m := &IpAdapterIndexMap{Index: 2}
		copy(m.Name[:], units)
		return m
	}
	full := unit()
	for i := range full.Name {
		full.Name[i] = 'x'
	}
	return map[string]*IpAdapterIndexMap{
		"no adapter":               nil,
		"empty name":               unit(),
		"no NUL":                   full,
		"a high surrogate alone":   unit('e', 0xd834),
		"a low surrogate alone":    unit(0xdd1e, 'e'),
		"surrogates the wrong way": unit(0xdd1e, 0xd834),
	}
}

func TestBadNames(t *testing.T) {
	t.Parallel()
	for name, m := range badNames() {
		for op, call := range map[string]func(*IpAdapterIndexMap) error{"release": IpReleaseAddress, "renew": IpRenewAddress} {
			if err := call(m); err != ERROR_INVALID_PARAMETER { //nolint:errorlint // It is to be the bare code.
				t.Errorf("%s, %s: %v", op, name, err)
			}
		}
	}
}

func FuzzName(f *testing.F) {
	f.Add("eth0", uint16(0xd834), uint8(1))
	f.Fuzz(func(t *testing.T, name string, unit uint16, at uint8) {
		var m IpAdapterIndexMap
		if err := m.SetName(name); err == nil && m.NameString() != name {
			t.Fatalf("%q became %q", name, m.NameString())
		}
		m.Name[at%MaxAdapterName] = unit
		if got, err := m.check(); err == nil {
			var back IpAdapterIndexMap
			if err := back.SetName(got); err != nil {
				t.Fatalf("%q was accepted: %v", got, err)
			}
		}
	})
}

// TestEveryCodeIsHere: package errno has no code that this package lacks.
func TestEveryCodeIsHere(t *testing.T) {
	t.Parallel()
	constants := func(file string) (names []string) {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for name, o := range f.Scope.Objects {
			if o.Kind == ast.Con {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		return names
	}
	if here, there := constants("errno.go"), constants("../errno/errno.go"); !slices.Equal(here, there) {
		t.Errorf("here %q, in package errno %q", here, there)
	}
}

func ExampleIpAdapterIndexMap_SetName() {
	var adapter IpAdapterIndexMap
	if err := adapter.SetName("eth0"); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(adapter.NameString())
	fmt.Println(adapter.SetName(""))
	// Output:
	// eth0
	// a parameter is not valid
}
