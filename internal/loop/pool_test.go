package loop

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/internal/linux/poll"
	"github.com/lessee/lessee/internal/netconf"
)

// TestPoolIsBounded: however many jobs there are, so many goroutines do them, and none
// is left when they are done.
func TestPoolIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPool(workers)
		var running, most, done int
		var mu sync.Mutex
		const jobs, keys = 10_000, 97
		for i := range jobs {
			p.do(i%keys, func() {
				mu.Lock()
				running++
				most = max(most, running)
				mu.Unlock()
				time.Sleep(time.Millisecond)
				mu.Lock()
				running--
				done++
				mu.Unlock()
			})
		}
		p.mu.Lock()
		had := p.workers
		p.mu.Unlock()
		synctest.Wait()
		if had != workers {
			t.Errorf("%d workers, want %d", had, workers)
		}
		p.wait(time.Hour)
		synctest.Wait()
		// The bubble's main goroutine could not end if one were left.
		if done != jobs || most != workers {
			t.Errorf("%d jobs done, at most %d side by side", done, most)
		}
		if n := p.workers; n != 0 || len(p.queues) != 0 || len(p.ready) != 0 {
			t.Errorf("%d workers, %d queues, %d keys are left", n, len(p.queues), len(p.ready))
		}
	})
}

// TestPoolOrder: the jobs of one key are done in their order, one after the other.
func TestPoolOrder(t *testing.T) {
	t.Parallel()
	p := newPool(workers)
	const jobs, keys = 10_000, 13
	done := make([][]int, keys)
	busy := make([]atomic.Int32, keys)
	for i := range jobs {
		key := i % keys
		p.do(key, func() {
			if busy[key].Add(1) != 1 {
				t.Error("two jobs of one key at a time")
			}
			done[key] = append(done[key], i) // the race detector watches
			if i%7 == 0 {
				runtime.Gosched()
			}
			busy[key].Add(-1)
		})
	}
	p.wait(time.Hour)
	for key, list := range done {
		if want := (jobs - key + keys - 1) / keys; len(list) != want || !slices.IsSorted(list) {
			t.Errorf("key %d: %d jobs of %d, sorted %v", key, len(list), want, slices.IsSorted(list))
		}
	}
}

// TestPoolSideBySide: jobs of as many keys as there are workers wait for each other; a
// key whose job takes for ever holds up only its own.
func TestPoolSideBySide(t *testing.T) {
	t.Parallel()
	p := newPool(workers)
	var together sync.WaitGroup
	together.Add(workers)
	for key := range workers {
		p.do(key, func() {
			together.Done()
			together.Wait()
		})
	}
	p.wait(time.Hour)

	hold := make(chan struct{})
	behind := false
	p.do("stuck", func() { <-hold })
	p.do("stuck", func() { behind = true })
	others := make(chan int, 100)
	for i := range cap(others) {
		p.do(fmt.Sprint(i%3), func() { others <- i })
	}
	for range cap(others) {
		<-others
	}
	close(hold)
	p.wait(time.Hour)
	if !behind {
		t.Error("what waited behind the job was not done")
	}
}

// TestLoopEndsWithJobs: the loop ends while jobs run, wait for a worker, and wait for the
// loop; who calls then is told that it has ended.
func TestLoopEndsWithJobs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		now := func() boottime.Instant { return boottime.Instant(time.Since(start)) }
		l := New(Config{
			Home:   func(poll.Loop) Space { return Space{Kernel: noKernel{}} },
			Store:  noStore{},
			Poller: &idlePoller{now, make(chan struct{}, 1)},
			Now:    now,
			Log:    slog.New(slog.DiscardHandler),
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- l.Run(ctx) }()
		release := make(chan struct{})
		var answers [2]atomic.Int32 // of no and yes
		call := func() {
			if l.Call(func() {}) {
				answers[1].Add(1)
			} else {
				answers[0].Add(1)
			}
		}
		const jobs = 10_000
		if !l.Call(func() {
			for range jobs {
				l.Aside(func() { <-release; call() })
			}
		}) {
			t.Fatal("the loop does not run")
		}
		synctest.Wait()
		cancel()
		<-l.Done()
		for range 10 {
			go call()
		}
		synctest.Wait()
		select {
		case <-ended:
			t.Error("the end did not wait for the jobs")
		default:
		}
		close(release)
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if no, yes := answers[0].Load(), answers[1].Load(); no != jobs+10 || yes != 0 {
			t.Errorf("%d calls were refused and %d carried out after the end", no, yes)
		}
	})
}

// noKernel has no link.
type noKernel struct{ Kernel }

func (noKernel) Links() ([]netconf.Link, error) { return nil, nil }

func (noKernel) Watch(poll.Loop, func(netconf.Notice)) (io.Closer, error) {
	return io.NopCloser(nil), nil
}

// noStore has nothing to do.
type noStore struct{ Store }

func (noStore) Persist(string) error { return nil }
func (noStore) Pending() []string    { return nil }

// An idlePoller waits for nothing but Wake.
type idlePoller struct {
	now  func() boottime.Instant
	wake chan struct{}
}

func (*idlePoller) Add(int, func()) error { return nil }
func (*idlePoller) Remove(int)            {}
func (*idlePoller) Dispatch()             {}
func (*idlePoller) Close() error          { return nil }

func (p *idlePoller) Wake() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

func (p *idlePoller) Wait(until boottime.Instant, set bool) (int, error) {
	var due <-chan time.Time
	if set {
		timer := time.NewTimer(until.Sub(p.now()))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-p.wake:
	case <-due:
	}
	return 0, nil
}
