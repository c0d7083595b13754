package driver

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/errno"
)

// TestUpIsRemembered: an adapter that a call began to manage is managed after
// every restart, with or without a lease.
func TestUpIsRemembered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.addLink(2, "c0")
		w.silent = true
		d := w.run(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := d.Up(ctx, "c0"); code(err) != errno.ERROR_SEM_TIMEOUT {
			t.Fatalf("Up without a server: %v", err)
		}
		if r, _, _ := w.Load("c0"); !r.Up {
			t.Fatal("without a lease: not on record")
		}
		w.mu.Lock()
		w.silent = false
		clear(w.claimed) // they go with the process
		w.mu.Unlock()
		// As the daemon does it when it starts again, with what is on record.
		again := w.run(t)
		if err := again.Manage("c0"); err != nil {
			t.Fatal(err)
		}
		if err := again.Renew(t.Context(), "c0"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if r, _, _ := w.Load("c0"); r.Lease == nil || !r.Up {
			t.Errorf("after a restart: lease %v, up %v", r.Lease, r.Up)
		}
	})
}

// TestHardwareAddressOfAnAdapterThatIsDown: whoever sets the adapter down to
// give it another hardware address finds it down afterwards.
func TestHardwareAddressOfAnAdapterThatIsDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		l := w.addLink(2, "c0")
		d := w.run(t)
		mustUp(t, d, "c0")
		l.Up, l.Carrier = false, false
		w.setLink(l)
		l.HardwareAddr = []byte{2, 0, 0, 0, 9, 9}
		w.setLink(l)
		synctest.Wait()
		if l, _ = w.LinkByIndex(2); l.Up {
			t.Error("the adapter was set up")
		}
		l.Up, l.Carrier = true, true
		w.setLink(l)
		time.Sleep(time.Second)
		synctest.Wait()
		if a, err := d.Adapter(t.Context(), "c0"); err != nil || a.IPv4.State != "bound" {
			t.Errorf("with the new address: %+v, %v", a.IPv4, err)
		}
	})
}

// TestAdapterGoesWhileItIsTaken: an adapter that goes before its tenancy began
// is managed when it comes back under another index.
func TestAdapterGoesWhileItIsTaken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		d := w.run(t)
		if err := d.Manage("c0"); err != nil {
			t.Fatal(err)
		}
		w.mu.Lock()
		w.listed = func() { w.removeLink(2) }
		w.mu.Unlock()
		w.addLink(2, "c0")
		synctest.Wait()
		w.addLink(3, "c0")
		time.Sleep(time.Second)
		synctest.Wait()
		a, err := d.Adapter(t.Context(), "c0")
		if err != nil || a.Index != 3 || a.IPv4.State != "bound" {
			t.Errorf("adapter %+v, IPv4 %+v, %v", a, a.IPv4, err)
		}
	})
}

// TestRunFails: a driver that cannot run leaves no caller waiting.
func TestRunFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.linksErr = errors.New("no buffer space")
		d := New(Config{Home: w.home, Resolver: w, Store: w, Others: w, Poller: newPoller(w), Now: w.Now, Log: slog.New(slog.DiscardHandler)})
		answer := make(chan error, 1)
		go func() { answer <- d.Renew(t.Context(), "c0") }()
		if err := d.Run(t.Context()); !errors.Is(err, w.linksErr) {
			t.Errorf("Run: %v", err)
		}
		if err := <-answer; lessee.Code(err) != errno.ERROR_PROC_NOT_FOUND {
			t.Errorf("Renew: %v", err)
		}
	})
}
