package daemon

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"
)

const (
	// maxLogLines and maxLogBytes bound what waits to be written.
	maxLogLines = 4096
	maxLogBytes = 1 << 20
	// logDelay is how long a line may wait: those of one exchange are written at
	// once, when it is over.
	logDelay = 5 * time.Millisecond
	// logPatience is how long the end of the daemon waits for the log to be taken.
	logPatience = time.Second
	// keptLog is how much room is kept for the next lines, twice.
	keptLog = 8 << 10
)

// A logWriter passes on what is written to it, in order, and never waits: a reader of
// the log that has stopped holds up nothing. What there is no room for is lost and
// counted. A goroutine writes only as long as there is something to write.
type logWriter struct {
	to io.Writer
	// loss makes the line that says how many were lost.
	loss func(lines int) []byte

	mu    sync.Mutex
	lines []byte // to be written
	spare []byte // empty, for the next lines; nil while it is written
	count int    // of lines
	lost  int    // since the last of them
	state logState
	timer *time.Timer
	idle  chan struct{} // closed when all is written; set while the log is closing
}

type logState uint8

const (
	logIdle    logState = iota
	logWaiting          // for the delay to pass
	logWriting
	logClosed // and all is written
)

func newLogWriter(to io.Writer, loss func(int) []byte) *logWriter {
	w := &logWriter{to: to, loss: loss, lines: make([]byte, keptLog), spare: make([]byte, keptLog)}
	for i := 0; i < keptLog; i += os.Getpagesize() {
		w.lines[i], w.spare[i] = 1, 1 // no line waits for a page fault
	}
	w.lines, w.spare = w.lines[:0], w.spare[:0]
	return w
}

// Write takes a line. It always succeeds.
func (w *logWriter) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state == logClosed {
		return len(line), nil
	}
	if w.lost > 0 || w.count == maxLogLines || len(w.lines)+len(line) > maxLogBytes {
		w.lost++
	} else {
		w.lines = append(w.lines, line...)
		w.count++
	}
	if w.state == logIdle {
		w.state = logWaiting
		if w.timer == nil {
			w.timer = time.AfterFunc(logDelay, w.run)
		} else {
			w.timer.Reset(logDelay)
		}
	}
	return len(line), nil
}

// run writes until there is nothing more.
func (w *logWriter) run() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state != logWaiting {
		return
	}
	w.state = logWriting
	for len(w.lines) > 0 || w.lost > 0 {
		batch := w.lines
		if w.lost > 0 {
			batch = append(batch, w.loss(w.lost)...)
		}
		w.lines, w.spare, w.count, w.lost = w.spare, nil, 0, 0
		w.mu.Unlock()
		_, _ = w.to.Write(batch) // there is nobody to tell
		w.mu.Lock()
		if cap(batch) <= keptLog {
			w.spare = batch[:0]
		}
	}
	if w.state = logIdle; w.idle != nil {
		w.state = logClosed
		close(w.idle)
	}
}

// close writes what is left, for as long as patience. Nothing is taken afterwards.
func (w *logWriter) close(patience time.Duration) {
	w.mu.Lock()
	idle := make(chan struct{})
	w.idle = idle
	switch w.state {
	case logClosed:
		close(idle)
	case logIdle:
		w.state = logClosed
		close(idle)
	case logWaiting:
		w.timer.Stop()
		go w.run()
	case logWriting:
	}
	w.mu.Unlock()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-idle:
	case <-timer.C:
	}
}

// newLog returns a log with one line per fact, and what ends it: what is written by then
// is passed on. The journal has its own time.
func newLog(w io.Writer, verbose bool) (log *slog.Logger, end func()) {
	if w == nil {
		w = os.Stderr
	}
	o := &slog.HandlerOptions{}
	if verbose {
		o.Level = slog.LevelDebug
	}
	if os.Getenv("JOURNAL_STREAM") != "" {
		o.ReplaceAttr = func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}
	}
	queue := newLogWriter(w, func(lines int) []byte {
		var b bytes.Buffer
		slog.New(slog.NewTextHandler(&b, o)).Warn("lines of the log were lost", "lines", lines)
		return b.Bytes()
	})
	return slog.New(slog.NewTextHandler(queue, o)), func() { queue.close(logPatience) }
}
