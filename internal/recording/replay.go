package recording

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/lessee/lessee/boottime"
)

// An Outcome is what came of a replay.
type Outcome struct {
	// Differences counts where the core did not do what was recorded.
	Differences int
}

// An Error says why a recording cannot be played any further.
type Error struct {
	Line int // counted from 1
	Err  error
}

func (e *Error) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

var (
	errEmpty  = errors.New("it is empty")
	errCut    = errors.New("the line is cut short")
	errNoEnd  = errors.New("it has no end: the program was killed, or the file was cut short")
	errAfter  = errors.New("something follows the end")
	errBefore = errors.New("a call comes before the first input")
	errClock  = errors.New("the clock goes back")
	errLong   = errors.New("the line is too long")
)

// A PanicError says that the core failed.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("the core failed: %v", e.Value) }

// maxLine bounds a line, in bytes.
const maxLine = 16 << 20

// Replay plays a recording through a core of this program, and writes the transcript.
// The error is of type [*Error] if it is the recording's; what could be read of it has
// been played then.
func Replay(from io.Reader, to io.Writer) (Outcome, error) {
	out := bufio.NewWriter(to)
	p := newPlayer(out)
	err := p.play(newReader(from))
	if flushed := out.Flush(); err == nil {
		err = flushed
	}
	return Outcome{p.differences}, err
}

// A reader reads the lines of a recording.
type reader struct {
	from *bufio.Reader
	line int
}

func newReader(from io.Reader) *reader { return &reader{from: bufio.NewReaderSize(from, 64<<10)} }

// next returns a line without its end; io.EOF after the last one.
func (r *reader) next() ([]byte, error) {
	r.line++
	var text []byte
	for {
		part, err := r.from.ReadSlice('\n')
		text = append(text, part...)
		switch {
		case len(text) > maxLine:
			return nil, r.fail(errLong)
		case err == nil:
			return text[:len(text)-1], nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(text) > 0:
			return nil, r.fail(errCut)
		default:
			return nil, err
		}
	}
}

func (r *reader) fail(err error) error {
	if _, is := errors.AsType[*Error](err); is {
		return err
	}
	return &Error{r.line, err}
}

// play plays what a reader has.
func (p *player) play(r *reader) error {
	text, err := r.next()
	switch {
	case errors.Is(err, io.EOF):
		return r.fail(errEmpty)
	case err != nil:
		return err
	}
	h, err := parseHeader(text)
	if err != nil {
		return r.fail(err)
	}
	p.printf("recorded by %s, began %s\n", clean(h.Program), h.Began.Format("2006-01-02 15:04:05 MST"))
	var wakeup []*step // what came at one instant
	for {
		e, err := r.entry()
		if err != nil || e.end != "" {
			return p.finish(r, wakeup, e.end, err)
		}
		switch {
		case e.ask != nil && len(wakeup) == 0:
			return r.fail(errBefore)
		case e.ask != nil:
			s := wakeup[len(wakeup)-1]
			s.calls = append(s.calls, recorded{e.ask, e.answer})
			continue
		case len(wakeup) > 0 && e.at.Before(wakeup[0].at):
			return r.fail(errClock)
		case len(wakeup) > 0 && e.at.After(wakeup[0].at):
			if err := p.wake(wakeup); err != nil {
				return err
			}
			wakeup = wakeup[:0]
		}
		wakeup = append(wakeup, &step{line: r.line, at: e.at, in: e.in})
	}
}

// entry returns the next line. An error of the recording is an [*Error].
func (r *reader) entry() (entry, error) {
	text, err := r.next()
	if err != nil {
		return entry{}, err
	}
	e, err := parseLine(text)
	if err != nil {
		return entry{}, r.fail(err)
	}
	return e, nil
}

// finish plays what came last.
func (p *player) finish(r *reader, wakeup []*step, why end, err error) error {
	if why != endStopped && len(wakeup) > 0 {
		wakeup[len(wakeup)-1].open = true
	}
	if played := p.wake(wakeup); played != nil {
		return played
	}
	if why == "" {
		if errors.Is(err, io.EOF) {
			r.line--
			return r.fail(errNoEnd)
		}
		return err
	}
	p.printf("the recording ends: %s\n", clean(why.String()))
	if _, err := r.next(); !errors.Is(err, io.EOF) {
		return r.fail(errAfter)
	}
	return nil
}

// clean keeps a recording from having more lines than it should, or the terminal's
// commands.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}

// guard turns a panic of the core into an error.
func guard(line int, f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			if e, is := v.(error); is && errors.Is(e, errLivelock) {
				err = &Error{line, e}
				return
			}
			err = &Error{line, &PanicError{v, debug.Stack()}}
		}
	}()
	return f()
}

// since returns how long after the first input something happened.
func (p *player) since(at boottime.Instant) string {
	const digits = 1000 // microseconds
	d := at.Sub(p.began)
	return (d - d%digits).String()
}
