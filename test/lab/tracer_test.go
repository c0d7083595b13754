package lab_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/test/lab"
)

// TestTracerKillsAtEachCall checks with a program of one thread, whose system
// calls are known, that exactly those before the Nth are carried out.
func TestTracerKillsAtEachCall(t *testing.T) {
	t.Parallel()
	lab.Need(t, "dash")
	tr := lab.NewTracer(t)
	s := lab.New(t).Space("alone")
	// "%" starts the count, with the read of the next byte as number 1; each echo
	// is one write.
	script := s.Write(t, "script", "echo ready\nread x\necho 1\necho 2\necho 3\necho done\nread y\n")
	traced := func(n int) (lab.TraceResult, string) {
		t.Helper()
		cmd := s.Command(t, "dash", script)
		file, err := os.Create(s.Path("out"))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		defer w.Close()
		cmd.Stdin, cmd.Stdout = r, file
		p := s.StartCmd(t, cmd)
		written := func(what string) {
			t.Helper()
			if !lab.Eventually(10*time.Second, func() bool { return strings.Contains(content(t, file.Name()), what) }) {
				t.Fatalf("the program does not write %q", what)
			}
		}
		written("ready")
		tr.Attach(t, p.Pid(), lab.TraceRule{From: [][]byte{[]byte("%")}, Until: [][]byte{[]byte("done")}, KillAt: n})
		if _, err = w.WriteString("%\n"); err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			written("done")
			tr.Kill(t)
		}
		result := tr.Wait(t, 10*time.Second)
		if code := p.Wait(t, 10*time.Second); code != -1 {
			t.Errorf("exit status %d of a killed process", code)
		}
		return result, content(t, file.Name())
	}
	all, out := traced(0)
	if out != "ready\n1\n2\n3\ndone\n" || all.Killed || all.UntilAt != 5 {
		t.Fatalf("undisturbed it wrote %q: %+v", out, all)
	}
	for n := 1; n <= all.UntilAt; n++ {
		result, out := traced(n)
		if want := strings.Join([]string{"ready\n", "", "1\n", "2\n", "3\n"}[:n], ""); out != want || !result.Killed || result.Count != n {
			t.Errorf("killed at %d it wrote %q: %+v", n, out, result)
		}
	}
}

func content(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestTracerFollowsThreads checks that the calls of all threads count, those of
// threads that are started after the tracer attached included.
func TestTracerFollowsThreads(t *testing.T) {
	t.Parallel()
	tr := lab.NewTracer(t)
	s := lab.New(t).Space("alone")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 50, 150, 1 << 20} {
		cmd := s.Command(t, self)
		cmd.Env = append(cmd.Environ(), threadsEnv+"=1")
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stdin = r
		p := s.StartCmd(t, cmd)
		p.AwaitLine(t, 10*time.Second, "^ready$")
		tr.Attach(t, p.Pid(), lab.TraceRule{From: [][]byte{[]byte("begin")}, KillAt: n})
		if _, err = w.WriteString("begin"); err != nil {
			t.Fatal(err)
		}
		if n == 1<<20 {
			p.AwaitLine(t, 10*time.Second, "^written$")
			tr.Kill(t)
		}
		result := tr.Wait(t, 10*time.Second)
		p.Wait(t, 10*time.Second)
		_ = r.Close()
		_ = w.Close()
		written := len(p.Lines.Select(0, func(l string) bool { return strings.HasPrefix(l, "thread ") }))
		switch {
		case n < 1<<20 && (!result.Killed || result.Count != n || written >= n):
			t.Errorf("killed at %d it wrote %d lines: killed %v, count %d", n, written, result.Killed, result.Count)
		case n == 1<<20 && (written != threads*writes || result.Count < written):
			t.Errorf("undisturbed it wrote %d lines, and %d calls were counted", written, result.Count)
		}
	}
}

const (
	threadsEnv = "LESSEE_LAB_TEST_THREADS"

	threads, writes = 8, 20
)

// writeInThreads is the program that TestTracerFollowsThreads traces.
func writeInThreads() int {
	fmt.Println("ready")
	if _, err := unix.Read(0, make([]byte, 16)); err != nil {
		return 1
	}
	done := make(chan struct{})
	for i := range threads {
		go func() {
			runtime.LockOSThread()
			for range writes {
				_, _ = unix.Write(1, fmt.Appendf(nil, "thread %d\n", i))
			}
			done <- struct{}{}
		}()
	}
	for range threads {
		<-done
	}
	fmt.Println("written")
	_, _ = unix.Read(0, make([]byte, 16))
	return 0
}
