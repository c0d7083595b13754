//go:build linux

package poll

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/internal/linux/clock"
	"golang.org/x/sys/unix"
)

func newPoller(t testing.TB) *Poller {
	t.Helper()
	p, err := New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

var one = [8]byte{1} // whichever byte order, it is not zero

// event returns a descriptor that can be read after signal.
func event(t testing.TB) int {
	t.Helper()
	fd, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	return fd
}

func signal(t testing.TB, fd int) {
	t.Helper()
	if _, err := unix.Write(fd, one[:]); err != nil {
		t.Fatal(err)
	}
}

func drain(fd int) { _, _ = unix.Read(fd, make([]byte, 8)) }

// wait is a Wait that must find want sources.
func wait(t testing.TB, p *Poller, want int) {
	t.Helper()
	if n, err := p.Wait(0, false); n != want || err != nil {
		t.Fatalf("found %d sources, want %d; error %v", n, want, err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A source is found while it can be read, and no longer.
func TestReady(t *testing.T) {
	t.Parallel()
	p := newPoller(t)
	a, b := event(t), event(t)
	defer unix.Close(a)
	defer unix.Close(b)
	var calls []string
	must(t, p.Add(a, func() { calls = append(calls, "a") }))
	must(t, p.Add(b, func() { calls = append(calls, "b"); drain(b) }))
	if err := p.Add(a, nil); !errors.Is(err, unix.EEXIST) {
		t.Errorf("added twice: %v", err)
	}
	signal(t, a)
	wait(t, p, 1)
	if len(calls) != 0 {
		t.Errorf("Wait itself called %q", calls)
	}
	p.Dispatch()
	p.Dispatch() // once for each Wait
	signal(t, b)
	wait(t, p, 2) // a was not read
	p.Dispatch()
	drain(a)
	p.Wake()
	wait(t, p, 0)
	if len(calls) != 3 || calls[0] != "a" {
		t.Errorf("calls %q", calls)
	}
	p.Remove(a)
	p.Remove(a)
	signal(t, a)
	signal(t, b)
	wait(t, p, 1)
}

// The other end of a pipe that is closed is told.
func TestHangUp(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]int{"the writer is gone": 0, "the reader is gone": 1} {
		p := newPoller(t)
		var ends [2]int
		must(t, unix.Pipe2(ends[:], unix.O_NONBLOCK|unix.O_CLOEXEC))
		told := false
		must(t, p.Add(ends[end], func() { told = true }))
		must(t, unix.Close(ends[1-end]))
		wait(t, p, 1)
		p.Dispatch()
		if !told {
			t.Errorf("%s: ready was not called", name)
		}
		must(t, unix.Close(ends[end]))
	}
}

func TestAddRefuses(t *testing.T) {
	t.Parallel()
	p := newPoller(t)
	file, err := os.CreateTemp(t.TempDir(), "")
	must(t, err)
	defer file.Close()
	if err := p.Add(int(file.Fd()), nil); !errors.Is(err, unix.EPERM) {
		t.Errorf("a file: %v", err)
	}
	if err := p.Add(-1, nil); !errors.Is(err, unix.EBADF) {
		t.Errorf("no descriptor: %v", err)
	}
	p.Remove(int(file.Fd()))
}

// Each Wake is followed by the end of a Wait, from however many goroutines they come.
func TestWake(t *testing.T) {
	t.Parallel()
	p := newPoller(t)
	p.Wake()
	p.Wake()
	wait(t, p, 0)

	const goroutines, each = 8, 1000
	var asked atomic.Int64
	var all sync.WaitGroup
	for range goroutines {
		all.Go(func() {
			for range each {
				asked.Add(1)
				p.Wake()
			}
		})
	}
	for asked.Load() < goroutines*each {
		wait(t, p, 0) // a lost one would leave it waiting
	}
	all.Wait()
	p.Wake()
	wait(t, p, 0)
}

// A Wait that has begun is woken.
func TestWakeParked(t *testing.T) {
	t.Parallel()
	p := newPoller(t)
	turns := make(chan int)
	go func() {
		defer close(turns)
		for i := range 100 {
			if _, err := p.Wait(0, false); err != nil {
				t.Error(err)
				return
			}
			turns <- i
		}
	}()
	p.Wake()
	for range turns {
		p.Wake()
	}
}

func waitUntil(t testing.TB, p *Poller, at boottime.Instant) {
	t.Helper()
	for clock.Now().Before(at) {
		if n, err := p.Wait(at, true); n != 0 || err != nil {
			t.Fatal(n, err)
		}
	}
}

func TestTimer(t *testing.T) {
	t.Parallel()
	p := newPoller(t)
	for _, at := range []boottime.Instant{-1 << 63, -1, 0, 1, clock.Now(), clock.Now().Add(-time.Hour)} {
		if n, err := p.Wait(at, true); n != 0 || err != nil {
			t.Errorf("%v: %d, %v", at, n, err)
		}
	}
	waitUntil(t, p, clock.Now().Add(20*time.Millisecond))

	// Armed for the end of time, then for an earlier instant.
	for _, late := range []boottime.Instant{1<<63 - 1, clock.Now().Add(time.Hour)} {
		p.Wake()
		_, err := p.Wait(late, true)
		must(t, err)
		at := clock.Now().Add(10 * time.Millisecond)
		waitUntil(t, p, at)
		if late := clock.Now().Sub(at); late > 10*time.Second {
			t.Errorf("%v late", late)
		}
	}
}

// The kernel is asked only for an instant that is earlier than the last one.
func TestTimerIsLazy(t *testing.T) {
	t.Parallel()
	p := newPoller(t)
	armed := func() time.Duration {
		var spec unix.ItimerSpec
		must(t, unix.TimerfdGettime(p.timer.fd, &spec))
		return time.Duration(spec.Value.Nano())
	}
	first := clock.Now().Add(time.Hour)
	for _, step := range []struct {
		until    boottime.Instant
		set      bool
		min, max time.Duration
	}{
		{first, true, 59 * time.Minute, time.Hour},
		{first.Add(time.Hour), true, 59 * time.Minute, time.Hour},
		{0, false, 59 * time.Minute, time.Hour},
		{first.Add(-30 * time.Minute), true, 20 * time.Minute, 30 * time.Minute},
		{first, true, 20 * time.Minute, 30 * time.Minute},
	} {
		p.Wake()
		_, err := p.Wait(step.until, step.set)
		must(t, err)
		if d := armed(); d < step.min || d > step.max {
			t.Errorf("%+v: armed for %v", step, d)
		}
	}

	// An instant that is not waited for any more wakes once.
	_, err := p.Wait(clock.Now(), true)
	must(t, err)
	fd := event(t)
	defer unix.Close(fd)
	must(t, p.Add(fd, func() {}))
	signal(t, fd)
	wait(t, p, 1)
	if d := armed(); d != 0 {
		t.Errorf("armed for %v", d)
	}
}

// An earlier callback of the same batch removes the others, or closes them and opens
// new ones with the same numbers.
func TestRemoveWhileDispatching(t *testing.T) {
	t.Parallel()
	for _, reuse := range []bool{false, true} {
		p := newPoller(t)
		const sources = 16
		fds := make([]int, sources)
		calls, replaced := 0, 0
		for i := range fds {
			fds[i] = event(t)
			must(t, p.Add(fds[i], func() {
				calls++
				for j, fd := range fds {
					if p.Remove(fd); !reuse || j == i {
						continue
					}
					// The new one is ready as well, but this batch has not found it.
					other := event(t)
					must(t, unix.Dup3(other, fd, unix.O_CLOEXEC))
					must(t, unix.Close(other))
					signal(t, fd)
					must(t, p.Add(fd, func() { replaced++ }))
				}
			}))
			signal(t, fds[i])
		}
		wait(t, p, sources)
		p.Dispatch()
		if calls != 1 || replaced != 0 {
			t.Errorf("reuse %v: %d sources were called after their removal, %d too early", reuse, calls-1, replaced)
		}
		if reuse {
			wait(t, p, sources-1)
			p.Dispatch()
			if replaced != sources-1 {
				t.Errorf("%d new sources were called", replaced)
			}
		}
		for _, fd := range fds {
			p.Remove(fd)
			must(t, unix.Close(fd))
		}
	}
}

// All of many sources get their turn, though one Wait does not find them all.
func TestManySources(t *testing.T) {
	t.Parallel()
	var limit unix.Rlimit
	must(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
	sources := int(min(10_000, limit.Cur/2))
	p := newPoller(t)
	called := make([]bool, sources)
	fds := make([]int, sources)
	for i := range fds {
		fds[i] = event(t)
		must(t, p.Add(fds[i], func() { called[i] = true })) // it stays ready
		signal(t, fds[i])
	}
	for range 2 * (sources/batch + 1) {
		if _, err := p.Wait(0, false); err != nil {
			t.Fatal(err)
		}
		p.Dispatch()
	}
	for i, fd := range fds {
		if !called[i] {
			t.Fatalf("source %d of %d had no turn", i, sources)
		}
		p.Remove(fd)
		must(t, unix.Close(fd))
	}
}

func TestNoAllocations(t *testing.T) { //nolint:paralleltest // AllocsPerRun must be alone
	p := newPoller(t)
	fd := event(t)
	defer unix.Close(fd)
	var count [8]byte
	must(t, p.Add(fd, func() { _, _ = unix.Read(fd, count[:]) }))
	at := clock.Now().Add(time.Hour)
	if n := testing.AllocsPerRun(100, func() {
		p.Wake()
		_, _ = unix.Write(fd, one[:])
		at-- // the timer is armed anew
		if _, err := p.Wait(at, true); err != nil {
			t.Error(err)
		}
		p.Dispatch()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	p, err := New()
	must(t, err)
	fd := event(t)
	defer unix.Close(fd)
	must(t, p.Add(fd, func() { t.Error("called after Close") }))
	signal(t, fd)
	wait(t, p, 1)
	must(t, p.Close())
	p.Dispatch()
	p.Wake()
	p.Remove(fd)
	if _, err := p.Wait(0, false); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Wait after Close: %v", err)
	}
	if err := p.Add(fd, nil); err == nil {
		t.Error("Add after Close: no error")
	}
	if err := p.Close(); err == nil {
		t.Error("closed twice: no error")
	}
	signal(t, fd) // it is still open
}

func BenchmarkWait(b *testing.B) {
	p := newPoller(b)
	fd := event(b)
	defer unix.Close(fd)
	var count [8]byte
	must(b, p.Add(fd, func() { _, _ = unix.Read(fd, count[:]) }))
	at := clock.Now().Add(time.Hour)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = unix.Write(fd, one[:])
		if _, err := p.Wait(at, true); err != nil {
			b.Fatal(err)
		}
		p.Dispatch()
	}
}
