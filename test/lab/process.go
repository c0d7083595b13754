package lab

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// A Process runs in a space until it ends, is stopped, or the test ends. What
// it prints is kept, and shown if the test fails.
type Process struct {
	// Name is what the process is called in messages.
	Name string
	// Lines are the lines it printed, on both outputs.
	Lines Journal[string]

	cmd  *exec.Cmd
	done chan struct{}
	err  error
	// forgotten processes are not shown if the test fails.
	forgotten atomic.Bool
}

// Forget says that what the process printed need not be shown if the test fails.
func (p *Process) Forget() { p.forgotten.Store(true) }

// Start starts a program in the space.
func (s *Space) Start(t T, name string, args ...string) *Process {
	t.Helper()
	return s.StartCmd(t, s.Command(t, name, args...))
}

// StartCmd starts a command made by [Space.Command]. Its standard output goes
// to the process's lines unless it was set.
func (s *Space) StartCmd(t T, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{Name: cmd.Args[0], cmd: cmd, done: make(chan struct{})}
	r, w := io.Pipe()
	if cmd.Stdout == nil {
		cmd.Stdout = w
	}
	cmd.Stderr = w
	cmd.WaitDelay = time.Second
	if err := s.Do(cmd.Start); err != nil {
		t.Fatalf("space %s: start %s: %v", s.Name, cmd.Args[0], err)
	}
	s.mu.Lock()
	s.procs = append(s.procs, p)
	s.mu.Unlock()
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer p.Lines.Close()
		in := bufio.NewReader(r)
		for {
			line, err := in.ReadString('\n')
			if line != "" {
				p.Lines.Add(strings.TrimRight(line, "\n"))
			}
			if err != nil {
				return
			}
		}
	}()
	go func() {
		p.err = cmd.Wait()
		_ = w.Close()
		<-read
		close(p.done)
	}()
	t.Cleanup(func() {
		s.unhold()
		p.Kill()
		if t.Failed() && !p.forgotten.Load() {
			t.Logf("%s of %s printed:\n%s", p.Name, s.Name, p.Tail(400))
		}
	})
	return p
}

// Pid returns the process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Signal sends a signal to the process alone.
func (p *Process) Signal(sig syscall.Signal) error { return p.cmd.Process.Signal(sig) }

// Kill kills the process with its children and waits for its end.
func (p *Process) Kill() {
	select {
	case <-p.done:
	default:
		_ = syscall.Kill(-p.Pid(), syscall.SIGKILL)
		<-p.done
	}
}

// Stop asks the process to end, and kills it if it does not within 5 seconds.
// It returns how the process ended.
func (p *Process) Stop(t T) error {
	t.Helper()
	_ = p.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(5 * time.Second):
		t.Errorf("%s does not end on SIGTERM", p.Name)
		p.Kill()
	}
	return p.err
}

// Wait waits for the process's end and returns its exit status; -1 if it was
// killed by a signal. It fails the test if that takes longer than patience.
func (p *Process) Wait(t T, patience time.Duration) int {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		t.Fatalf("%s still runs after %v", p.Name, patience)
	}
	return p.cmd.ProcessState.ExitCode()
}

// Exited reports whether the process has ended.
func (p *Process) Exited() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// Blocked reports whether a thread of the process sleeps so that no signal wakes
// it, as those do that wait for a disk.
func (p *Process) Blocked() bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", p.Pid()))
	for _, file := range threads {
		stat, _ := os.ReadFile(file)
		// id (name) state ...
		if i := bytes.LastIndexByte(stat, ')'); i >= 0 && bytes.HasPrefix(stat[i+1:], []byte(" D")) {
			return true
		}
	}
	return false
}

// AwaitLine waits for a line that matches the pattern.
func (p *Process) AwaitLine(t T, patience time.Duration, pattern string) string {
	t.Helper()
	line, _ := p.AwaitLineFrom(t, 0, patience, pattern)
	return line
}

// AwaitLineFrom waits for a line after the mark that matches the pattern and
// returns it with the mark behind it.
func (p *Process) AwaitLineFrom(t T, mark int, patience time.Duration, pattern string) (string, int) {
	t.Helper()
	re := regexp.MustCompile(pattern)
	line, next, ok := p.Lines.Wait(mark, patience, re.MatchString)
	if !ok {
		end := ""
		if p.Exited() {
			end = fmt.Sprintf(" (it has ended: %v)", p.err)
		}
		t.Fatalf("%s did not print %q within %v%s", p.Name, pattern, patience, end)
	}
	return line, next
}

// Tail returns the last n lines that the process printed.
func (p *Process) Tail(n int) string {
	l := p.Lines.Since(0)
	if len(l) > n {
		l = append([]string{fmt.Sprintf("… %d lines", len(l)-n)}, l[len(l)-n:]...)
	}
	return "\t" + strings.Join(l, "\n\t")
}
