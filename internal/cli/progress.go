package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/lessee/lessee"
)

const (
	// patient is how long an operation may take before the live line appears:
	// what is quicker needs none.
	patient = 200 * time.Millisecond
	// beat is the time between two pictures of the live line.
	beat = 125 * time.Millisecond
)

// A progress is the live line of somebody who waits at a terminal. The zero
// progress, for everybody else, shows nothing.
type progress struct {
	app   *app
	verb  string
	began time.Time
	stop  context.CancelFunc
	over  sync.WaitGroup

	mu    sync.Mutex
	names []string          // those that are awaited
	last  map[string]string // what happened last on each
	frame int
	shown bool
}

// newProgress begins to show, on standard error if that is a terminal.
func (a *app) newProgress(ctx context.Context, verb string, names []string) *progress {
	if !a.StderrTerminal {
		return &progress{}
	}
	p := &progress{app: a, verb: verb, began: a.Now(), names: slices.Clone(names), last: make(map[string]string)}
	ctx, p.stop = context.WithCancel(ctx)
	p.over.Go(func() {
		// Without events the line shows the time alone.
		for e, err := range a.client().Events(ctx) {
			if err != nil {
				return
			}
			p.event(e)
		}
	})
	p.over.Go(func() {
		timer := time.NewTimer(patient)
		defer timer.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-timer.C:
				p.draw()
				timer.Reset(beat)
			}
		}
	})
	return p
}

// end wipes the line and shows no more.
func (p *progress) end() {
	if p.app == nil {
		return
	}
	p.stop()
	p.over.Wait()
	p.wipe(func() {})
}

// finished says that an adapter is not awaited any more.
func (p *progress) finished(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.names = slices.DeleteFunc(p.names, func(n string) bool { return n == name })
}

// wipe removes the line, so that write can write another one.
func (p *progress) wipe(write func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		fmt.Fprint(p.app.Stderr, "\r\x1b[K")
		p.shown = false
	}
	write()
}

func (p *progress) event(e lessee.Event) {
	text := p.app.speak.progressText(e)
	if text == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last[e.Adapter] = text
}

func (p *progress) draw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.names) == 0 {
		return
	}
	fmt.Fprint(p.app.Stderr, "\r"+p.line(p.app.Now())+"\x1b[K")
	p.shown = true
	p.frame++
}

// line is the picture of the moment, no wider than the terminal less a column.
func (p *progress) line(now time.Time) string {
	var each []string
	for _, n := range p.names {
		text := n + ": " + p.verb
		if last := p.last[n]; last != "" {
			text += ", " + last
		}
		each = append(each, text)
	}
	line := clean(fmt.Sprintf("%c %s  %s", `-\|/`[p.frame%4], p.app.speak.Span(now.Sub(p.began).Truncate(time.Second)), strings.Join(each, "; ")))
	if room := max(p.app.Width-1, 1); utf8.RuneCountInString(line) > room {
		line = string([]rune(line)[:room-1]) + "…"
	}
	return line
}
