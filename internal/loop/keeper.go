package loop

import (
	"sync"
	"time"
)

const (
	// persistDelay is how long a record may wait before it is persisted: what
	// follows an ACK has the disk and the processors for itself meanwhile, and a
	// record that is replaced at once is written once.
	persistDelay = 100 * time.Millisecond
	// A record that could not be persisted is tried again after firstAgain, then
	// after twice as long each time, up to lastAgain.
	firstAgain = time.Second
	lastAgain  = time.Minute
	// persistPatience is how long the end of the loop waits for the disk. What
	// is not persisted by then survives the process all the same.
	persistPatience = 5 * time.Second
)

// A keeper has records persisted, one adapter's after the other. Nothing waits
// for it. Its goroutine lives only as long as there is something to do.
type keeper struct {
	persist func(adapter string) error
	// report is told each failure, and the first success after one.
	report func(adapter string, err error)

	mu    sync.Mutex
	queue []string
	state keeperState
	// failed has the delay before the next attempt, by adapter.
	failed map[string]time.Duration
	idle   chan struct{} // closed when the goroutine has ended
	hurry  chan struct{} // closed when the loop ends
}

type keeperState uint8

const (
	keeperIdle keeperState = iota
	keeperBusy
	keeperClosing // nothing is taken any more
)

func newKeeper(persist func(string) error, report func(string, error)) *keeper {
	return &keeper{persist: persist, report: report, failed: make(map[string]time.Duration), hurry: make(chan struct{})}
}

// add has the adapter's record persisted soon.
func (k *keeper) add(adapter string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.state == keeperClosing {
		return
	}
	for _, name := range k.queue {
		if name == adapter {
			return
		}
	}
	k.queue = append(k.queue, adapter)
	if k.state == keeperIdle {
		k.state, k.idle = keeperBusy, make(chan struct{})
		go k.run(k.idle)
	}
}

func (k *keeper) run(idle chan struct{}) {
	defer close(idle)
	for {
		pause := time.NewTimer(persistDelay)
		select {
		case <-pause.C:
		case <-k.hurry:
			pause.Stop()
		}
		batch := k.take()
		if batch == nil {
			return
		}
		for _, adapter := range batch {
			k.conclude(adapter, k.persist(adapter))
		}
	}
}

// take returns what is in the queue, nil if the goroutine ends as there is nothing.
func (k *keeper) take() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	batch := k.queue
	k.queue = nil
	if batch == nil && k.state == keeperBusy {
		k.state = keeperIdle
	}
	return batch
}

// conclude reports the outcome, and has a failure tried again later.
func (k *keeper) conclude(adapter string, err error) {
	k.mu.Lock()
	delay, failedBefore := k.failed[adapter]
	if err != nil {
		delay = min(max(2*delay, firstAgain), lastAgain)
		k.failed[adapter] = delay
		time.AfterFunc(delay, func() { k.add(adapter) })
	} else {
		delete(k.failed, adapter)
	}
	k.mu.Unlock()
	if err != nil || failedBefore {
		k.report(adapter, err)
	}
}

// close persists what is in the queue, for as long as patience.
func (k *keeper) close(patience time.Duration) {
	k.mu.Lock()
	idle := k.idle
	k.state = keeperClosing
	close(k.hurry)
	k.mu.Unlock()
	if idle == nil {
		return
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-idle:
	case <-timer.C:
	}
}
