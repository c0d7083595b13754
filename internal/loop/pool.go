package loop

import "sync"

// A pool does what may take long. Jobs of one key are done one after the other, in
// order; those of others do not wait for them as long as there are workers.
type pool struct {
	mu      sync.Mutex
	queues  map[any][]func() // by key; the first job of a queue may be running
	ready   []any            // keys whose first job waits for a worker
	workers int
	ended   sync.WaitGroup
}

// maxWorkers bounds the goroutines of a pool, which live as long as there is work.
const maxWorkers = 8

func newPool() *pool { return &pool{queues: make(map[any][]func())} }

// do has a job done.
func (p *pool) do(key any, job func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queues[key] = append(p.queues[key], job)
	if len(p.queues[key]) > 1 {
		return // the one before has a worker, or waits for one
	}
	p.ready = append(p.ready, key)
	if p.workers < maxWorkers {
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

// wait returns when all jobs are done.
func (p *pool) wait() { p.ended.Wait() }
