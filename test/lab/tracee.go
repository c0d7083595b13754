package lab

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// helperEnv has the test binary be a helper process of the lab.
const helperEnv = "LESSEE_LAB_HELPER"

// runTracer is the tracer's process. All requests of ptrace(2) have to come
// from the thread that attached.
func runTracer() int {
	runtime.LockOSThread()
	var tc tracee
	requests := make(chan tracerRequest)
	go func() {
		defer close(requests)
		in := json.NewDecoder(bufio.NewReader(os.Stdin))
		for {
			var r tracerRequest
			if in.Decode(&r) != nil {
				tc.kill()
				return
			}
			if r.Kill {
				tc.kill()
				continue
			}
			requests <- r
		}
	}()
	out := json.NewEncoder(os.Stdout)
	for r := range requests {
		tc.begin(r)
		err := tc.attach()
		if err == nil {
			err = tc.run(func() error { return out.Encode(tracerAnswer{Attached: true}) })
		}
		if err != nil {
			tc.kill()
			tc.result.Err = err.Error()
		}
		tc.end()
		if out.Encode(tracerAnswer{Result: &tc.result}) != nil {
			return 1
		}
	}
	return 0
}

// A tracee is the process that is traced.
type tracee struct {
	mu  sync.Mutex
	pid int // 0 while nothing is traced

	rule    TraceRule
	threads map[int]*traceeThread
	// unstopped counts the threads that were not stopped since they were seized.
	unstopped int
	counting  bool
	result    TraceResult
}

type traceeThread struct {
	stopped bool // once, since it was seized
	inside  bool // a system call
	nr      uint64
	args    [6]uint64
}

func (tc *tracee) begin(r tracerRequest) {
	tc.mu.Lock()
	defer tc.mu.Unlock()
	tc.pid, tc.rule, tc.threads, tc.unstopped = r.Pid, r.Rule, map[int]*traceeThread{}, 0
	tc.counting, tc.result = len(r.Rule.From) == 0, TraceResult{}
}

func (tc *tracee) end() {
	tc.mu.Lock()
	defer tc.mu.Unlock()
	tc.pid = 0
}

func (tc *tracee) kill() {
	tc.mu.Lock()
	defer tc.mu.Unlock()
	if tc.pid != 0 {
		_ = unix.Kill(tc.pid, unix.SIGKILL)
	}
}

// attach seizes all threads. A thread that is started meanwhile is seized by
// the kernel if the one that starts it was seized before; else a later look at
// the list finds it.
func (tc *tracee) attach() error {
	const options = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_EXITKILL
	for found := true; found; {
		found = false
		tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", tc.pid))
		if err != nil {
			return err
		}
		for _, task := range tasks {
			tid, err := strconv.Atoi(task.Name())
			if err != nil || tc.threads[tid] != nil {
				continue
			}
			switch err := ptrace(unix.PTRACE_SEIZE, tid, 0, options); {
			case err == nil:
				found = true
				tc.threads[tid] = &traceeThread{}
				tc.unstopped++
				_ = unix.PtraceInterrupt(tid) // the stop starts the syscall stops
			case errors.Is(err, unix.ESRCH) || seizedByUs(tc.pid, tid):
			default:
				return fmt.Errorf("seize thread %d: %w", tid, err)
			}
		}
	}
	return nil
}

func seizedByUs(pid, tid int) bool {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/status", pid, tid))
	return strings.Contains(string(b), fmt.Sprintf("\nTracerPid:\t%d\n", os.Getpid())) || len(b) == 0
}

// run follows the process to its end. It calls attached when all threads stop
// at their system calls.
func (tc *tracee) run(attached func() error) error {
	told := false
	for {
		if !told && tc.unstopped == 0 {
			told = true
			if err := attached(); err != nil {
				return err
			}
		}
		var ws unix.WaitStatus
		tid, err := unix.Wait4(-1, &ws, unix.WALL, nil)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.ECHILD:
			return nil
		case err != nil:
			return fmt.Errorf("wait: %w", err)
		}
		th := tc.threads[tid]
		if th == nil { // started by one of the others
			th = &traceeThread{stopped: true}
			tc.threads[tid] = th
		}
		if !th.stopped {
			th.stopped = true
			tc.unstopped--
		}
		if !ws.Stopped() {
			delete(tc.threads, tid)
			continue
		}
		tc.stopped(tid, th, ws)
	}
}

// stopped deals with the stop of a thread and lets it continue. A thread that
// was killed meanwhile does not exist for ptrace: its errors mean nothing here.
func (tc *tracee) stopped(tid int, th *traceeThread, ws unix.WaitStatus) {
	sig := ws.StopSignal()
	switch event := uint32(ws) >> 16; {
	case sig == unix.SIGTRAP|0x80:
		tc.syscallStop(tid, th)
		sig = 0
	case event == unix.PTRACE_EVENT_STOP && (sig == unix.SIGSTOP || sig == unix.SIGTSTP || sig == unix.SIGTTIN || sig == unix.SIGTTOU):
		_ = ptrace(unix.PTRACE_LISTEN, tid, 0, 0) // a stop of the whole process: stay stopped
		return
	case event != 0:
		sig = 0
	}
	_ = unix.PtraceSyscall(tid, int(sig))
}

func (tc *tracee) syscallStop(tid int, th *traceeThread) {
	var info struct {
		Op        uint8
		_         [3]uint8
		Arch      uint32
		IP, SP    uint64
		NrOrValue uint64
		Args      [6]uint64
		_         uint64
	}
	const entry, exit = 1, 2 // PTRACE_SYSCALL_INFO_ENTRY, PTRACE_SYSCALL_INFO_EXIT
	if ptrace(unix.PTRACE_GET_SYSCALL_INFO, tid, unsafe.Sizeof(info), uintptr(unsafe.Pointer(&info))) != nil {
		return
	}
	switch info.Op {
	case entry:
		th.inside, th.nr, th.args = true, info.NrOrValue, info.Args
		tc.entered(tid, th)
	case exit:
		if n := int64(info.NrOrValue); th.inside && n > 0 && !tc.counting {
			tc.counting = matches(tc.received(th, int(n)), tc.rule.From)
		}
		th.inside = false
	}
}

// entered counts a system call.
func (tc *tracee) entered(tid int, th *traceeThread) {
	if !tc.counting || tc.result.Killed {
		return
	}
	tc.result.Count++
	tc.result.Calls = append(tc.result.Calls, fmt.Sprintf("%d %s", tid, syscallName(th.nr)))
	if tc.result.UntilAt == 0 && matches(tc.sent(th), tc.rule.Until) {
		tc.result.UntilAt = tc.result.Count
	}
	if tc.result.Count == tc.rule.KillAt {
		tc.result.Killed = true
		tc.kill()
	}
}

func matches(data [][]byte, patterns [][]byte) bool {
	for _, d := range data {
		for _, p := range patterns {
			if bytes.Contains(d, p) {
				return true
			}
		}
	}
	return false
}

func ptrace(request, tid int, addr, data uintptr) error {
	if _, _, e := unix.Syscall6(unix.SYS_PTRACE, uintptr(request), uintptr(tid), addr, data, 0, 0); e != 0 {
		return e
	}
	return nil
}
