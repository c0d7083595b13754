//go:build linux

package cli

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"
)

// asProgram makes the test binary the program itself.
const asProgram = "LESSEE_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(Main())
	}
	os.Exit(m.Run())
}

// program returns the command that runs the program with args.
func program(t *testing.T, exe string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), exe, args...)
	cmd.Env = []string{asProgram + "=1", "PATH=" + os.Getenv("PATH")}
	return cmd
}

// The demonstration keeps its promises, looks good in 80 columns, and is quick.
func TestDemo(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Run("as the user of the test", func(t *testing.T) {
		t.Parallel()
		checkDemo(t, program(t, exe, "demo"))
	})
	t.Run("as an ordinary user", func(t *testing.T) {
		t.Parallel()
		if os.Getuid() != 0 {
			return // the case above was that
		}
		// The test binary is where only root can read.
		dir, err := os.MkdirTemp("", "demo")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		copied := filepath.Join(dir, "lessee")
		if err := errors.Join(os.Chmod(dir, 0o755), copyFile(copied, exe)); err != nil {
			t.Fatal(err)
		}
		cmd := program(t, copied, "demo")
		cmd.Dir = "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		checkDemo(t, cmd)
	})
}

// The demonstration keeps its promises in French, too.
func TestDemoInFrench(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := program(t, exe, "demo")
	cmd.Env = append(cmd.Env, "LC_ALL=fr_FR.UTF-8")
	checkDemoSays(t, cmd, []string{
		"$ lessee up eth0\n", "DISCOVER", "ACK", " de 10.77.0.1, expire dans 2min", "serveur : 10.77.0.100 donné",
		"serveur : 10.77.0.100 libéré", "via 10.77.0.1", "INDEX  NOM", "Tout comme promis, en ", "bac à sable",
	})
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

func checkDemo(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	checkDemoSays(t, cmd, []string{
		"$ lessee up eth0\n", "DISCOVER", "OFFER", "REQUEST", "ACK", "$ lessee renew eth0\n", "$ lessee release eth0\n", "RELEASE",
		"server: 10.77.0.100 bound", "server: 10.77.0.100 released", "default via 10.77.0.1", "All as promised",
	})
}

func checkDemoSays(t *testing.T, cmd *exec.Cmd, wanted []string) {
	t.Helper()
	before, err := os.ReadFile("/etc/resolv.conf")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	began := time.Now()
	err = cmd.Run()
	if strings.Contains(errOut.String(), "cannot create a sandbox") {
		t.Skip(errOut.String())
	}
	if err != nil || errOut.Len() > 0 {
		t.Fatalf("%v\n%s%s", err, out.String(), errOut.String())
	}
	if d := time.Since(began); d > 5*time.Second {
		t.Errorf("it took %v", d)
	}
	text := out.String()
	for _, want := range wanted {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) > 65 {
		t.Errorf("%d lines", len(lines))
	}
	for _, l := range lines {
		if n := utf8.RuneCountInString(l); n > 80 {
			t.Errorf("%d columns: %q", n, l)
		}
	}
	after, err := os.ReadFile("/etc/resolv.conf")
	if err == nil && !bytes.Equal(before, after) {
		t.Error("/etc/resolv.conf has changed")
	}
}

// A second demonstration beside the first is nobody's business.
func TestDemosSideBySide(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"one", "other"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkDemo(t, program(t, exe, "demo"))
		})
	}
}
