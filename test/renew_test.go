package test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/test/lab"
)

// short are times for which a test can wait: T1 after 2 s, T2 after 4 s.
var short = lab.Config{Lease: 150 * time.Second, T1: 2 * time.Second, T2: 4 * time.Second, Router: addr("10.77.0.1")}

// TestRenewAtT1 checks that the lease is extended at T1 by unicast (RFC 2131
// section 4.4.5) and that the address stays in place.
func TestRenewAtT1(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, kind *lab.Kind) {
		h := newHome(t, kind, short)
		d, before := h.bound(t)
		address := before.IPv4.Address.Addr()
		granted, mark := h.cap.AwaitServer(0, patience, ack)
		kernel := h.changes.Mark()
		events := d.Events.Mark()
		routes := h.client.Routes("c0")

		req, next := h.cap.AwaitClient(mark, patience, request)
		if after := req.Time.Sub(granted.Time); after < time.Second || after > 4*time.Second {
			t.Errorf("renewed after %v, T1 is 2 s", after)
		}
		if req.Src != address || req.Dst != addr("10.77.0.1") || clientAddr(req) != address ||
			req.DHCP.RequestedIPAddress() != nil || req.DHCP.ServerIdentifier() != nil || req.DHCP.IsBroadcast() {
			t.Errorf("the renewing REQUEST is %v", req) // RFC 2131 section 4.3.2, RENEWING
		}
		if req.BadChecksum {
			t.Errorf("wrong checksum: %v", req)
		}
		h.cap.AwaitServer(next, patience, ack)
		d.AwaitEvent(t, events, patience, lessee.EventRenewed)
		c, _, ok := h.changes.Wait(kernel, patience, func(c lab.AddressChange) bool { return c.Prefix.Addr() == address })
		if !ok || c.Removed || c.Valid > 150*time.Second || c.Valid < 145*time.Second {
			t.Errorf("lifetimes not updated in place: %v", c)
		}
		h.keeps(t, 0, address)
		if now := h.client.Routes("c0"); strings.Join(now, "\n") != strings.Join(routes, "\n") {
			t.Errorf("routes were %q and are %q", routes, now)
		}
		after := d.AwaitBound(t, "c0")
		if !after.IPv4.Expires.After(before.IPv4.Expires) {
			t.Errorf("expired at %v before the renewal and at %v after it", before.IPv4.Expires, after.IPv4.Expires)
		}
		if held := h.dhcp.AwaitHeld(t, address); !near(held.Ends, after.IPv4.Expires) {
			t.Errorf("the server's list says %+v, the JSON that it expires %v", held, after.IPv4.Expires)
		}
	})
}

// TestRebindAtT2 checks that, with its server gone, the client turns to all
// servers at T2, and that another one may extend the lease.
func TestRebindAtT2(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, kind *lab.Kind) {
		h := newHome(t, kind, short)
		second := kind.Start(t, h.net.Host("second", "10.77.0.2/24"), short)
		second.Stop(t)
		d, a := h.bound(t)
		address := a.IPv4.Address.Addr()
		granted, mark := h.cap.AwaitServer(0, patience, ack)
		h.dhcp.Stop(t)
		second.Inherit(t, h.dhcp)
		second.Resume(t)

		req, next := h.cap.Await(mark, patience, "broadcast REQUEST", func(p lab.Packet) bool {
			return p.Client(request) && p.Dst == addr("255.255.255.255")
		})
		if after := req.Time.Sub(granted.Time); after < 3*time.Second || after > 7*time.Second {
			t.Errorf("rebound after %v, T2 is 4 s", after)
		}
		if clientAddr(req) != address || req.DHCP.RequestedIPAddress() != nil || req.DHCP.ServerIdentifier() != nil {
			t.Errorf("the rebinding REQUEST is %v", req) // RFC 2131 section 4.3.2, REBINDING
		}
		unicast, _ := h.cap.AwaitClient(mark, patience, request)
		if unicast.Dst != addr("10.77.0.1") {
			t.Errorf("at T1 it asked %v", unicast)
		}
		h.cap.AwaitServer(next, patience, ack)
		if !lab.Eventually(patience, func() bool {
			now, err := d.Client.Adapter(context.Background(), "c0")
			return err == nil && now.IPv4.Server == addr("10.77.0.2")
		}) {
			t.Errorf("the server is still %v", d.Show(t, "c0").IPv4.Server)
		}
		h.keeps(t, 0, address)
		second.AwaitHeld(t, address)
	})
}

// TestRenewFails checks an explicit renewal whose server is gone: an error
// after the caller's patience, and the lease stays.
func TestRenewFails(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	d, a := h.bound(t)
	h.dhcp.Stop(t)
	r := d.CLI(t, "renew", "c0", "--timeout", "1s")
	if r.Status != 1 || !strings.Contains(r.Stderr, "ERROR_SEM_TIMEOUT 121") || !strings.Contains(r.Stderr, "c0: renew:") {
		t.Errorf("renew without a server: status %d, %q", r.Status, r.Stderr)
	}
	if r.Took < 900*time.Millisecond || r.Took > 5*time.Second {
		t.Errorf("it took %v", r.Took)
	}
	h.keeps(t, 0, a.IPv4.Address.Addr())
	now := d.Show(t, "c0")
	if now.IPv4.Address != a.IPv4.Address || now.IPv4.State == "init" {
		t.Errorf("after it: %+v", now.IPv4)
	}
	h.dhcp.Resume(t)
	d.Must(t, "renew", "c0")
}

// TestPain_systemd32045_ExpiredLeaseRecovers checks that the lease ends on time when nobody extends it, and
// that the client finds its way back without help (systemd#32045).
func TestPain_systemd32045_ExpiredLeaseRecovers(t *testing.T) {
	t.Parallel()
	h := newHome(t, lab.KindByName("kea"), lab.Config{Lease: 6 * time.Second, T1: 2 * time.Second, T2: 4 * time.Second})
	d, a := h.bound(t)
	address := a.IPv4.Address.Addr()
	h.dhcp.Stop(t)
	acks := h.cap.Select(0, func(p lab.Packet) bool { return p.Server(ack) })
	last := acks[len(acks)-1]
	gone, _, ok := h.changes.Wait(0, patience, func(c lab.AddressChange) bool { return c.Removed && c.Prefix.Addr() == address })
	if !ok {
		t.Fatal("the address outlives the lease")
	}
	if after := gone.Time.Sub(last.Time); after > 7*time.Second || after < 4*time.Second {
		t.Errorf("the address went %v after the last ACK, for 6 s", after)
	}
	d.AwaitEvent(t, 0, patience, lessee.EventExpired)
	mark := h.cap.Mark()
	h.dhcp.Resume(t)
	h.cap.AwaitClient(mark, time.Minute, discover)
	d.AwaitState(t, "c0", time.Minute, "bound", "renewing")
}

// TestJoinedRenewals checks that ten renewals at the same time are one
// exchange on the wire, and that all ten get its answer.
func TestJoinedRenewals(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	d, _ := h.bound(t)
	server := h.dhcp.Process()
	mark := h.cap.Mark()
	if err := server.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	line := 0
	results := make([]lab.Result, 10)
	for i := range results {
		wg.Go(func() { results[i] = d.CLI(t, "renew", "c0") })
	}
	// The daemon says of each call that it was asked; the next REQUEST, a second
	// or more after the one before, is sent when it has taken in all of them.
	for range results {
		_, line = d.AwaitLineFrom(t, line, patience, "asked to renew")
	}
	h.cap.AwaitClient(h.cap.Mark(), patience, request)
	if err := server.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	for i, r := range results {
		if r.Status != 0 {
			t.Errorf("renewal %d: status %d %s", i, r.Status, r.Stderr)
		}
	}
	xids := map[dhcpv4.TransactionID]int{}
	for _, p := range h.cap.SentByClient(mark) {
		xids[p.DHCP.TransactionID]++
	}
	if len(xids) != 1 {
		t.Errorf("%d exchanges on the wire: %v", len(xids), xids)
	}
}

// TestPain_systemd16071_TCPSurvivesRenewals checks that a connection over the leased address
// does not notice 1000 renewals (systemd#16071).
func TestPain_systemd16071_TCPSurvivesRenewals(t *testing.T) {
	t.Parallel()
	const renewals = 1000
	h := newHome(t, dnsmasq(), lab.Config{Router: addr("10.77.0.1")})
	d, a := h.bound(t)
	address := a.IPv4.Address.Addr()

	var listener net.Listener
	err := h.server.Do(func() (err error) {
		listener, err = net.Listen("tcp4", "10.77.0.1:7777")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		if c, err := listener.Accept(); err == nil {
			_, _ = io.Copy(c, c)
			_ = c.Close()
		}
	}()
	var conn net.Conn
	err = h.client.Do(func() (err error) {
		conn, err = net.DialTimeout("tcp4", "10.77.0.1:7777", patience)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if local := conn.LocalAddr().(*net.TCPAddr).AddrPort().Addr(); local != address {
		t.Fatalf("the connection is from %v, leased is %v", local, address)
	}
	if err := conn.SetDeadline(time.Now().Add(2 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	mark := h.cap.Mark()
	in := bufio.NewReader(conn)
	for i := range renewals {
		if err := d.Client.Renew(context.Background(), "c0"); err != nil {
			t.Fatalf("renewal %d: %v", i, err)
		}
		line := fmt.Sprintf("renewal %d\n", i)
		if _, err := io.WriteString(conn, line); err != nil {
			t.Fatalf("after renewal %d: %v", i, err)
		}
		if got, err := in.ReadString('\n'); err != nil || got != line {
			t.Fatalf("after renewal %d: %q %v", i, got, err)
		}
	}
	h.keeps(t, 0, address)
	if got := len(h.cap.Select(mark, func(p lab.Packet) bool { return p.Server(ack) })); got != renewals {
		t.Errorf("%d ACKs for %d renewals", got, renewals)
	}
	if gone := h.changes.Select(0, func(c lab.AddressChange) bool { return c.Removed }); len(gone) > 0 {
		t.Errorf("addresses were removed: %v", gone)
	}
}
