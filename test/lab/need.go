package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// T is what the lab asks of a test; *testing.T and *testing.B have it.
type T interface {
	Helper()
	Name() string
	Failed() bool
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Skipf(format string, args ...any)
	Cleanup(func())
}

// requireAll is set by `make test`: a skipped test is a failed one then.
const requireAll = "LESSEE_REQUIRE_ALL"

// reExecuted marks the process that runs inside its own user namespace.
const reExecuted = "LESSEE_LAB_USERNS"

// unavailable says why no network namespaces can be made; "" if they can.
var unavailable string

// Skip skips the test, or fails it where everything is required.
func Skip(t T, format string, args ...any) {
	t.Helper()
	if os.Getenv(requireAll) == "1" {
		t.Fatalf("would be skipped, but %s=1: %s", requireAll, fmt.Sprintf(format, args...))
	}
	t.Skipf(format, args...)
}

// Need skips the test if namespaces or one of the programs are not to be had.
func Need(t T, programs ...string) {
	t.Helper()
	if unavailable != "" {
		Skip(t, "%s", unavailable)
	}
	for _, p := range programs {
		if _, err := Program(p); err != nil {
			Skip(t, "%s is not installed", p)
		}
	}
}

// NeedIDs skips the test unless processes can be given another user id, which
// a user namespace with a single id forbids.
func NeedIDs(t T) {
	t.Helper()
	Need(t, "setpriv")
	m, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		Skip(t, "cannot tell the user ids of this namespace: %v", err)
	}
	if f := strings.Fields(string(m)); len(f) == 3 && f[2] == "1" {
		Skip(t, "this user namespace has one user id only (install uidmap and an entry in /etc/subuid, or run as root)")
	}
}

// Program finds a program in PATH and in the directories for administrators.
func Program(name string) (string, error) {
	if strings.Contains(name, "/") {
		return name, unix.Access(name, unix.X_OK)
	}
	if p, err := exec.LookPath(name); err == nil {
		return p, nil
	}
	for _, dir := range []string{"/usr/sbin", "/sbin", "/usr/local/sbin"} {
		p := filepath.Join(dir, name)
		if unix.Access(p, unix.X_OK) == nil {
			return p, nil
		}
	}
	return "", fmt.Errorf("%s: not installed", name)
}

// Main runs the tests of a package that uses the lab. An ordinary user gets
// them run in a user namespace. Call it from TestMain and nowhere else.
func Main(m *testing.M) {
	if os.Getenv(helperEnv) == "tracer" {
		os.Exit(runTracer())
	}
	if reason := enter(); reason != "" {
		unavailable = reason
	}
	code := m.Run()
	if left := leftovers(); len(left) > 0 {
		fmt.Fprintln(os.Stderr, "lab: processes left behind:")
		for _, l := range left {
			fmt.Fprintln(os.Stderr, "\t"+l)
		}
		code = max(code, 1)
	}
	removeBinary()
	os.Exit(code)
}

// Enter makes sure, outside of tests, that namespaces can be made; an ordinary
// user's process is executed anew in a user namespace. To be called first.
func Enter() error {
	if reason := enter(); reason != "" {
		return errors.New(reason)
	}
	return nil
}

// Leave removes what the process made once: the binary that was built.
func Leave() { removeBinary() }

// enter makes sure that namespaces can be made, if need be by executing the
// process anew inside a user namespace. It returns why that is not possible.
func enter() string {
	if os.Getenv(reExecuted) == "" && !capable() {
		unshare, err := exec.LookPath("unshare")
		if err != nil {
			return "not root, and there is no unshare(1) for a user namespace: run as root"
		}
		var out []byte
		for _, args := range [][]string{
			{"unshare", "-Urnm", "--map-auto", "--kill-child"},
			{"unshare", "-Urnm", "--kill-child"},
		} {
			if out, err = exec.Command(unshare, append(args[1:len(args):len(args)], "true")...).CombinedOutput(); err != nil {
				continue
			}
			if err = os.Setenv(reExecuted, "1"); err != nil {
				return err.Error()
			}
			err = syscall.Exec(unshare, append(args, os.Args...), os.Environ())
			return fmt.Sprintf("unshare: %v", err)
		}
		return fmt.Sprintf("not root, and user namespaces are not allowed (%s): run as root", strings.TrimSpace(string(out)))
	}
	s, err := newSpace("probe", os.TempDir())
	if err != nil {
		return fmt.Sprintf("cannot make network namespaces: %v: run as root", err)
	}
	s.close()
	return ""
}

func capable() bool {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&hdr, &data[0]); err != nil {
		return false
	}
	need := uint32(1<<unix.CAP_SYS_ADMIN | 1<<unix.CAP_NET_ADMIN | 1<<unix.CAP_NET_RAW)
	return data[0].Effective&need == need
}

// leftovers lists the children of this process that still live.
func leftovers() []string {
	var left []string
	tasks, _ := filepath.Glob("/proc/self/task/*/children")
	for _, f := range tasks {
		b, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		for _, pid := range strings.Fields(string(b)) {
			left = append(left, describeProcess(pid))
		}
	}
	return left
}

func describeProcess(pid string) string {
	b, _ := os.ReadFile("/proc/" + pid + "/cmdline")
	return pid + " " + strings.TrimSpace(strings.ReplaceAll(string(b), "\x00", " "))
}
