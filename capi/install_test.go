//go:build linux && cgo

package main_test

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// exported are the names that the library is to have, and no others.
func exported(t *testing.T) []string {
	t.Helper()
	b, err := os.ReadFile("exports.map")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^ +(\w+);$`).FindAllStringSubmatch(string(b), -1) {
		names = append(names, m[1])
	}
	slices.Sort(names)
	return names
}

// TestExports: nothing of the Go runtime is to be seen, and nothing is missing.
func TestExports(t *testing.T) {
	t.Parallel()
	want := exported(t)
	for _, name := range []string{
		"GetInterfaceInfo", "IpReleaseAddress", "IpRenewAddress", "GetAdaptersInfo", "GetPerAdapterInfo",
		"GetNumberOfInterfaces", "GetAdapterIndex", "FormatMessageA", "FormatMessageW", "LocalFree", "GetLastError", "SetLastError",
	} {
		if !slices.Contains(want, name) {
			t.Errorf("exports.map lacks %s", name)
		}
	}
	dir := library(t)
	f, err := elf.Open(filepath.Join(dir, "libiphlpapi.so"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if so, err := f.DynString(elf.DT_SONAME); err != nil || !slices.Equal(so, []string{"libiphlpapi.so.1"}) {
		t.Errorf("soname %q, %v", so, err)
	}
	needs, err := f.ImportedLibraries()
	if err != nil || slices.ContainsFunc(needs, func(n string) bool { return n != "libc.so.6" && !strings.HasPrefix(n, "ld-linux") }) {
		t.Errorf("needs %q, %v; more than the C library", needs, err)
	}
	symbols, err := f.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range symbols {
		if s.Section != elf.SHN_UNDEF && elf.ST_TYPE(s.Info) == elf.STT_FUNC {
			got = append(got, s.Name)
		} else if s.Section != elf.SHN_UNDEF && s.Name != "IPHLPAPI_1" {
			t.Errorf("exports %s, which is not a function", s.Name)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the shared library exports\n%q, want\n%q", got, want)
	}

	out, err := exec.Command("nm", "--extern-only", "--defined-only", "--format=posix", filepath.Join(dir, "libiphlpapi.a")).Output()
	if err != nil {
		t.Fatal(err)
	}
	got = nil
	for l := range strings.Lines(string(out)) {
		if f := strings.Fields(l); len(f) > 1 && !strings.HasSuffix(f[0], ":") {
			got = append(got, f[0])
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the static library exports\n%q, want\n%q", got, want)
	}
	for _, left := range files(t, dir) {
		if !strings.HasPrefix(left, "libiphlpapi.so") && left != "libiphlpapi.a" {
			t.Errorf("make capi leaves %s", left)
		}
	}
}

// TestInstall installs below a directory, and builds programs against that with
// what pkg-config says: dynamic, with the static library, and all static.
func TestInstall(t *testing.T) {
	t.Parallel()
	need(t, "pkg-config")
	dir, dest := library(t), t.TempDir()
	// What is built is installed as it is, by the recipe alone.
	out, err := run(exec.Command("make", "-C", root(), "capiinstall", "-o", "capi", "CAPIDIR="+dir, "DESTDIR="+dest, "PREFIX=/opt/lessee", "LIBDIR=/opt/lessee/lib64"))
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got := files(t, dest)
	slices.Sort(got)
	var want []string
	for _, h := range files(t, "include") {
		want = append(want, "opt/lessee/include/lessee-iphlpapi/"+h)
	}
	for _, l := range []string{"libiphlpapi.a", "libiphlpapi.so", "libiphlpapi.so.1", "libiphlpapi.so.1.0.0", "pkgconfig/iphlpapi.pc"} {
		want = append(want, "opt/lessee/lib64/"+l)
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Fatalf("installed\n%q, want\n%q", got, want)
	}
	lib := filepath.Join(dest, "opt/lessee/lib64")
	for name, c := range map[string]struct{ pkg, gcc []string }{
		"dynamic":            {nil, []string{"-Wl,-rpath," + lib}},
		"the static library": {[]string{"--static"}, []string{"-Wl,-Bstatic", "-liphlpapi", "-Wl,-Bdynamic"}},
		"all static":         {[]string{"--static"}, []string{"-static"}},
	} {
		cmd := exec.Command("pkg-config", append(c.pkg, "--cflags", "--libs", "iphlpapi")...)
		cmd.Env = append(cmd.Environ(), "PKG_CONFIG_LIBDIR="+lib+"/pkgconfig", "PKG_CONFIG_SYSROOT_DIR="+dest)
		flags, err := cmd.Output()
		if err != nil {
			t.Fatalf("pkg-config: %v", err)
		}
		program := filepath.Join(t.TempDir(), "program")
		args := append([]string{"testdata/errors.c", "-o", program}, c.gcc...)
		args = append(args, strings.Fields(string(flags))...)
		if out, err := run(exec.Command("gcc", args...)); err != nil {
			t.Errorf("%s: gcc %s: %v\n%s", name, strings.Join(args, " "), err, out)
			continue
		}
		checks(t, space(t), program)
		f, err := elf.Open(program)
		if err != nil {
			t.Fatal(err)
		}
		needs, err := f.ImportedLibraries()
		if err != nil || slices.Contains(needs, "libiphlpapi.so.1") != (name == "dynamic") || (len(needs) == 0) != (name == "all static") {
			t.Errorf("%s: needs %q, %v", name, needs, err)
		}
		f.Close()
	}
}

// TestLoad: the library can be loaded by a running program.
func TestLoad(t *testing.T) {
	t.Parallel()
	program := compile(t, "gcc", strict, "testdata/load.c")
	checks(t, space(t), program, filepath.Join(library(t), "libiphlpapi.so.1"))
}
