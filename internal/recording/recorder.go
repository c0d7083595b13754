package recording

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/internal/core"
)

// DefaultLimit is how large a recording may become, in bytes.
const DefaultLimit = 64 << 20

const (
	// defaultBacklog is how much may wait for the disk, in bytes.
	defaultBacklog = 4 << 20
	// endRoom is kept free for the last line.
	endRoom = 128
	// closePatience is how long Close waits for the disk.
	closePatience = 5 * time.Second
)

// Options say how a recording is made.
type Options struct {
	// Program is the program that records, with its version.
	Program string
	// Began is the time of day.
	Began time.Time
	// Limit bounds the file; 0: DefaultLimit. Backlog bounds what waits to be written;
	// 0: 4 MiB.
	Limit, Backlog int64
	// Ended, where set, is told that the recording ended before Close, why, and the
	// error of the disk, nil if there was none. It is called from another goroutine.
	Ended func(why string, err error)
}

// A Recorder records a core. Nothing of it waits for the disk but Create and Close.
type Recorder struct {
	opts Options
	out  sink
	// Of the goroutine that runs the core.
	codec   codec
	scratch []byte

	over atomic.Bool // nothing is recorded any more
	mu   sync.Mutex
	// pending waits to be written, spare is its other buffer.
	pending, spare []byte
	size           int64 // of the file and of pending
	why            end   // set when the recording ends
	wake           chan struct{}
	done           chan struct{}
}

// A sink is a file.
type sink interface {
	io.WriteCloser
	Truncate(size int64) error
}

// Create begins a recording in a new file, which only its owner reads. A file that
// exists, or a link of that name, is an error.
func Create(path string, o Options) (*Recorder, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	r, err := begin(f, o)
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	return r, nil
}

func begin(out sink, o Options) (*Recorder, error) {
	if o.Limit == 0 {
		o.Limit = DefaultLimit
	}
	if o.Backlog == 0 {
		o.Backlog = defaultBacklog
	}
	first, err := json.Marshal(header{Version: version, Program: o.Program, Began: o.Began.UTC().Truncate(time.Second)})
	if err != nil {
		return nil, err
	}
	first = append(first, '\n')
	if _, err := out.Write(first); err != nil {
		return nil, err
	}
	r := &Recorder{
		opts: o, out: out, codec: codec{&secrets{}}, size: int64(len(first)),
		wake: make(chan struct{}, 1), done: make(chan struct{}),
	}
	go r.write(r.size)
	return r, nil
}

// Wrap returns the configuration of a core that does what cfg says and is recorded. It
// is for one core.
func (r *Recorder) Wrap(cfg core.Config) core.Config {
	p := &ports{carrier: r, real: cfg}
	wrapped := p.config()
	wrapped.Heard = r.heard
	return wrapped
}

// heard records an input.
func (r *Recorder) heard(now boottime.Instant, in core.Input) {
	if r.over.Load() {
		return
	}
	r.scratch = r.codec.appendInput(r.scratch[:0], now, in)
	r.add(r.scratch)
}

// carry implements carrier.
func (r *Recorder) carry(c call, do func() answer) answer {
	if r.over.Load() {
		return do()
	}
	r.scratch = r.codec.appendCall(r.scratch[:0], c) // what it is about is the port's afterwards
	a := do()
	r.scratch = r.codec.appendAnswer(r.scratch, a)
	r.add(r.scratch)
	return a
}

// add has a line written.
func (r *Recorder) add(text []byte) {
	r.mu.Lock()
	n := int64(len(text))
	switch {
	case r.why != "":
	case r.size+n > r.opts.Limit-endRoom:
		r.finish(endFull)
	case int64(len(r.pending))+n > r.opts.Backlog:
		r.finish(endBehind)
	default:
		r.pending = append(r.pending, text...)
		r.size += n
	}
	r.mu.Unlock()
	r.rouse()
}

// finish ends the recording. It is called with the lock held.
func (r *Recorder) finish(why end) {
	r.over.Store(true)
	r.why = why
}

// rouse has the writer look.
func (r *Recorder) rouse() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// write writes what is added, until the recording ends.
func (r *Recorder) write(size int64) {
	defer close(r.done)
	for range r.wake {
		text, why := r.take()
		n, err := r.out.Write(text)
		if err != nil {
			// What is whole is kept, and says that it is not all.
			whole := size + int64(lastLine(text[:n]))
			r.mu.Lock()
			r.finish(endFailed)
			r.mu.Unlock()
			if r.out.Truncate(whole) == nil {
				_, _ = r.out.Write(appendEnd(nil, endFailed))
			}
			why = endFailed
		} else if size += int64(n); why != "" {
			_, err = r.out.Write(appendEnd(nil, why))
		}
		if why == "" {
			continue
		}
		if closed := r.out.Close(); err == nil {
			err = closed
		}
		if r.opts.Ended != nil && (why != endStopped || err != nil) {
			r.opts.Ended(why.String(), err)
		}
		return
	}
}

// take returns what waits to be written, and why the recording ends with that, ""
// if it goes on.
func (r *Recorder) take() ([]byte, end) {
	r.mu.Lock()
	defer r.mu.Unlock()
	text := r.pending
	r.pending, r.spare = r.spare[:0], text
	return text, r.why
}

// lastLine returns where the last whole line of a text ends.
func lastLine(text []byte) int {
	for n := len(text); n > 0; n-- {
		if text[n-1] == '\n' {
			return n
		}
	}
	return 0
}

// Close ends the recording, when the core does not run any more.
func (r *Recorder) Close() {
	r.mu.Lock()
	if r.why == "" {
		r.finish(endStopped)
	}
	r.mu.Unlock()
	r.rouse()
	patience := time.NewTimer(closePatience)
	defer patience.Stop()
	select {
	case <-r.done:
	case <-patience.C:
	}
}
