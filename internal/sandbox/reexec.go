//go:build linux

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// marker is the environment variable that a sandboxed process finds itself by.
// Its value is the network namespace that the sandbox was started from, so
// that a marker set by accident is not believed.
const marker = "LESSEE_SANDBOX"

// A DeniedError says that this system does not let the caller create a sandbox.
type DeniedError struct {
	// Op is what was refused.
	Op string
	// Hint says which setting forbids it and what to do.
	Hint string
	Err  error
}

func (e *DeniedError) Error() string {
	return fmt.Sprintf("cannot create a sandbox: %s (%s: %v)", e.Hint, e.Op, e.Err)
}

func (e *DeniedError) Unwrap() error { return e.Err }

// Inside reports whether this process is in a sandbox.
func Inside() bool { return inside() }

var inside = sync.OnceValue(func() bool {
	outer := os.Getenv(marker)
	here, err := os.Readlink("/proc/self/ns/net")
	return err == nil && outer != "" && outer != here
})

// private names the variables that would lead out of the sandbox: to the
// system's message bus, or to the service manager that supervises the caller.
var private = []string{
	marker, "DBUS_SYSTEM_BUS_ADDRESS", "DBUS_SESSION_BUS_ADDRESS",
	"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES",
}

// Command returns the command that runs this executable with args in a new
// sandbox. With user set it gets a user namespace, in which the caller is
// root; without, the caller has to be root already.
//
// Killing the thread that starts the command kills the command: see [Run].
func Command(ctx context.Context, user bool, args ...string) (*exec.Cmd, error) {
	here, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		return nil, fmt.Errorf("cannot create a sandbox: this needs a kernel with network namespaces and /proc: %w", err)
	}
	cmd := exec.CommandContext(ctx, "/proc/self/exe", args...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return slices.Contains(private, name)
	}), marker+"="+here)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS,
		Pdeathsig:  syscall.SIGKILL,
	}
	if user {
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	return cmd, nil
}

// Run runs this executable with args in a new sandbox, which dies with the
// caller, and returns its exit status. Signals that ask the caller to stop are
// passed on. The error is a [*DeniedError] where the system forbids sandboxes.
func Run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) (int, error) {
	// The kernel kills the child when the thread that started it ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	signals := make(chan os.Signal, 4)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT)
	defer signal.Stop(signals)

	start := func(user bool) (*exec.Cmd, error) {
		// The context asks, it does not kill: the child cleans up.
		cmd, err := Command(context.WithoutCancel(ctx), user, args...)
		if err != nil {
			return nil, err
		}
		cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, errOut
		return cmd, cmd.Start()
	}
	root := os.Geteuid() == 0
	cmd, err := start(!root)
	if root && errors.Is(err, unix.EPERM) {
		// Root of a container, without the right to create namespaces.
		cmd, err = start(true)
	}
	if err != nil {
		return 0, denied("create namespaces", err)
	}

	ended := make(chan struct{})
	defer close(ended)
	go func() {
		asked := ctx.Done()
		for {
			select {
			case s := <-signals:
				_ = cmd.Process.Signal(s)
			case <-asked:
				_ = cmd.Process.Signal(unix.SIGTERM)
				asked = nil
			case <-ended:
				return
			}
		}
	}()
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return 128 + int(status.Signal()), nil
		}
		return exit.ExitCode(), nil
	}
	return 0, err
}

// denied adds to a refusal of the kernel which setting is the reason. Other
// errors are returned as they are.
func denied(op string, err error) error {
	if err == nil {
		return nil
	}
	if !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.EACCES) && !errors.Is(err, unix.ENOSPC) &&
		!errors.Is(err, unix.EUSERS) && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOSYS) {
		return fmt.Errorf("cannot create a sandbox: %s: %w", op, err)
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		err = errno // the path /proc/self/exe says nothing to a user
	}
	return &DeniedError{Op: op, Err: err, Hint: hint(err, os.Geteuid() == 0, func(name string) string {
		b, readErr := os.ReadFile("/proc/sys/" + name)
		if readErr != nil {
			return ""
		}
		return strings.TrimSpace(string(b))
	})}
}

// sudo is the other way out of most refusals.
const sudo = ", or run it as root: sudo lessee demo"

// hint says which setting makes the kernel refuse, and what to do. sysctl
// returns a setting's value, or "" if this kernel does not have it.
func hint(err error, root bool, sysctl func(string) string) string {
	switch {
	case sysctl("user/max_user_namespaces") == "0":
		return "user namespaces are turned off; allow them with 'sysctl -w user.max_user_namespaces=15000'" + sudo
	case sysctl("user/max_net_namespaces") == "0":
		return "network namespaces are turned off; allow them with 'sysctl -w user.max_net_namespaces=15000'"
	case sysctl("kernel/unprivileged_userns_clone") == "0":
		return "user namespaces are for root only; allow them with 'sysctl -w kernel.unprivileged_userns_clone=1'" + sudo
	case sysctl("kernel/apparmor_restrict_unprivileged_userns") == "1":
		return "AppArmor restricts user namespaces; allow them with " +
			"'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0'" + sudo
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EUSERS):
		return "the limit of namespaces is reached; see the sysctls user.max_user_namespaces and user.max_net_namespaces"
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOSYS):
		return "this kernel lacks user or network namespaces (CONFIG_USER_NS, CONFIG_NET_NS); run it as root on another kernel"
	case root:
		return "root lacks CAP_SYS_ADMIN here, as in a container; start the container with '--privileged' " +
			"or '--cap-add SYS_ADMIN --cap-add NET_ADMIN --security-opt seccomp=unconfined'"
	default:
		return "a container or security module forbids user namespaces" + sudo
	}
}
