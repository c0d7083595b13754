package driver

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/errno"
)

func code(err error) errno.Errno { return lessee.Code(err) }

func mustUp(t *testing.T, d *Driver, name string) {
	t.Helper()
	if err := d.Up(t.Context(), name); err != nil {
		t.Fatalf("Up(%s): %v", name, err)
	}
}

// TestObtain: the answer comes when the address is configured, after the lease
// was saved durably.
func TestObtain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.addLink(2, "c0")
		d := w.run(t)
		mustUp(t, d, "c0")
		synctest.Wait()
		// Questions by ARP do not wait for the rest, nor the rest for them.
		var asked, rest []string
		for _, e := range w.entries() {
			if strings.HasPrefix(e, "c0 listen") || strings.HasPrefix(e, "c0 arp") {
				asked = append(asked, e)
			} else {
				rest = append(rest, e)
			}
		}
		got := strings.Join(append(rest, asked...), "\n")
		want := strings.Join([]string{
			"c0 save lease", // that it was told to
			"c0 send DISCOVER from 0.0.0.0",
			"c0 send REQUEST from 0.0.0.0",
			"c0 save lease",
			"c0 apply 10.77.0.2/16",
			"c0 listen [10.77.0.2]", // does another host have it?
			"c0 arp 0001080006040001020000000002000000000000000000000a4d0002 to ",
		}, "\n")
		if got != want {
			t.Errorf("what was asked:\n%s\nwant:\n%s", got, want)
		}
		if w.open != 0 {
			t.Errorf("%d exchanges are open though nothing is awaited", w.open)
		}
		a, err := d.Adapter(t.Context(), "c0")
		if err != nil {
			t.Fatal(err)
		}
		v := a.IPv4
		if v.State != "bound" || v.Address != netip.MustParsePrefix("10.77.0.2/16") || a.Manager != "lessee" {
			t.Errorf("adapter: %+v, IPv4 %+v", a, v)
		}
		if left := time.Until(v.Expires).Round(time.Second); left != time.Hour {
			t.Errorf("expires in %v, want 1h", left)
		}
		if zone, _ := v.Expires.Zone(); zone != "UTC" {
			t.Errorf("times are in zone %s, want UTC", zone)
		}
		if !v.Obtained.Before(v.Renews) || !v.Renews.Before(v.Rebinds) || !v.Rebinds.Before(v.Expires) {
			t.Errorf("times out of order: %v %v %v %v", v.Obtained, v.Renews, v.Rebinds, v.Expires)
		}
		if v.Counters["sent.discover"] != 1 || v.Counters["received.ack"] != 1 {
			t.Errorf("counters: %v", v.Counters)
		}
	})
}

// TestRenewJoins: many callers, one exchange on the wire, the same answer to all.
func TestRenewJoins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.addLink(2, "c0")
		d := w.run(t)
		mustUp(t, d, "c0")
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				if err := d.Renew(t.Context(), "c0"); err != nil {
					t.Errorf("Renew: %v", err)
				}
			})
		}
		all.Wait()
		if n := w.count(func(l string) bool { return l == "c0 send REQUEST from 10.77.0.2" }); n != 1 {
			t.Errorf("%d REQUESTs for ten renewals at once, want 1", n)
		}
	})
}

// TestReleaseRenew: released is without address and silent until a renew.
func TestReleaseRenew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.addLink(2, "c0")
		d := w.run(t)
		mustUp(t, d, "c0")
		if err := d.Release(t.Context(), "c0"); err != nil {
			t.Fatalf("Release: %v", err)
		}
		if got := w.addresses[2]; len(got) != 0 {
			t.Errorf("addresses after the release: %v", got)
		}
		if err := d.Release(t.Context(), "c0"); code(err) != errno.ERROR_ADDRESS_NOT_ASSOCIATED {
			t.Errorf("second release: %v", err)
		}
		synctest.Wait() // the end of listening to ARP has a goroutine of its own
		before := len(w.entries())
		time.Sleep(1000 * time.Hour)
		synctest.Wait()
		if after := w.entries(); len(after) != before {
			t.Errorf("not silent after the release: %v", after[before:])
		}
		if err := d.Renew(t.Context(), "c0"); err != nil {
			t.Fatalf("Renew: %v", err)
		}
		if got := w.addresses[2]; len(got) != 1 {
			t.Errorf("addresses after the renew: %v", got)
		}
	})
}

// TestPatience: a call ends in time, or when its caller gives up; the exchange goes on.
func TestPatience(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.addLink(2, "c0")
		d := w.run(t)
		mustUp(t, d, "c0")
		w.mu.Lock()
		w.silent = true
		w.mu.Unlock()

		begin := time.Now()
		err := d.Renew(t.Context(), "c0")
		if code(err) != errno.ERROR_SEM_TIMEOUT || time.Since(begin) != DefaultPatience {
			t.Errorf("without a deadline: %v after %v", err, time.Since(begin))
		}
		if !strings.Contains(err.Error(), "the lease stays valid until") {
			t.Errorf("the error does not tell of the lease: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		begin = time.Now()
		if err := d.Renew(ctx, "c0"); code(err) != errno.ERROR_SEM_TIMEOUT || time.Since(begin) != 3*time.Second {
			t.Errorf("with a deadline: %v after %v", err, time.Since(begin))
		}
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		if err := d.Renew(ctx, "c0"); code(err) != errno.ERROR_CANCELLED {
			t.Errorf("cancelled: %v", err)
		}
		if a, _ := d.Adapter(t.Context(), "c0"); !a.IPv4.Address.IsValid() {
			t.Errorf("the lease is gone: %+v", a.IPv4)
		}
	})
}

// TestRefusals: what cannot be managed, and why.
func TestRefusals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		l := w.addLink(2, "c0")
		l.Carrier = false
		w.setLink(l)
		d := w.run(t)
		ctx := t.Context()
		check := func(what string, err error, want errno.Errno, text string) {
			t.Helper()
			if code(err) != want || !strings.Contains(err.Error(), text) {
				t.Errorf("%s: %v, want %v and %q", what, err, want, text)
			}
		}
		check("renew of no adapter", d.Renew(ctx, "x0"), errno.ERROR_FILE_NOT_FOUND, "no such adapter")
		check("renew of an unmanaged one", d.Renew(ctx, "c0"), errno.ERROR_FILE_NOT_FOUND, "lessee up c0")
		check("down of an unmanaged one", d.Down(ctx, "c0", false), errno.ERROR_FILE_NOT_FOUND, "not managed")
		check("up of no adapter", d.Up(ctx, "x0"), errno.ERROR_FILE_NOT_FOUND, "no such adapter")
		check("up of loopback", d.Up(ctx, "lo"), errno.ERROR_NOT_SUPPORTED, "Ethernet")
		w.manager = "dhcpcd"
		check("up beside another client", d.Up(ctx, "c0"), errno.ERROR_BUSY, "dhcpcd")
		check("renew of another client's", d.Renew(ctx, "c0"), errno.ERROR_NOT_SUPPORTED, "dhcpcd manages")
		check("release of another client's", d.Release(ctx, "c0"), errno.ERROR_NOT_SUPPORTED, "dhcpcd manages")
		check("down of another client's", d.Down(ctx, "c0", false), errno.ERROR_NOT_SUPPORTED, "dhcpcd manages")
		w.manager = ""
		w.mu.Lock()
		w.claimed[2] = true
		w.mu.Unlock()
		check("up beside another daemon of ours", d.Up(ctx, "c0"), errno.ERROR_BUSY, "another lessee daemon")
		w.mu.Lock()
		w.claimed[2] = false
		w.mu.Unlock()
		check("up without carrier", d.Up(ctx, "c0"), errno.ERROR_NO_NETWORK, "carrier")
		check("renew without carrier", d.Renew(ctx, "c0"), errno.ERROR_NO_NETWORK, "carrier")
		w.setLink(w.addLink(2, "c0"))
		mustUp(t, d, "c0")
		w.mu.Lock()
		w.applyErr = errors.New("c0: add address: operation not permitted")
		w.mu.Unlock()
		check("the kernel refuses", d.Renew(ctx, "c0"), errno.ERROR_GEN_FAILURE, "not permitted")
		w.mu.Lock()
		w.applyErr = nil
		w.mu.Unlock()
		mustUp(t, d, "c0") // it was tried again
	})
}

// TestAdapterComesAndGoes: an adapter is managed by its name before it exists,
// after it was removed, under a new name, and with a new hardware address.
func TestAdapterComesAndGoes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		d := w.run(t)
		if err := d.Manage("c0"); err != nil {
			t.Fatal(err)
		}
		events, cancel := d.Subscribe()
		defer cancel()
		await := func(kind lessee.EventKind) lessee.Event {
			t.Helper()
			for {
				select {
				case e := <-events:
					if e.Kind == kind {
						return e
					}
				case <-time.After(time.Minute):
					t.Fatalf("no event %s", kind)
				}
			}
		}
		l := w.addLink(2, "c0")
		await(lessee.EventBound)
		l.Name = "wan0"
		w.setLink(l)
		if e := await(lessee.EventRenamed); e.Detail != "c0" || e.Adapter != "wan0" {
			t.Errorf("renamed: %+v", e)
		}
		if err := d.Renew(t.Context(), "wan0"); err != nil {
			t.Errorf("renew under the new name: %v", err)
		}
		if _, there, _ := w.Load("wan0"); !there {
			t.Error("the record did not follow the name")
		}
		w.removeLink(2)
		await(lessee.EventRemoved)
		if err := d.Renew(t.Context(), "wan0"); code(err) != errno.ERROR_FILE_NOT_FOUND {
			t.Errorf("renew of a removed adapter: %v", err)
		}
		w.addLink(3, "wan0")
		if e := await(lessee.EventBound); e.Index != 3 {
			t.Errorf("bound again: %+v", e)
		}
		l = w.addLink(3, "wan0")
		l.HardwareAddr = []byte{2, 0, 0, 0, 9, 9}
		w.setLink(l)
		await(lessee.EventBound)
		if err := d.Down(t.Context(), "wan0", false); err != nil {
			t.Errorf("Down: %v", err)
		}
		await(lessee.EventUnmanaged)
		if a, err := d.Adapter(t.Context(), "wan0"); err != nil || a.Manager != "none" || a.IPv4.State != "disabled" {
			t.Errorf("after Down: %+v, %v", a, err)
		}
	})
}

// TestSlowSubscriber: nobody waits for one, and it is told what it missed.
func TestSlowSubscriber(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.addLink(2, "c0")
		d := w.run(t)
		events, cancel := d.Subscribe()
		defer cancel()
		mustUp(t, d, "c0")
		for range 100 {
			if err := d.Renew(t.Context(), "c0"); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		var seen, lost uint64
		for {
			synctest.Wait()
			select {
			case e := <-events:
				if e.Kind == lessee.EventLost {
					lost += e.Count
				} else {
					seen++
				}
				continue
			default:
			}
			break
		}
		// The pump holds one more than the queue.
		if seen != backlog+1 || lost < 100 {
			t.Errorf("%d events seen, %d counted as lost", seen, lost)
		}
		if err := d.Renew(t.Context(), "c0"); err != nil {
			t.Fatal(err)
		}
		if e := <-events; e.Kind == lessee.EventLost {
			t.Errorf("after the queue was empty: %+v", e)
		}
	})
}

// TestStop: callers who wait are told, and addresses stay.
func TestStop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.addLink(2, "c0")
		d := New(Config{
			Home: w.home, Resolver: w, Store: w, Others: w, Poller: newPoller(w), Now: w.Now, Log: slog.New(slog.DiscardHandler),
			Seed:    func() uint64 { return 1 },
			Adapter: func(string) AdapterConfig { return AdapterConfig{} },
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- d.Run(ctx) }()
		mustUp(t, d, "c0")
		w.mu.Lock()
		w.silent = true
		w.mu.Unlock()
		answer := make(chan error)
		go func() { answer <- d.Renew(t.Context(), "c0") }()
		synctest.Wait()
		cancel()
		if err := <-answer; code(err) != errno.ERROR_PROC_NOT_FOUND {
			t.Errorf("the caller who waited: %v", err)
		}
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		if len(w.addresses[2]) != 1 || w.open != 0 {
			t.Errorf("addresses %v, %d exchanges open", w.addresses[2], w.open)
		}
		if err := d.Renew(t.Context(), "c0"); code(err) != errno.ERROR_PROC_NOT_FOUND {
			t.Errorf("after the end: %v", err)
		}
	})
}

// TestManyAdapters: two hundred adapters live through an afternoon side by side.
func TestManyAdapters(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		const n = 200
		for i := range n {
			w.addLink(2+i, "c"+string(rune('a'+i%26))+strings.Repeat("x", i/26))
		}
		d := w.run(t)
		for _, l := range w.links {
			if !l.Loopback {
				if err := d.Manage(l.Name); err != nil {
					t.Fatal(err)
				}
			}
		}
		time.Sleep(4 * time.Hour)
		synctest.Wait()
		all, err := d.Adapters(t.Context())
		if err != nil || len(all) != n {
			t.Fatalf("%d adapters, %v", len(all), err)
		}
		for _, a := range all {
			if s := a.IPv4.State; s != "bound" && s != "renewing" {
				t.Errorf("%s is %s", a.Name, s)
			}
		}
	})
}
