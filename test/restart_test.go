package test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/lessee/lessee/test/lab"
)

// TestPain_plugins235_RestartResumes checks that a stopped daemon leaves the address, and that
// the next one goes on with it without a packet (delphix#358, plugins#235).
func TestPain_plugins235_RestartResumes(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, kind *lab.Kind) {
		h := newHome(t, kind, lab.Config{Router: addr("10.77.0.1")})
		d, a := h.bound(t)
		address := a.IPv4.Address.Addr()
		routes := h.client.Routes("c0")
		mark := h.cap.Mark()
		if err := d.Stop(t); err != nil {
			t.Errorf("SIGTERM: %v", err)
		}
		h.keeps(t, 0, address)

		kernel := h.changes.Mark()
		d = h.client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}})
		now := d.AwaitBound(t, "c0")
		if now.IPv4.Address != a.IPv4.Address || !near(now.IPv4.Expires, a.IPv4.Expires) || now.IPv4.Server != a.IPv4.Server {
			t.Errorf("before: %+v\nafter: %+v", a.IPv4, now.IPv4)
		}
		if sent := h.cap.SentByClient(mark); len(sent) != 0 {
			t.Errorf("sent: %v", sent)
		}
		if changed := h.changes.Since(kernel); len(changed) > 0 {
			t.Errorf("what was as wanted was touched: %v", changed)
		}
		if got := h.client.Routes("c0"); !equal(got, routes) {
			t.Errorf("routes were %q and are %q", routes, got)
		}
		h.keeps(t, 0, address)
		d.Must(t, "renew", "c0")
		if now := d.Show(t, "c0"); now.IPv4.Address != a.IPv4.Address || now.IPv4.Expires.Before(a.IPv4.Expires) {
			t.Errorf("after renew: %+v", now.IPv4)
		}
		h.keeps(t, 0, address)
	})
}

// TestRestartWithoutAddress checks that a daemon that finds a valid lease but
// not its address verifies it with the network first (INIT-REBOOT).
func TestRestartWithoutAddress(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	d, a := h.bound(t)
	d.Crash()
	h.client.Run(t, "ip", "addr", "flush", "dev", "c0", "scope", "global")
	h.client.AwaitNoAddress(t, "c0", patience)
	mark := h.cap.Mark()
	_, again := h.bound(t)
	req, _ := h.cap.AwaitClient(mark, patience, request)
	if !req.DHCP.RequestedIPAddress().Equal(a.IPv4.Address.Addr().AsSlice()) || req.DHCP.ServerIdentifier() != nil {
		t.Errorf("the first REQUEST is %v", req)
	}
	if again.IPv4.Address != a.IPv4.Address {
		t.Errorf("was %v, is %v", a.IPv4.Address, again.IPv4.Address)
	}
}

// TestPain_flatcar10_Crashes kills the daemon at random moments of its work, fifty times: the
// address never goes while its lease is valid (delphix#358, flatcar#10).
func TestPain_flatcar10_Crashes(t *testing.T) {
	t.Parallel()
	const crashes = 50
	h := newHome(t, lab.KindByName("kea"), lab.Config{Lease: 100 * time.Second, T1: time.Second, T2: 50 * time.Second})
	d, a := h.bound(t)
	address := a.IPv4.Address.Addr()
	d.Crash()
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	for i := range crashes {
		d = h.client.Daemon(t, lab.Options{Args: []string{"c0"}})
		// From before its first line until well after a renewal at T1.
		moment := time.After(time.Duration(random.Int64N(int64(600 * time.Millisecond))))
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() {
			defer close(done)
			for ctx.Err() == nil { // whatever comes of it: it is to be busy
				_ = d.Client.Renew(ctx, "c0")
			}
		}()
		<-moment
		d.Crash()
		cancel()
		<-done
		if !h.has(address) || len(h.lost(0, address)) > 0 {
			t.Fatalf("after crash %d: addresses %v, changes %v", i, h.client.Addresses("c0"), h.changes.Since(0))
		}
		// The kernel must not hold the address longer than the server does.
		held := h.dhcp.AwaitHeld(t, address)
		for _, have := range h.client.Addresses("c0") {
			if ends := time.Now().Add(have.Valid); ends.After(held.Ends.Add(3 * time.Second)) {
				t.Fatalf("after crash %d: the kernel has %v until %v, the server until %v", i, address, ends, held.Ends)
			}
		}
	}
	d = h.client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}})
	if now := d.AwaitBound(t, "c0"); now.IPv4.Address != a.IPv4.Address {
		t.Errorf("was %v, is %v", a.IPv4.Address, now.IPv4.Address)
	}
	h.keeps(t, 0, address)
	d.Must(t, "renew", "c0")
	h.keeps(t, 0, address)
}

// TestDeadDaemonsAddressEnds checks that the kernel ends the address of a
// daemon that died, and that a new one does not bring it back from the file.
func TestDeadDaemonsAddressEnds(t *testing.T) {
	t.Parallel()
	h := newHome(t, lab.KindByName("kea"), lab.Config{Lease: 6 * time.Second, T1: 4 * time.Second, T2: 5 * time.Second})
	d, a := h.bound(t)
	address := a.IPv4.Address.Addr()
	d.Crash()
	h.dhcp.Stop(t)
	acks := h.cap.Select(0, func(p lab.Packet) bool { return p.Server(ack) })
	last := acks[len(acks)-1]
	gone, _, ok := h.changes.Wait(0, patience, func(c lab.AddressChange) bool { return c.Removed && c.Prefix.Addr() == address })
	if !ok {
		t.Fatal("the address outlives the lease")
	}
	if after := gone.Time.Sub(last.Time); after > 8*time.Second {
		t.Errorf("the address went %v after the last ACK, for 6 s", after)
	}
	mark, kernel := h.cap.Mark(), h.changes.Mark()
	h.client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}})
	h.cap.AwaitClient(mark, patience, discover)
	if back := h.changes.Since(kernel); len(back) > 0 {
		t.Errorf("an address came back: %v", back)
	}
	h.dhcp.Resume(t)
	h.client.AwaitAddress(t, "c0", time.Minute)
}

// TestPain_dhcpcd482_Down checks the two ways to end the management (vyos-1x#5342, dhcpcd#482).
func TestPain_dhcpcd482_Down(t *testing.T) {
	t.Parallel()
	t.Run("release", func(t *testing.T) {
		t.Parallel()
		h := newHome(t, dnsmasq(), lab.Config{})
		d, a := h.bound(t)
		address := a.IPv4.Address.Addr()
		mark := h.cap.Mark()
		d.Must(t, "down", "c0")
		rel, _ := h.cap.AwaitClient(mark, patience, release)
		checkRelease(t, h, rel, address)
		h.dhcp.AwaitFreed(t, address)
		if have := h.client.Addresses("c0"); len(have) != 0 {
			t.Errorf("addresses: %v", have)
		}
		unmanaged(t, d)
	})
	t.Run("keep", func(t *testing.T) {
		t.Parallel()
		h := newHome(t, dnsmasq(), lab.Config{})
		d, a := h.bound(t)
		mark := h.cap.Mark()
		d.Must(t, "down", "c0", "--keep")
		h.keeps(t, 0, a.IPv4.Address.Addr())
		unmanaged(t, d)
		if sent := h.cap.SentByClient(mark); len(sent) != 0 {
			t.Errorf("sent: %v", sent)
		}
		if !h.dhcp.Holds(t, a.IPv4.Address.Addr()) {
			t.Errorf("the server freed it: %v", h.dhcp.Leases(t))
		}
		if valid := h.client.Addresses("c0")[0].Valid; valid > 2*time.Minute {
			t.Errorf("the address that is left is valid for %v", valid)
		}
	})
}

func unmanaged(t *testing.T, d *lab.Daemon) {
	t.Helper()
	if now := d.Show(t, "c0"); now.Manager != "none" || (now.IPv4 != nil && now.IPv4.State != "disabled") {
		t.Errorf("still managed: %+v %+v", now, now.IPv4)
	}
	if r := d.CLI(t, "renew", "c0"); r.Status != 1 || !contains(r.Stderr, "ERROR_FILE_NOT_FOUND 2") {
		t.Errorf("renew: status %d, %q", r.Status, r.Stderr)
	}
}

// TestUp checks that `up` begins to manage an adapter, sets it up, waits for
// the lease, and is remembered over a restart of the daemon.
func TestUp(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	link, err := h.client.Net.LinkByName("c0")
	if err == nil {
		err = h.client.Net.LinkSetDown(link)
	}
	if err != nil {
		t.Fatal(err)
	}
	d := h.client.ReadyDaemon(t, lab.Options{})
	unmanaged(t, d)
	d.Must(t, "up", "c0")
	if len(h.client.Addresses("c0")) != 1 {
		t.Errorf("up answered before the address was there")
	}
	a := d.Show(t, "c0")
	_ = d.Stop(t)
	mark := h.cap.Mark()
	d = h.client.ReadyDaemon(t, lab.Options{})
	if now := d.AwaitBound(t, "c0"); now.IPv4.Address != a.IPv4.Address {
		t.Errorf("was %v, is %v", a.IPv4.Address, now.IPv4.Address)
	}
	if sent := h.cap.SentByClient(mark); len(sent) != 0 {
		t.Errorf("sent: %v", sent)
	}
}
