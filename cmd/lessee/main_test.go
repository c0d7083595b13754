package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain makes the test binary the program itself where a test asks for it.
func TestMain(m *testing.M) {
	if os.Getenv("LESSEE_TEST_AS_PROGRAM") != "" {
		main()
	}
	os.Exit(m.Run())
}

// The name by which the program is called says which command it is.
func TestPersonalities(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, arg, want string
		status          int
	}{
		{"lessee", "help", "usage: lessee COMMAND", 0},
		{"ipconfig", "/?", "usage: ipconfig [/all", 0},
		{"IPCONFIG.EXE", "-?", "usage: ipconfig [/all", 0},
		{"ipconfig", "/frobnicate", "usage: ipconfig [/all", 1},
		{"lessee", "ipconfig", "unknown command \"ipconfig\"", 2},
		{"other", "help", "usage: lessee COMMAND", 0},
	} {
		t.Run(c.name+" "+c.arg, func(t *testing.T) {
			t.Parallel()
			link := filepath.Join(t.TempDir(), c.name)
			if err := os.Symlink(exe, link); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), link, c.arg)
			cmd.Env = []string{"LESSEE_TEST_AS_PROGRAM=1", "LC_ALL=C"}
			out, err := cmd.CombinedOutput()
			if cmd.ProcessState == nil {
				t.Fatal(err)
			}
			if got := cmd.ProcessState.ExitCode(); got != c.status || !strings.Contains(string(out), c.want) {
				t.Errorf("status %d, want %d with %q:\n%s", got, c.status, c.want, out)
			}
		})
	}
}
