package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/lessee/lessee"
)

// Options say how a daemon is started.
type Options struct {
	// Args follow "lessee daemon --socket … --state … --run … --config …".
	Args []string
	// Config is the configuration file's content.
	Config string
	// State is the state directory; default a fresh one of the space. A second
	// daemon started with the same one finds what the first has left.
	State string
	// Run is the folder for the leases of this boot; default one of the space's,
	// on a tmpfs where there is one.
	Run string
	// Env is added to the environment.
	Env []string
	// Container makes the daemon process 1 of a process namespace, with a
	// /proc of its own, as in a container: the network is its machine's then.
	Container bool
	// Log is a file that gets the log; empty: the process's lines have it.
	Log string
	// Quiet leaves the event stream alone.
	Quiet bool
}

// A Daemon is the product, running in a space.
type Daemon struct {
	*Process
	Space *Space
	// Socket and Config are files, State and Run folders.
	Socket, State, Run, Config string
	// Client speaks to the daemon's control socket.
	Client *lessee.Client
	// Events are what the daemon reported since its socket was there.
	Events *Journal[lessee.Event]
}

// Daemon prepares `lessee daemon` in the space and starts it; it does not wait
// for it. Most tests want [Space.ReadyDaemon].
func (s *Space) Daemon(t T, o Options) *Daemon {
	t.Helper()
	bin := Binary(t)
	d := &Daemon{Space: s, Socket: s.Path("lessee.sock"), State: o.State, Config: s.Path("lessee.toml"), Events: &Journal[lessee.Event]{}}
	if d.State == "" {
		d.State = s.Path("state")
	}
	if d.Run = o.Run; d.Run == "" {
		d.Run = s.RunDir(t)
	}
	args := []string{"daemon", "--socket", d.Socket, "--state", d.State, "--run", d.Run}
	if o.Config != "" {
		s.Write(t, "lessee.toml", o.Config)
		args = append(args, "--config", d.Config)
	}
	cmd := s.Command(t, bin, append(args, o.Args...)...)
	if o.Log != "" {
		cmd = s.Command(t, "sh", append([]string{"-c", `log=$0; exec "$@" 2>"$log"`, o.Log, bin}, append(args, o.Args...)...)...)
	}
	if o.Container {
		cmd = s.Command(t, "sh", append([]string{"-c", `mount -t proc proc /proc && exec "$0" "$@"`, bin}, append(args, o.Args...)...)...)
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWPID | syscall.CLONE_NEWNS
	}
	cmd.Env = append(cmd.Environ(), o.Env...)
	d.Process = s.StartCmd(t, cmd)
	d.Name = "lessee daemon"
	d.Client = lessee.New(lessee.WithSocket(d.Socket))
	return d
}

// ReadyDaemon starts `lessee daemon` in the space, waits until its socket
// answers, and subscribes to its events.
func (s *Space) ReadyDaemon(t T, o Options) *Daemon {
	t.Helper()
	d := s.Daemon(t, o)
	d.AwaitSocket(t)
	if !o.Quiet {
		d.watch(t)
	}
	return d
}

// AwaitSocket waits until the daemon accepts connections.
func (d *Daemon) AwaitSocket(t T) {
	t.Helper()
	if !Eventually(waitLong, func() bool {
		if d.Exited() {
			return true
		}
		c, err := net.Dial("unix", d.Socket)
		if err != nil {
			return false
		}
		_ = c.Close()
		return true
	}) || d.Exited() {
		t.Fatalf("lessee daemon: its socket is not there (ended: %v)", d.Exited())
	}
}

func (d *Daemon) watch(t T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	stream, err := d.Client.Watch(ctx, "")
	if err != nil {
		cancel()
		t.Fatalf("lessee daemon: watch its events: %v", err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		defer d.Events.Close()
		for {
			e, err := stream.Next()
			if err != nil {
				return
			}
			d.Events.Add(e)
		}
	})
	t.Cleanup(func() {
		cancel()
		_ = stream.Close()
		wg.Wait()
		if t.Failed() {
			var b strings.Builder
			for _, e := range d.Events.Since(0) {
				j, _ := json.Marshal(e)
				b.WriteString("\n\t" + string(j))
			}
			t.Logf("events of the daemon of %s:%s", d.Space.Name, b.String())
		}
	})
}

// AwaitEvent waits for an event of that kind at or after mark.
func (d *Daemon) AwaitEvent(t T, mark int, patience time.Duration, kind lessee.EventKind) (lessee.Event, int) {
	t.Helper()
	e, next, ok := d.Events.Wait(mark, patience, func(e lessee.Event) bool { return e.Kind == kind })
	if !ok {
		t.Fatalf("no event %q within %v", kind, patience)
	}
	return e, next
}

// AwaitState waits until the adapter's IPv4 state is one of those given.
func (d *Daemon) AwaitState(t T, adapter string, patience time.Duration, states ...string) lessee.Adapter {
	t.Helper()
	var a lessee.Adapter
	var err error
	ok := Eventually(patience, func() bool {
		a, err = d.Client.Adapter(context.Background(), adapter)
		if err != nil || a.IPv4 == nil {
			return false
		}
		for _, s := range states {
			if a.IPv4.State == s {
				return true
			}
		}
		return false
	})
	if !ok {
		t.Fatalf("%s is not %s after %v: %+v %v", adapter, strings.Join(states, " or "), patience, a.IPv4, err)
	}
	return a
}

// AwaitBound waits until the adapter has a lease that is configured.
func (d *Daemon) AwaitBound(t T, adapter string) lessee.Adapter {
	t.Helper()
	a := d.AwaitState(t, adapter, waitLong, "bound")
	// The state says what the server granted; the kernel has it a moment later.
	routes := 1 + len(a.IPv4.Routes)
	if len(a.IPv4.Routes) == 0 && len(a.IPv4.Routers) > 0 {
		routes++
	}
	if !Eventually(waitLong, func() bool { return len(d.Space.Routes(a.Name)) >= routes && len(d.Space.Addresses(a.Name)) > 0 }) {
		t.Fatalf("%s is bound to %v, but has addresses %v and routes %q", adapter, a.IPv4.Address, d.Space.Addresses(a.Name), d.Space.Routes(a.Name))
	}
	return a
}

// A Result is what a command of the product came to.
type Result struct {
	Status         int // exit status; -1 if killed by a signal
	Stdout, Stderr string
	Took           time.Duration
}

// CLI runs `lessee` with the arguments in the daemon's space.
func (d *Daemon) CLI(t T, args ...string) Result {
	t.Helper()
	return d.Space.CLI(t, []string{lessee.SocketEnv + "=" + d.Socket}, args...)
}

// Must runs `lessee` with the arguments and fails the test if it fails.
func (d *Daemon) Must(t T, args ...string) Result {
	t.Helper()
	r := d.CLI(t, args...)
	if r.Status != 0 {
		t.Fatalf("lessee %s: exit status %d\n%s%s", strings.Join(args, " "), r.Status, r.Stdout, r.Stderr)
	}
	return r
}

// List runs `lessee list -o json`.
func (d *Daemon) List(t T) []lessee.Adapter {
	t.Helper()
	var list []lessee.Adapter
	r := d.Must(t, "list", "-o", "json")
	if err := json.Unmarshal([]byte(r.Stdout), &list); err != nil {
		t.Fatalf("lessee list -o json: %v\n%s", err, r.Stdout)
	}
	return list
}

// Show runs `lessee show ADAPTER -o json`.
func (d *Daemon) Show(t T, adapter string) lessee.Adapter {
	t.Helper()
	var a lessee.Adapter
	r := d.Must(t, "show", adapter, "-o", "json")
	if err := json.Unmarshal([]byte(r.Stdout), &a); err != nil {
		t.Fatalf("lessee show %s -o json: %v\n%s", adapter, err, r.Stdout)
	}
	return a
}

// CLI runs `lessee` with the arguments in the space and waits for its end.
func (s *Space) CLI(t T, env []string, args ...string) Result {
	t.Helper()
	cmd := s.Command(t, Binary(t), args...)
	cmd.Args[0] = "lessee"
	cmd.Env = append(cmd.Environ(), append([]string{"LC_ALL=C"}, env...)...)
	return s.Result(t, cmd)
}

// Result runs a command of the space to its end; it fails the test only if
// the command could not be started.
func (s *Space) Result(t T, cmd *exec.Cmd) Result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	began := time.Now()
	_, err := s.Output(cmd)
	r := Result{Stdout: stdout.String(), Stderr: stderr.String(), Took: time.Since(began)}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		r.Status = exit.ExitCode()
	} else if err != nil {
		t.Fatalf("space %s: %s: %v", s.Name, strings.Join(cmd.Args, " "), err)
	}
	return r
}

// Usage is what a process takes of the machine.
type Usage struct {
	RSS                  int // bytes
	Threads, Descriptors int
}

// Usage returns what the process takes at present.
func (p *Process) Usage() (Usage, error) { return UsageOf(p.Pid()) }

// UsageOf returns what a process takes at present.
func UsageOf(pid int) (Usage, error) {
	var u Usage
	dir := fmt.Sprintf("/proc/%d/", pid)
	b, err := os.ReadFile(dir + "status")
	if err != nil {
		return u, err
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		switch n, _ := strconv.Atoi(f[1]); f[0] {
		case "VmRSS:":
			u.RSS = n << 10
		case "Threads:":
			u.Threads = n
		}
	}
	fds, err := os.ReadDir(dir + "fd")
	u.Descriptors = len(fds)
	return u, err
}

// Crash ends the daemon by SIGKILL: nothing of its own runs any more.
func (d *Daemon) Crash() { d.Kill() }
