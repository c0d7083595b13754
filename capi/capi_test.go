//go:build linux && cgo

package main_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/text/language"

	"github.com/lessee/lessee/internal/text"
	"github.com/lessee/lessee/test/lab"
)

func TestMain(m *testing.M) { lab.Main(m) }

// root is the project's directory.
var root = sync.OnceValue(func() string {
	dir, err := filepath.Abs("..")
	if err != nil {
		panic(err)
	}
	return dir
})

var built = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(root(), "build", "capitest")
	out, err := run(exec.Command("make", "-C", root(), "capi", "CAPIDIR="+dir))
	if err != nil {
		return out, err
	}
	if strings.Contains(out, "warning:") {
		return out, os.ErrInvalid
	}
	return dir, nil
})

// library builds the C library, once, as `make capi` does, and returns its directory.
func library(t testing.TB) string {
	t.Helper()
	lab.Need(t, "make")
	need(t, "gcc")
	dir, err := built()
	if err != nil {
		t.Fatalf("make capi: %v\n%s", err, dir)
	}
	return dir
}

// run runs a command without what a make around the tests left in the environment.
func run(cmd *exec.Cmd) (string, error) {
	for _, v := range cmd.Environ() {
		if name, _, _ := strings.Cut(v, "="); !strings.HasPrefix(name, "MAKE") && name != "MFLAGS" {
			cmd.Env = append(cmd.Env, v)
		}
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func need(t testing.TB, compiler string) {
	t.Helper()
	if _, err := exec.LookPath(compiler); err != nil {
		lab.Skip(t, "%s is not installed", compiler)
	}
}

// needSanitizers skips the test where a compiler comes without them.
func needSanitizers(t testing.TB, compiler string) {
	t.Helper()
	need(t, compiler)
	cmd := exec.Command(compiler, append(sanitizers, "-x", "c", "-", "-o", filepath.Join(t.TempDir(), "none"))...)
	cmd.Stdin = strings.NewReader("int main(void) { return 0; }\n")
	if out, err := run(cmd); err != nil {
		lab.Skip(t, "%s has no sanitizers: %s", compiler, out)
	}
}

// compilers are the ones that programs are compiled with; their C++ is beside them.
var compilers = []string{"gcc", "clang"}

// strict is what headers and programs have to be clean of.
var strict = []string{"-Wall", "-Wextra", "-pedantic", "-Werror"}

var sanitizers = []string{
	"-g", "-O1", "-fno-omit-frame-pointer", "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
}

// compile compiles C files, relative to this directory, and returns the program.
func compile(t testing.TB, compiler string, flags []string, files ...string) string {
	t.Helper()
	need(t, compiler)
	if slices.Contains(flags, sanitizers[len(sanitizers)-1]) {
		needSanitizers(t, compiler)
	}
	lib := library(t)
	program := filepath.Join(t.TempDir(), "program")
	args := append([]string{"-Iinclude"}, flags...)
	args = append(args, files...)
	args = append(args, "-o", program, "-L"+lib, "-Wl,-rpath,"+lib, "-liphlpapi", "-pthread")
	out, err := run(exec.Command(compiler, args...))
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", compiler, strings.Join(args, " "), err, out)
	}
	return program
}

// variants runs the test with a program as each compiler makes it, plain and
// with sanitizers.
func variants(t *testing.T, file string, test func(t *testing.T, program string)) {
	t.Helper()
	for _, compiler := range compilers {
		for name, flags := range map[string][]string{compiler: {"-O2"}, compiler + " with sanitizers": sanitizers} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t, compile(t, compiler, append(flags, strict...), "testdata/"+file))
			})
		}
	}
}

// environment is that of a C program: no service is where it looks for one.
func environment(cmd *exec.Cmd, more ...string) *exec.Cmd {
	cmd.Env = append(cmd.Environ(), "LC_ALL=C", "LESSEE_SOCKET="+filepath.Join(cmd.Dir, "none"))
	cmd.Env = append(cmd.Env, more...)
	return cmd
}

// checks runs a program that ends with "all is so".
func checks(t *testing.T, s *lab.Space, program string, args ...string) {
	t.Helper()
	r := s.Result(t, environment(s.Command(t, program, args...)))
	if r.Status != 0 || !strings.HasSuffix(r.Stdout, "all is so\n") || r.Stderr != "" {
		t.Errorf("status %d\n%s%s", r.Status, r.Stdout, r.Stderr)
	}
}

// space is a machine without a network.
func space(t *testing.T) *lab.Space {
	t.Helper()
	return lab.New(t).Space("machine")
}

// TestErrors: every error of the contract that needs no network.
func TestErrors(t *testing.T) {
	t.Parallel()
	variants(t, "errors.c", func(t *testing.T, program string) { checks(t, space(t), program) })
}

func TestHeap(t *testing.T) {
	t.Parallel()
	variants(t, "heap.c", func(t *testing.T, program string) { checks(t, space(t), program) })
}

// noData are the texts of ERROR_NO_DATA.
func noData(t *testing.T) (english, french string) {
	t.Helper()
	english, _ = text.System(232, language.English)
	french, _ = text.System(232, language.French)
	if english == french || len(french) == len([]rune(french)) {
		t.Fatalf("%q and %q do not show what is to be shown", english, french)
	}
	return english, french
}

func TestFormatMessage(t *testing.T) {
	t.Parallel()
	variants(t, "message.c", func(t *testing.T, program string) {
		english, french := noData(t)
		checks(t, space(t), program, english, french)
	})
}

func TestPrintf(t *testing.T) {
	t.Parallel()
	for _, compiler := range compilers {
		// With -O2 compilers know what printf of the C library does, and glibc checks more.
		for _, level := range []string{"-O0", "-O2", "-D_FORTIFY_SOURCE=2"} {
			t.Run(compiler+level, func(t *testing.T) {
				t.Parallel()
				program := compile(t, compiler, []string{"-O2", level, "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE"}, "testdata/print.c")
				s := space(t)
				r := s.Result(t, environment(s.Command(t, program)))
				want := "eth0 9eth0 9eth0 9eth0\n\xc3\xa9\xe2\x82\xac\xf0\x9d\x84\x9e 1\neth0\nall is so\n"
				if r.Status != 0 || r.Stdout != want || r.Stderr != "" {
					t.Errorf("status %d\n%s%s, want %s", r.Status, r.Stdout, r.Stderr, want)
				}
			})
		}
	}
}

// TestCFiles compiles the library's own C code into programs, without Go, so
// that warnings and sanitizers of both compilers see it.
func TestCFiles(t *testing.T) {
	t.Parallel()
	for _, compiler := range compilers {
		flags := append([]string{"-std=gnu11", "-Wno-psabi", "-I.", "-Wall", "-Wextra", "-Werror"}, sanitizers...)
		own := func(t *testing.T) string {
			dir := t.TempDir()
			for _, f := range []string{"text.c", "printf.c", "format_message.c", "testdata/standalone/standalone.c"} {
				o := filepath.Join(dir, strings.ReplaceAll(f, "/", "-")+".o")
				args := append(flags, "-DLESSEE_LIBC_PRINTF", "-c", f, "-o", o)
				if out, err := run(exec.Command(compiler, args...)); err != nil {
					t.Fatalf("%s %s: %v\n%s", compiler, strings.Join(args, " "), err, out)
				}
			}
			return dir
		}
		for _, file := range []string{"print.c", "message.c"} {
			t.Run(compiler+" "+file, func(t *testing.T) {
				t.Parallel()
				needSanitizers(t, compiler)
				objects, err := filepath.Glob(own(t) + "/*.o")
				if err != nil || len(objects) != 4 {
					t.Fatal(objects, err)
				}
				program := compile(t, compiler, append(flags, "-D_GNU_SOURCE"), append(objects, "testdata/"+file)...)
				s := space(t)
				english, french := noData(t)
				cmd := environment(s.Command(t, program, english, french), "CHECK_ENGLISH="+english, "CHECK_FRENCH="+french)
				if r := s.Result(t, cmd); r.Status != 0 || !strings.HasSuffix(r.Stdout, "all is so\n") || r.Stderr != "" {
					t.Errorf("status %d\n%s%s", r.Status, r.Stdout, r.Stderr)
				}
			})
		}
	}
}

// cable is a machine with one adapter up, a1, its other end, a0, down: so
// nothing gets carrier, and nothing happens by itself.
func cable(t *testing.T) *lab.Space {
	t.Helper()
	s := space(t)
	addPair(t, s, "a")
	if err := s.SetUp("a1", true); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestThreads(t *testing.T) {
	t.Parallel()
	variants(t, "threads.c", func(t *testing.T, program string) { checks(t, cable(t), program) })
}

// TestProcess: signals, fork, the environment, faults.
func TestProcess(t *testing.T) {
	t.Parallel()
	for _, compiler := range compilers {
		t.Run(compiler, func(t *testing.T) {
			t.Parallel()
			checks(t, cable(t), compile(t, compiler, append([]string{"-D_GNU_SOURCE"}, strict...), "testdata/process.c"))
		})
	}
}

// TestAdaptersAppear: the set of adapters grows between the two calls.
func TestAdaptersAppear(t *testing.T) {
	t.Parallel()
	variants(t, "grow.c", func(t *testing.T, program string) {
		s := cable(t)
		cmd := environment(s.Command(t, program))
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		p := s.StartCmd(t, cmd)
		step := func(line string, then func()) {
			p.AwaitLine(t, patience, "^"+line+"$")
			then()
			if _, err := in.Write([]byte("\n")); err != nil {
				t.Fatal(err)
			}
		}
		step("sizes", func() {
			addPair(t, s, "b")
			setUp(t, s, "b0", "b1")
		})
		step("three", func() {
			for _, name := range []string{"a1", "b0", "b1"} {
				if err := s.SetUp(name, false); err != nil {
					t.Fatal(err)
				}
			}
		})
		if status := p.Wait(t, patience); status != 0 {
			t.Errorf("status %d\n%s", status, p.Tail(50))
		}
	})
}

// files returns the name of each file below a directory.
func files(t *testing.T, dir string) []string {
	t.Helper()
	out, err := exec.Command("find", dir, "-mindepth", "1", "-not", "-type", "d", "-printf", "%P\n").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(bytes.TrimSpace(out)))
}
