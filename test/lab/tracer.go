package lab

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

// A TraceRule says which system calls of a process are counted, and at which
// one the process is killed.
type TraceRule struct {
	// From starts the count: a system call returned received data that contains
	// one of these byte strings. The next entry into a system call, of any
	// thread, is number 1. Without From the count starts at once.
	From [][]byte
	// Until is the answer: a system call is entered that sends data which
	// contains one of these byte strings. The count continues afterwards.
	Until [][]byte
	// KillAt is the number of the system call at whose entry the process is
	// killed by SIGKILL: that call is not carried out. 0 means never.
	KillAt int
}

// A TraceResult says what a traced process did until its end.
type TraceResult struct {
	// Count is the number of system calls that were entered.
	Count int
	// UntilAt is the number of the system call that matched [TraceRule.Until]; 0
	// if none did.
	UntilAt int
	// Killed says that the count reached [TraceRule.KillAt].
	Killed bool
	// Calls are the counted system calls, the one that was killed included, as
	// "thread name".
	Calls []string
	// Err is what went wrong; empty if nothing did.
	Err string
}

// Last returns the name of the last system call that was entered.
func (r TraceResult) Last() string {
	if len(r.Calls) == 0 {
		return "none"
	}
	return r.Calls[len(r.Calls)-1]
}

// A Tracer follows the system calls of one process at a time with ptrace(2).
// It is a process of its own: the stops of a traced child would otherwise reach
// those who wait for the child's end in this process.
type Tracer struct {
	mu      sync.Mutex
	in      io.WriteCloser
	answers *Journal[tracerAnswer]
	read    int
}

// tracerAnswer is a line that the tracer's process prints.
type tracerAnswer struct {
	Attached bool         `json:",omitempty"`
	Result   *TraceResult `json:",omitempty"`
}

// tracerRequest is a line that the tracer's process reads.
type tracerRequest struct {
	Pid  int
	Rule TraceRule
	// Kill kills the process that is traced.
	Kill bool
}

// NewTracer starts a tracer, which ends with the test. It skips the test where
// processes cannot be traced.
func NewTracer(t T) *Tracer {
	t.Helper()
	if b, err := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope"); err == nil && len(b) > 0 && b[0] == '3' {
		Skip(t, "this kernel forbids ptrace (kernel.yama.ptrace_scope=3)")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatalf("tracer: %v", err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), helperEnv+"=tracer")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatalf("tracer: %v", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatalf("tracer: %v", err)
	}
	if err = cmd.Start(); err != nil {
		t.Fatalf("tracer: %v", err)
	}
	tr := &Tracer{in: in, answers: &Journal[tracerAnswer]{}}
	done := make(chan error)
	go func() {
		dec := json.NewDecoder(bufio.NewReader(out))
		for {
			var a tracerAnswer
			if dec.Decode(&a) != nil {
				break
			}
			tr.answers.Add(a)
		}
		tr.answers.Close()
		done <- cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = in.Close() // it kills what it traces and ends
		if err := <-done; err != nil {
			t.Errorf("tracer: %v", err)
		}
	})
	return tr
}

func (tr *Tracer) ask(t T, r tracerRequest) {
	t.Helper()
	tr.mu.Lock()
	defer tr.mu.Unlock()
	b, err := json.Marshal(r)
	if err == nil {
		_, err = fmt.Fprintf(tr.in, "%s\n", b)
	}
	if err != nil {
		t.Fatalf("tracer: %v", err)
	}
}

func (tr *Tracer) await(t T, patience time.Duration) tracerAnswer {
	t.Helper()
	a, next, ok := tr.answers.Wait(tr.read, patience, func(tracerAnswer) bool { return true })
	if !ok {
		t.Fatalf("tracer: no answer within %v", patience)
	}
	tr.read = next
	return a
}

// Attach begins to trace all threads of a process that is not traced yet, those
// that it will start included. The process ends with the tracer, if not before.
func (tr *Tracer) Attach(t T, pid int, rule TraceRule) {
	t.Helper()
	tr.ask(t, tracerRequest{Pid: pid, Rule: rule})
	if a := tr.await(t, waitLong); !a.Attached {
		t.Fatalf("tracer: attach to process %d: %s", pid, a.Result.Err)
	}
}

// Kill kills the traced process by SIGKILL, whatever the count is.
func (tr *Tracer) Kill(t T) {
	t.Helper()
	tr.ask(t, tracerRequest{Kill: true})
}

// Ended reports whether the traced process has ended.
func (tr *Tracer) Ended() bool { return tr.answers.Mark() > tr.read }

// Wait waits for the end of the traced process.
func (tr *Tracer) Wait(t T, patience time.Duration) TraceResult {
	t.Helper()
	a := tr.await(t, patience)
	if a.Result == nil || a.Result.Err != "" {
		t.Fatalf("tracer: %+v", a)
	}
	return *a.Result
}
