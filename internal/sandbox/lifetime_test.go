//go:build linux

package sandbox_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/internal/sandbox"
	"github.com/lessee/lessee/internal/sandbox/sandboxtest"
)

// role makes the test binary a program that waits in a sandbox.
const role = "LESSEE_TEST_WAITS"

func TestMain(m *testing.M) {
	if os.Getenv(role) == "" {
		sandboxtest.Main(m)
	}
	if sandbox.Inside() {
		_, err := sandbox.Enter()
		fmt.Println("inside", err)
		// The end of the input never comes: the writing end is the test's.
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}
	code, err := sandbox.Run(context.Background(), nil, os.Stdin, os.Stdout, os.Stderr)
	fmt.Println("ended", code, err)
	os.Exit(code)
}

// waiting starts a program that waits in a sandbox, and returns it with its output.
func waiting(t *testing.T) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	sandboxtest.Require(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	// Without the marker it makes a sandbox of its own, inside this one.
	cmd.Env = []string{role + "=1"}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close() })
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(out)
	line, err := r.ReadString('\n')
	if err != nil || line != "inside <nil>\n" {
		t.Fatalf("got %q, %v", line, err)
	}
	return cmd, r
}

// rest reads until all processes that could write have ended.
func rest(t *testing.T, r io.Reader) string {
	t.Helper()
	text := make(chan string, 1)
	go func() {
		b, _ := io.ReadAll(r)
		text <- string(b)
	}()
	select {
	case s := <-text:
		return s
	case <-time.After(10 * time.Second):
		t.Fatal("the sandboxed process has outlived its parent")
		return ""
	}
}

func TestSandboxDiesWithItsParent(t *testing.T) {
	t.Parallel()
	cmd, out := waiting(t)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if s := rest(t, out); s != "" {
		t.Errorf("got %q", s)
	}
	_ = cmd.Wait() // killed
}

func TestSignalsReachTheSandbox(t *testing.T) {
	t.Parallel()
	cmd, out := waiting(t)
	if err := cmd.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if s := rest(t, out); !strings.HasPrefix(s, "ended 143 <nil>") {
		t.Errorf("got %q, want the status of a process that SIGTERM ended", s)
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != 143 {
		t.Errorf("got %v", err)
	}
}
