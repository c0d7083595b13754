package driver

import (
	"context"
	"io"
	"sync"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/linux/packet"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/reason"
)

const (
	// traceBacklog is how many frames a reader may be behind.
	traceBacklog = 256
	// maxTraces is how many may trace at the same time: each holds a socket.
	maxTraces = 16
)

// traces are the captures that run.
type traces struct {
	mu   sync.Mutex
	open map[*trace]struct{}
}

// A trace hands the frames of a link to one reader and never waits for it.
type trace struct {
	index   int
	capture io.Closer

	mu     sync.Mutex
	frames chan lessee.Frame
	ended  bool
	lost   uint64 // since the last frame that was handed on
}

// Trace captures the frames of a link; see control.Engine.
func (d *Driver) Trace(_ context.Context, name string, arp bool) (<-chan lessee.Frame, func(), error) {
	link, err := d.ethernetLink("trace", name)
	if err != nil {
		return nil, nil, err
	}
	t := &trace{index: link.Index, frames: make(chan lessee.Frame, traceBacklog)}
	if !d.traces.add(t) {
		return nil, nil, failed("trace", name, errno.ERROR_BUSY, reason.Cause{Reason: reason.TooManyTraces})
	}
	c, err := d.loop.Home().Transport.Capture(link, arp, t.add)
	if err != nil {
		d.traces.end(t)
		return nil, nil, systemFailed("trace", name, err)
	}
	t.hold(c)
	// If the interface went, or the driver stopped, before the capture was there,
	// nobody ended it.
	there := false
	runs := d.do(func() { there = d.loop.Core().Has(core.ID{Index: link.Index}) })
	if !there {
		d.traces.end(t)
	}
	if !runs {
		return nil, nil, stopped("trace", name)
	}
	return t.frames, func() { d.traces.end(t) }, nil
}

// ethernetLink finds the link that a call names.
func (d *Driver) ethernetLink(op, name string) (netconf.Link, error) {
	var link netconf.Link
	found := false
	if !d.do(func() { _, link, found = d.loop.Core().Link(core.Home, name) }) {
		return netconf.Link{}, stopped(op, name)
	}
	switch {
	case !found:
		return netconf.Link{}, noAdapter(op, name)
	case !core.Acceptable(link):
		return netconf.Link{}, failed(op, name, errno.ERROR_NOT_SUPPORTED, reason.Cause{Reason: reason.NoEthernet})
	}
	return link, nil
}

// hold gives a trace its capture; one that has ended meanwhile closes it.
func (t *trace) hold(c io.Closer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		_ = c.Close()
		return
	}
	t.capture = c
}

// add hands a frame on, or counts it where the reader is too far behind.
func (t *trace) add(f packet.Frame) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return
	}
	t.lost += f.Dropped
	select {
	case t.frames <- lessee.Frame{Time: f.Time.UTC(), Outgoing: f.Outgoing, Length: f.Length, Data: f.Data, Lost: t.lost}:
		t.lost = 0
	default:
		t.lost++
	}
}

func (t *trace) end() {
	if t.stop() {
		close(t.frames)
	}
}

// stop ends the capture and not the frames, by which readers know that the
// adapter went; false if it had ended.
func (t *trace) stop() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return false
	}
	t.ended = true
	if t.capture != nil {
		_ = t.capture.Close()
	}
	return true
}

func (s *traces) add(t *trace) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open) >= maxTraces {
		return false
	}
	if s.open == nil {
		s.open = make(map[*trace]struct{})
	}
	s.open[t] = struct{}{}
	return true
}

func (s *traces) end(t *trace) {
	s.mu.Lock()
	delete(s.open, t)
	s.mu.Unlock()
	t.end()
}

// endAll ends the traces of an interface.
func (s *traces) endAll(index int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for t := range s.open {
		if t.index == index {
			delete(s.open, t)
			t.end()
		}
	}
}

// stopAll ends all captures.
func (s *traces) stopAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for t := range s.open {
		t.stop()
	}
	clear(s.open)
}
