package daemon

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A gate is a reader of the log that can stop.
type gate struct {
	mu    sync.Mutex
	text  bytes.Buffer
	open  chan struct{} // closed: it reads
	calls int
}

func newGate() *gate { return &gate{open: make(chan struct{})} }

func (g *gate) Write(p []byte) (int, error) {
	<-g.open
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls++
	return g.text.Write(p)
}

func (g *gate) lines() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return strings.Split(strings.TrimSuffix(g.text.String(), "\n"), "\n")
}

// TestLogOrder: the lines come in their order, those of one moment in one write.
func TestLogOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		close(g.open)
		log, end := newLog(g, false)
		const times, each = 50, 7
		for i := range times * each {
			log.Info("line", "n", i)
			if i%each == each-1 {
				time.Sleep(2 * logDelay)
			}
		}
		end()
		log.Info("too late")
		got := g.lines()
		if len(got) != times*each || g.calls != times {
			t.Fatalf("%d lines in %d writes", len(got), g.calls)
		}
		for i, line := range got {
			if !strings.HasSuffix(line, fmt.Sprintf("level=INFO msg=line n=%d", i)) {
				t.Fatalf("line %d is %q", i, line)
			}
		}
	})
}

// TestLogReaderStopped: whoever logs does not wait for a reader that has stopped. When
// it reads again it gets the first lines, how many were lost, and what follows.
func TestLogReaderStopped(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		size, kept int // kept: lines; 0 means as many bytes as there is room for
	}{
		"short lines": {1, maxLogLines},
		"long lines":  {10_000, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := newGate()
				log, end := newLog(g, false)
				began := time.Now()
				log.Info("first") // it is being written
				time.Sleep(2 * logDelay)
				const sent = 3 * maxLogLines
				pad := strings.Repeat("x", c.size)
				for i := range sent {
					log.Info(pad, "n", i)
				}
				if took := time.Since(began); took != 2*logDelay {
					t.Errorf("logging took %v", took)
				}
				time.Sleep(time.Hour)
				close(g.open)
				time.Sleep(2 * logDelay)
				log.Info("after")
				end()
				got := g.lines()
				kept := len(got) - 3
				if c.kept != 0 && kept != c.kept {
					t.Errorf("%d lines were kept, want %d", kept, c.kept)
				}
				if n := len(strings.Join(got[1:1+kept], "\n")); n > maxLogBytes || c.kept == 0 && n < maxLogBytes-2*c.size {
					t.Errorf("%d bytes were kept", n)
				}
				for i, line := range got[1 : 1+kept] {
					if !strings.HasSuffix(line, fmt.Sprintf(" n=%d", i)) {
						t.Fatalf("line %d ends with %q", i, line[len(line)-20:])
					}
				}
				want := fmt.Sprintf("level=WARN msg=\"lines of the log were lost\" lines=%d", sent-kept)
				if line := got[kept+1]; !strings.HasSuffix(line, want) {
					t.Errorf("then comes %q, want %q", line, want)
				}
				if line := got[kept+2]; !strings.HasSuffix(line, "msg=after") {
					t.Errorf("the last is %q", line)
				}
			})
		})
	}
}

// TestLogHugeLine: a line that never fits is counted, and costs no other line.
func TestLogHugeLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		close(g.open)
		log, end := newLog(g, false)
		log.Info(strings.Repeat("x", maxLogBytes))
		time.Sleep(2 * logDelay)
		log.Info("next")
		end()
		if got := g.lines(); len(got) != 2 || !strings.HasSuffix(got[0], "lines=1") || !strings.HasSuffix(got[1], "msg=next") {
			t.Errorf("%q", got)
		}
	})
}

// TestLogEnds: the end waits until all is written, but not for ever.
func TestLogEnds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ before, blocked, took time.Duration }{
		"nothing waits":              {before: time.Hour},
		"a line waits":               {},
		"a line waits for the disk":  {blocked: logPatience / 2, took: logPatience / 2},
		"a line is being written":    {before: 2 * logDelay, blocked: logPatience / 2, took: logPatience/2 - 2*logDelay},
		"nobody reads":               {blocked: time.Hour, took: logPatience},
		"nobody has read for a time": {before: 2 * logDelay, blocked: time.Hour, took: logPatience},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := newGate()
				time.AfterFunc(c.blocked, func() { close(g.open) })
				log, end := newLog(g, false)
				log.Info("line")
				time.Sleep(c.before)
				began := time.Now()
				end()
				if took := time.Since(began); took != c.took {
					t.Errorf("the end took %v, want %v", took, c.took)
				}
				if c.took < logPatience && !strings.Contains(g.lines()[0], "msg=line") {
					t.Error("the line was lost")
				}
				time.Sleep(2 * time.Hour)
			})
		})
	}
}

// TestLogPipe: a pipe that nobody reads holds up nobody.
func TestLogPipe(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	log, end := newLog(w, false)
	const sent = 2 * maxLogLines // more than a pipe and the queue have room for
	for i := range sent {
		log.Info("line", "n", i)
	}
	text := make(chan string)
	go func() {
		b, _ := io.ReadAll(r)
		text <- string(b)
	}()
	end()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got := <-text
	lines := strings.Count(got, " msg=line ")
	if lost := sent - lines; lost > 0 && !strings.Contains(got, fmt.Sprintf("lines=%d\n", lost)) {
		t.Errorf("%d of %d lines came, and nothing says so:\n%.300s", lines, sent, got[max(0, len(got)-300):])
	}
}

// TestFailingStart: what is logged by a start that fails is there when Run returns.
func TestFailingStart(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	log, end := newLog(&b, false)
	func() {
		defer end()
		log.Error("why")
	}()
	if !strings.Contains(b.String(), "msg=why") {
		t.Errorf("%q", b.String())
	}
}
