package wine

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/test/lab"
)

func TestMain(m *testing.M) { lab.Main(m) }

// The programs of Debian's packages wine64 and gcc-mingw-w64-x86-64; the former
// puts no name into PATH that would not ask for the 32-bit one.
const (
	wine64     = "/usr/lib/wine/wine64"
	wineserver = "/usr/lib/wine/wineserver64"
	mingw      = "x86_64-w64-mingw32-gcc"
)

// home is where the space's processes see Wine's files: its prefix and what is
// run in it. /tmp, where Wine has its sockets, is the space's own.
const home = "/run/wine"

// A prefix is an installation of Windows, as Wine has it, in a space.
type prefix struct {
	*lab.Space
}

// newPrefix sets Wine up in the space, until the test ends.
func newPrefix(t *testing.T, s *lab.Space) *prefix {
	t.Helper()
	p := &prefix{s}
	if err := os.MkdirAll(p.file("prefix"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := s.Do(func() error { return unix.Mount("tmpfs", "/tmp", "tmpfs", 0, "mode=1777") }); err != nil {
		t.Fatalf("a /tmp of its own: %v", err)
	}
	// The server stays until it is told to end, so programs start at once. What
	// keeps running holds its output open: that is a file.
	if err := p.background(t, p.command(t, wineserver, "--persistent")); err != nil {
		t.Fatalf("start Wine's server: %v", err)
	}
	t.Cleanup(func() {
		_ = p.background(t, p.command(t, wineserver, "--kill")) // ends all programs of the prefix
		if err := p.background(t, p.command(t, wineserver, "--wait")); err != nil {
			t.Errorf("end Wine: %v", err)
		}
	})
	if err := p.background(t, p.command(t, wine64, "wineboot.exe", "--init")); err != nil {
		t.Fatalf("set Wine up: %v", err)
	}
	p.addRandom(t)
	return p
}

// background runs a command that leaves programs behind. What they have printed
// by its end is part of its error.
func (p *prefix) background(t *testing.T, cmd *exec.Cmd) error {
	t.Helper()
	f, err := os.CreateTemp(p.Dir, "output")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd.Stdout, cmd.Stderr = f, f
	if err := p.Do(cmd.Start); err != nil {
		return err
	}
	// Setting Wine up takes ten seconds, and far more on a busy machine.
	timer := time.AfterFunc(5*time.Minute, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	if err = cmd.Wait(); err != nil {
		text, _ := os.ReadFile(f.Name())
		err = fmt.Errorf("%w\n%s", err, text)
	}
	return err
}

// file is the path of a file below home, from outside of the space.
func (p *prefix) file(name string) string { return p.Path(filepath.Join("run", "wine", name)) }

// command prepares a program of Wine.
func (p *prefix) command(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := p.Command(t, name, args...)
	cmd.Dir = home
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "LC_ALL=C",
		"WINEPREFIX=" + home + "/prefix", "WINESERVER=" + wineserver,
		"WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml=;winemenubuilder.exe=d",
	}
	return cmd
}

// windows prepares a Windows program that lies in home.
func (p *prefix) windows(t *testing.T, exe string, args ...string) *exec.Cmd {
	t.Helper()
	return p.command(t, wine64, append([]string{home + "/" + exe}, args...)...)
}

// random is the library from which Go's run time takes its random numbers. Wine
// has it since version 9.
const random = `
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(void *buffer, ULONG size); /* RtlGenRandom */
__declspec(dllexport) BOOL WINAPI ProcessPrng(BYTE *buffer, SIZE_T size) { return SystemFunction036(buffer, (ULONG)size); }
`

func (p *prefix) addRandom(t *testing.T) {
	t.Helper()
	dll := p.file("prefix/drive_c/windows/system32/bcryptprimitives.dll")
	if _, err := os.Stat(dll); err == nil {
		return
	}
	gcc, err := lab.Program(mingw)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(gcc, "-shared", "-O1", "-s", "-o", dll, "-xc", "-", "-ladvapi32")
	cmd.Stdin = strings.NewReader(random)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", filepath.Base(dll), err, out)
	}
}

// build builds for Windows into home: go ARGS -o home/exe.
func (p *prefix) build(t *testing.T, exe string, args ...string) {
	t.Helper()
	began := time.Now()
	args = append(args[:len(args)-1:len(args)-1], "-o", p.file(exe), args[len(args)-1])
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	t.Logf("built %s in %v", exe, time.Since(began).Round(time.Millisecond))
}
