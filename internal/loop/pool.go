package loop

import (
	"sync"
	"time"
)

// A pool does what may take long. Jobs of one key are done one after the other, in
// order; those of others do not wait for them as long as there are workers.
type pool struct {
	mu      sync.Mutex
	queues  map[any][]func() // by key; the first job of a queue may be running
	ready   []any            // keys whose first job waits for a worker
	workers int
	most    int // workers
	ended   sync.WaitGroup
}

// Workers of the pools. Those who close sockets are apart: the kernel lets them wait, and
// nobody else is to wait for them.
const (
	workers = 8
	closers = 4
)

// newPool returns a pool with so many workers at most, which live as long as there is
// work.
func newPool(most int) *pool { return &pool{queues: make(map[any][]func()), most: most} }

// do has a job done.
func (p *pool) do(key any, job func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queues[key] = append(p.queues[key], job)
	if len(p.queues[key]) > 1 {
		return // the one before has a worker, or waits for one
	}
	p.ready = append(p.ready, key)
	if p.workers < p.most {
		p.workers++
		p.ended.Go(p.work)
	}
}

func (p *pool) work() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.ready) > 0 {
		key := p.ready[0]
		p.ready = p.ready[1:]
		job := p.queues[key][0]
		p.mu.Unlock()
		job()
		p.mu.Lock()
		if rest := p.queues[key][1:]; len(rest) > 0 {
			p.queues[key] = rest
			p.ready = append(p.ready, key)
		} else {
			delete(p.queues, key)
		}
	}
	p.ready = nil
	p.workers--
}

// wait returns when all jobs are done, or the patience is over.
func (p *pool) wait(patience time.Duration) {
	done := make(chan struct{})
	go func() { p.ended.Wait(); close(done) }()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}
