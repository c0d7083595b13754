//go:build linux && cgo

package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A dialect is a language that the headers are to be clean in.
type dialect struct {
	compiler, language string
	standards          []string
}

var dialects = []dialect{
	{"gcc", "c", []string{"c89", "gnu89", "c99", "gnu99", "c11", "gnu11", "c17", "c2x"}},
	{"clang", "c", []string{"c89", "gnu89", "c99", "gnu99", "c11", "gnu11", "c17", "c2x"}},
	{"g++", "c++", []string{"c++98", "c++11", "c++14", "c++17", "c++20", "gnu++20"}},
	{"clang++", "c++", []string{"c++98", "c++11", "c++14", "c++17", "c++20", "gnu++20"}},
}

// pickiest are warnings beyond the usual that a program may have switched on.
var pickiest = []string{"-Wshadow", "-Wconversion", "-Wsign-conversion", "-Wundef", "-Wredundant-decls"}

func syntax(t *testing.T, compiler string, args ...string) {
	t.Helper()
	args = append([]string{"-Iinclude", "-fsyntax-only"}, args...)
	if out, err := run(exec.Command(compiler, args...)); err != nil || out != "" {
		t.Errorf("%s %s: %v\n%s", compiler, strings.Join(args, " "), err, out)
	}
}

// TestHeaders compiles a program that uses all of the headers, in every
// standard, with and without UNICODE; the sizes and offsets are asserted there.
func TestHeaders(t *testing.T) {
	t.Parallel()
	for _, d := range dialects {
		for _, std := range d.standards {
			t.Run(d.compiler+" "+std, func(t *testing.T) {
				t.Parallel()
				need(t, d.compiler)
				for _, more := range [][]string{nil, {"-DUNICODE"}, {"-DUNICODE", "-fshort-wchar"}, {"-m64", "-O2", "-D_FORTIFY_SOURCE=2"}, {"-DLESSEE_LIBC_PRINTF", "-Wno-format"}} {
					args := append([]string{"-x", d.language, "-std=" + std, "-DHEADER_FIRST=<iphlpapi.h>"}, strict...)
					syntax(t, d.compiler, append(append(args, pickiest...), append(more, "testdata/headers.c")...)...)
				}
			})
		}
	}
}

// TestHeadersAlone: each header compiles before all others.
func TestHeadersAlone(t *testing.T) {
	t.Parallel()
	headers, err := os.ReadDir("include")
	if err != nil || len(headers) < 12 {
		t.Fatal(headers, err)
	}
	for _, d := range dialects {
		for _, h := range headers {
			if h.Name() == "cstdio" && d.language == "c" {
				continue
			}
			t.Run(d.compiler+" "+h.Name(), func(t *testing.T) {
				t.Parallel()
				need(t, d.compiler)
				args := append([]string{"-x", d.language, "-DHEADER_FIRST=<" + h.Name() + ">"}, strict...)
				syntax(t, d.compiler, append(args, "testdata/headers.c")...)
			})
		}
	}
}

// TestCPlusPlus: std::printf, <cstdio> and the headers of the library above it.
func TestCPlusPlus(t *testing.T) {
	t.Parallel()
	for _, compiler := range []string{"g++", "clang++"} {
		t.Run(compiler, func(t *testing.T) {
			t.Parallel()
			program := compile(t, compiler, append([]string{"-std=c++17"}, strict...), "testdata/plusplus.cc")
			checks(t, space(t), program)
		})
	}
}

// TestSystemHeadersFirst: the headers of the system do not mind ours among them.
func TestSystemHeadersFirst(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "system.c")
	text := "#include <iphlpapi.h>\n"
	for _, h := range []string{"net/if.h", "netinet/tcp.h", "sys/ioctl.h", "sys/stat.h", "pthread.h", "locale.h", "wchar.h", "uchar.h", "resolv.h", "ifaddrs.h", "linux/rtnetlink.h", "stdbool.h", "inttypes.h"} {
		text += "#include <" + h + ">\n"
	}
	if err := os.WriteFile(file, []byte(text+"int x;\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, compiler := range compilers {
		need(t, compiler)
		syntax(t, compiler, append(strict, "-std=gnu11", file)...)
	}
}
