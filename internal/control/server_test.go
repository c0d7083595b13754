//go:build linux

package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/names"
	"github.com/lessee/lessee/reason"
)

// byValue compares values without pointers.
var byValue = cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}, names.Host{}, names.Domain{}, names.URL{}, names.Zone{}, names.POSIXZone{}, names.Token{}, names.Template{})

func TestCalls(t *testing.T) {
	t.Parallel()
	f := newFake()
	kept := make(chan bool, 1)
	f.do = func(_ context.Context, op, _ string, keep bool) error {
		if op == "down" {
			kept <- keep
		}
		return nil
	}
	c, _ := serve(t, f)
	ctx := t.Context()

	list, err := c.Adapters(ctx)
	if err != nil || len(list) != 2 || list[1].Name != "eth1" {
		t.Errorf("Adapters: %v %v", list, err)
	}
	a, err := c.Adapter(ctx, "uplink")
	if err != nil {
		t.Error(err)
	}
	if d := cmp.Diff(eth0(), a, byValue); d != "" {
		t.Errorf("Adapter, want -, got +:\n%s", d)
	}
	v, err := c.Version(ctx)
	if err != nil || v != lessee.Build() {
		t.Errorf("Version: %+v %v", v, err)
	}
	for op, call := range map[string]func() error{
		"renew":   func() error { return c.Renew(ctx, "eth0") },
		"release": func() error { return c.Release(ctx, "eth0") },
		"up":      func() error { return c.Up(ctx, "eth0") },
		"down":    func() error { return c.Down(ctx, "eth0", true) },
	} {
		if err := call(); err != nil {
			t.Errorf("%s: %v", op, err)
		}
	}
	if !<-kept {
		t.Error("keep did not arrive")
	}
	for _, name := range []string{"eth9", "a b%2F?&#", "ü"} {
		err := c.Renew(ctx, name)
		want := &lessee.Error{Op: "renew", Adapter: name, Code: errno.ERROR_FILE_NOT_FOUND, Cause: reason.Cause{Reason: reason.NoSuchAdapter}}
		if d := cmp.Diff(want, err, cmpopts.IgnoreUnexported(lessee.Error{}), cmpopts.EquateComparable(netip.Addr{})); d != "" {
			t.Errorf("%s: want -, got +:\n%s", name, d)
		}
	}
}

// TestErrorsArriveWhole: what the engine says is what the caller of package
// lessee gets, for every code.
func TestErrorsArriveWhole(t *testing.T) {
	t.Parallel()
	f := newFake()
	c, _ := serve(t, f)
	var next error
	f.do = func(context.Context, string, string, bool) error { return next }
	for code := errno.Errno(1); code < 5000; code++ {
		if code.Name()[0] != 'E' {
			continue // no name: not of the contract
		}
		want := &lessee.Error{Op: "renew", Adapter: "eth0", Code: code, Cause: reason.Cause{
			Reason: reason.SystemFailed, Fault: &reason.Fault{During: "a <b> & c", Text: "do this", Errno: 7},
		}}
		next = want
		err := c.Renew(t.Context(), "eth0")
		if d := cmp.Diff(want, err, cmpopts.IgnoreFields(lessee.Error{}, "Err"), cmpopts.IgnoreUnexported(lessee.Error{}), cmpopts.EquateComparable(netip.Addr{})); d != "" {
			t.Errorf("want -, got +:\n%s", d)
		}
		if !errors.Is(err, code) {
			t.Errorf("errors.Is(%v, %s) is false", err, code.Name())
		}
	}
}

// TestManyClients: calls of several clients are with the engine at the same time.
func TestManyClients(t *testing.T) {
	t.Parallel()
	const n = 20
	f := newFake()
	var together sync.WaitGroup
	together.Add(n)
	f.do = func(_ context.Context, op, _ string, _ bool) error {
		if op == "renew" {
			together.Done()
			together.Wait()
		}
		return nil
	}
	c, _ := serve(t, f)
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			if err := lessee.New(lessee.WithSocket(c.Socket())).Renew(t.Context(), "eth0"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestCallerGoesAway(t *testing.T) {
	t.Parallel()
	f := newFake()
	entered, left := make(chan struct{}), make(chan error, 1)
	f.do = func(ctx context.Context, op, _ string, _ bool) error {
		if op != "renew" {
			return nil
		}
		close(entered)
		<-ctx.Done()
		left <- ctx.Err()
		return ctx.Err()
	}
	c, _ := serve(t, f)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-entered; cancel() }()
	err := c.Renew(ctx, "eth0")
	if !errors.Is(err, errno.ERROR_CANCELLED) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("the engine's context ended with %v", err)
	}
	if err := c.Release(t.Context(), "eth0"); err != nil {
		t.Errorf("the next call: %v", err)
	}
}

// TestDeadline: the caller's deadline is the engine's, and the engine's own
// words arrive though the deadline has passed.
func TestDeadline(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.do = func(ctx context.Context, _, _ string, _ bool) error {
		at, ok := ctx.Deadline()
		if !ok || time.Until(at) > 300*time.Millisecond {
			t.Errorf("the engine's deadline is in %v (%t)", time.Until(at), ok)
		}
		<-ctx.Done()
		return &lessee.Error{Code: errno.ERROR_SEM_TIMEOUT, Cause: reason.Cause{
			Reason: reason.NoServer, Timeout: lessee.Duration(300 * time.Millisecond), Infinite: true,
		}}
	}
	c, _ := serve(t, f)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	err := c.Renew(ctx, "eth0")
	const want = "eth0: renew: no DHCP server answered in 300ms (ERROR_SEM_TIMEOUT 121); the lease stays valid"
	if err == nil || err.Error() != want || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// TestDefaultPatience: without a deadline of its own a call has 20 s.
func TestDefaultPatience(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.do = func(ctx context.Context, op, _ string, _ bool) error {
		at, ok := ctx.Deadline()
		if left := time.Until(at); !ok || left > lessee.DefaultTimeout || left < lessee.DefaultTimeout-5*time.Second {
			t.Errorf("%s: the engine's deadline is in %v (%t)", op, left, ok)
		}
		return nil
	}
	c, s := serve(t, f)
	if err := errors.Join(c.Renew(t.Context(), "eth0"), c.Down(t.Context(), "eth0", false)); err != nil {
		t.Error(err)
	}
	answer(t, s, "POST /v1/adapters/eth0/up HTTP/1.1\r\nHost: lessee\r\nContent-Length: 0\r\n\r\n", c.Socket(), "204")
}

// answer sends bytes and wants the status.
func answer(t *testing.T, _ *Server, request, socket, status string) {
	t.Helper()
	c, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	go io.WriteString(c, request) //nolint:errcheck // The server may stop to read at any byte.
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "HTTP/1.1 "+status) {
		t.Errorf("%.60q: got %q (%v), want status %s", request, line, err, status)
	}
}

func TestMalformedHTTP(t *testing.T) {
	t.Parallel()
	c, s := serve(t, newFake())
	for _, tc := range []struct{ request, status string }{
		{"\x16\x03\x01\x02\x00\r\n\r\n", "400"},
		{"GET\r\n\r\n", "400"},
		{"GET /v1/version HTTP/9.9\r\n\r\n", "505"},
		{"GET /v1/version HTTP/1.1\r\n\r\n", "400"}, // no Host
		{"GET /v1/version HTTP/1.1\r\nHost: l\r\nX: " + strings.Repeat("x", maxHeader+8<<10) + "\r\n\r\n", "431"},
		{"POST /v1/adapters/eth0/renew HTTP/1.1\r\nHost: l\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "400"},
		{"POST /v1/adapters/eth0/renew HTTP/1.1\r\nHost: l\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}", "400"},
		{"POST /v1/adapters/eth0/renew HTTP/1.1\r\nHost: l\r\nContent-Length: 99999999\r\n\r\n" + strings.Repeat(" ", 5000), "413"},
		{"GET /v1/version HTTP/1.1\r\nHost: l\r\nContent-Length: 2\r\n\r\n{}", "400"},
		{"GET /v1/adapters/%zz HTTP/1.1\r\nHost: l\r\n\r\n", "400"},
		{"GET /v1/version?a=%zz HTTP/1.1\r\nHost: l\r\n\r\n", "400"},
		{"CONNECT lessee:80 HTTP/1.1\r\nHost: l\r\n\r\n", "404"},
		{"GET /v1/version HTTP/1.1\r\nHost: l\r\n\r\n", "200"},
	} {
		answer(t, s, tc.request, c.Socket(), tc.status)
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	f := newFake()
	c, _ := serve(t, f)
	all, err := c.Watch(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer all.Close()
	one, err := c.Watch(t.Context(), "uplink")
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	// Both are confirmed, so nothing of this may be missing.
	sent := []lessee.Event{
		{Time: born, Kind: lessee.EventState, Index: 2, Adapter: "eth0", State: "requesting"},
		{Time: born, Kind: lessee.EventReceived, Index: 3, Adapter: "eth1", Message: "ACK"},
		{Time: born, Kind: lessee.EventRenamed, Index: 2, Adapter: "wan", Detail: "eth0"},
		{Time: born, Kind: lessee.EventLost, Count: 7},
	}
	for _, ev := range sent {
		f.emit(ev)
	}
	for name, tc := range map[string]struct {
		s    *lessee.Stream
		want []lessee.Event
	}{"all": {all, sent}, "one": {one, []lessee.Event{sent[0], sent[2], sent[3]}}} {
		var got []lessee.Event
		for ev, err := range tc.s.All() {
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if got = append(got, ev); len(got) == len(tc.want) {
				break
			}
		}
		if d := cmp.Diff(tc.want, got, byValue); d != "" {
			t.Errorf("%s: want -, got +:\n%s", name, d)
		}
	}

	one.Close()
	<-f.gone
	if _, err := one.Next(); !errors.Is(err, errno.ERROR_CANCELLED) {
		t.Errorf("after Close: %v", err)
	}
	if _, err := c.Watch(t.Context(), "eth9"); !errors.Is(err, errno.ERROR_FILE_NOT_FOUND) {
		t.Errorf("Watch(eth9): %v", err)
	}
	<-f.gone
	ctx, cancel := context.WithCancel(t.Context())
	for len(f.heard) > 0 {
		<-f.heard
	}
	go func() { <-f.heard; cancel() }()
	for _, err := range c.Events(ctx) {
		if !errors.Is(err, errno.ERROR_CANCELLED) || !errors.Is(err, context.Canceled) {
			t.Errorf("Events with a cancelled context: %v", err)
		}
	}
	<-f.gone
}

// TestShutdown: who waits is told that the daemon stops, streams end.
func TestShutdown(t *testing.T) {
	t.Parallel()
	f := newFake()
	entered := make(chan struct{})
	f.do = func(ctx context.Context, op, _ string, _ bool) error {
		close(entered)
		<-ctx.Done()
		return ctx.Err()
	}
	path := socketPath(t)
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	s := NewServer(f, Options{})
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	c := lessee.New(lessee.WithSocket(path))
	stream, err := c.Watch(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	renewed := make(chan error, 1)
	go func() { renewed <- c.Renew(t.Context(), "eth0") }()
	<-entered
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := <-renewed; !errors.Is(err, errno.ERROR_PROC_NOT_FOUND) || !strings.Contains(err.Error(), "stopping") {
		t.Errorf("Renew: %v", err)
	}
	if _, err := stream.Next(); !errors.Is(err, errno.ERROR_PROC_NOT_FOUND) {
		t.Errorf("Next: %v", err)
	}
	if err := c.Renew(t.Context(), "eth0"); !errors.Is(err, errno.ERROR_PROC_NOT_FOUND) || !strings.Contains(err.Error(), "lessee daemon eth0") {
		t.Errorf("afterwards: %v", err)
	}
}

// pipes is a listener in memory, so that a test may have a virtual clock.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

// virtual runs a server under a virtual clock; dial connects to it.
func virtual(t *testing.T, f *fake, test func(t *testing.T, dial func() net.Conn)) {
	synctest.Test(t, func(t *testing.T) {
		f.heard, f.gone = make(chan struct{}, 64), make(chan struct{}, 64)
		p := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
		s := NewServer(f, Options{})
		done := make(chan error, 1)
		go func() { done <- s.Serve(p) }()
		test(t, func() net.Conn {
			ours, theirs := net.Pipe()
			p.conns <- theirs
			t.Cleanup(func() { ours.Close() })
			return ours
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

const watchRequest = "GET /v1/events HTTP/1.1\r\nHost: lessee\r\n\r\n"

// TestSlowReader: a reader that takes nothing is cut off, and the engine never
// waits for it; other subscribers notice nothing.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	f := newFake()
	virtual(t, f, func(t *testing.T, dial func() net.Conn) {
		began := time.Now()
		c := dial()
		if _, err := io.WriteString(c, watchRequest); err != nil {
			t.Fatal(err)
		}
		<-f.heard
		for range 1000 {
			f.emit(lessee.Event{Time: born, Kind: lessee.EventSent})
		}
		if d := time.Since(began); d != 0 {
			t.Errorf("emitting took %v", d)
		}
		<-f.gone
		if d := time.Since(began); d != writeTimeout {
			t.Errorf("cut off after %v, want %v", d, writeTimeout)
		}
	})
}

// TestLostEvents: a reader that pauses is told how many events are missing.
func TestLostEvents(t *testing.T) {
	t.Parallel()
	f := newFake()
	virtual(t, f, func(t *testing.T, dial func() net.Conn) {
		c := dial()
		if _, err := io.WriteString(c, watchRequest); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReaderSize(c, 16), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		const emitted = 1000
		for range emitted {
			f.emit(lessee.Event{Time: born, Kind: lessee.EventSent})
		}
		lines := bufio.NewScanner(resp.Body)
		count, lost := 0, uint64(0)
		next := func() lessee.Event {
			for lines.Scan() {
				if len(lines.Bytes()) == 0 {
					continue
				}
				var ev lessee.Event
				if err := json.Unmarshal(lines.Bytes(), &ev); err != nil {
					t.Fatal(err)
				}
				return ev
			}
			t.Fatal(lines.Err())
			return lessee.Event{}
		}
		for range buffer { // make room, so that the loss can be told
			next()
			count++
		}
		synctest.Wait()
		f.emit(lessee.Event{Time: born, Kind: lessee.EventBound})
		for {
			ev := next()
			if ev.Kind == lessee.EventBound {
				break
			}
			if ev.Kind == lessee.EventLost {
				lost += ev.Count
			} else {
				count++
			}
		}
		if lost == 0 || count+int(lost) != emitted {
			t.Errorf("%d events and %d lost, want %d in all and some lost", count, lost, emitted)
		}
		c.Close()
		<-f.gone
	})
}

func TestKeepAlive(t *testing.T) {
	t.Parallel()
	f := newFake()
	virtual(t, f, func(t *testing.T, dial func() net.Conn) {
		c := dial()
		if _, err := io.WriteString(c, watchRequest); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if got := resp.Header.Get("Content-Type"); got != "application/x-ndjson" {
			t.Errorf("content type %q", got)
		}
		began := time.Now()
		body := bufio.NewReader(resp.Body)
		for i := range 4 {
			line, err := body.ReadString('\n')
			if err != nil || line != "\n" {
				t.Fatalf("got %q, %v", line, err)
			}
			if d := time.Since(began); d != time.Duration(i)*keepAlive {
				t.Errorf("line %d after %v", i, d)
			}
		}
		c.Close()
		<-f.gone
	})
}

// TestSlowRequests: a caller that does not finish its request loses its
// connection, whatever part it is slow with.
func TestSlowRequests(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, request string
		after         time.Duration
		answer        string
	}{
		{"nothing", "", headerTimeout, ""},
		{"half a header", "GET /v1/version HTTP/1.1\r\nHo", headerTimeout, ""},
		{"half a body", "GET /v1/version HTTP/1.1\r\nHost: l\r\nContent-Length: 9\r\n\r\n{", bodyTimeout, "HTTP/1.1 400"},
		{"a body that nobody reads", "POST /v1/nothing HTTP/1.1\r\nHost: l\r\nContent-Length: 9\r\n\r\n{", bodyTimeout, "HTTP/1.1 404"},
		{"a body of a stranger", "POST /v1/adapters/eth0/up HTTP/1.1\r\nHost: l\r\nContent-Length: 9\r\n\r\n{", bodyTimeout, "HTTP/1.1 403"},
		{"no next request", "GET /v1/version HTTP/1.1\r\nHost: l\r\n\r\n", idleTimeout, "HTTP/1.1 200"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			virtual(t, newFake(), func(t *testing.T, dial func() net.Conn) {
				began := time.Now()
				c := dial()
				go io.WriteString(c, tc.request) //nolint:errcheck // What the server thinks of it is read below.
				data, err := io.ReadAll(c)
				if err != nil || !strings.HasPrefix(string(data), tc.answer) {
					t.Errorf("got %q, %v; want %q", data, err, tc.answer)
				}
				if d := time.Since(began); d < tc.after || d > tc.after+time.Second {
					t.Errorf("closed after %v, want %v", d, tc.after)
				}
			})
		})
	}
}
