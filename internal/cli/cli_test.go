//go:build linux

package cli

import (
	"bytes"
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/control"
	"github.com/lessee/lessee/names"
	"github.com/lessee/lessee/reason"
)

var now = time.Date(2026, 1, 2, 15, 5, 5, 0, time.UTC)

// engine is a daemon's engine that answers what a test says.
type engine struct {
	adapters []lessee.Adapter
	// stories are told by why, by the adapter's name.
	stories   map[string]lessee.Story
	discovery lessee.Discovery
	// frames are those of every trace; with removed the adapter goes after them.
	frames  []lessee.Frame
	removed bool
	// fail has the error of an operation, by "renew eth0".
	fail map[string]error
	// block makes an operation wait for its context, by "renew eth0".
	block map[string]bool
	// events are told to each subscriber; told is closed when one is there.
	events []lessee.Event
	told   chan struct{}

	mu    sync.Mutex
	calls []string
}

var _ control.Engine = (*engine)(nil)

func (e *engine) Adapters(context.Context) ([]lessee.Adapter, error) {
	return e.adapters, e.fail["list"]
}

func (e *engine) Adapter(_ context.Context, name string) (lessee.Adapter, error) {
	for _, a := range e.adapters {
		if a.Name == name {
			return a, nil
		}
	}
	return lessee.Adapter{}, &lessee.Error{Op: "show", Adapter: name, Code: errno.ERROR_FILE_NOT_FOUND, Cause: reason.Cause{Reason: reason.NoSuchAdapter}}
}

func (e *engine) Why(_ context.Context, name string) (lessee.Story, error) {
	if s, ok := e.stories[name]; ok {
		return s, nil
	}
	return lessee.Story{Adapter: name, Time: now, Manager: "none", State: "disabled", Verdict: lessee.Fact{Code: "absent"}}, e.fail["why "+name]
}

func (e *engine) Discover(_ context.Context, name string, during time.Duration) (lessee.Discovery, error) {
	d := e.discovery
	d.During = lessee.Duration(during)
	return d, e.fail["discover "+name]
}

func (e *engine) Trace(_ context.Context, name string, _ bool) (<-chan lessee.Frame, func(), error) {
	c := make(chan lessee.Frame, len(e.frames))
	for _, f := range e.frames {
		c <- f
	}
	if e.removed {
		close(c)
	}
	return c, func() {}, e.fail["trace "+name]
}

func (e *engine) do(ctx context.Context, call string) error {
	e.mu.Lock()
	e.calls = append(e.calls, call)
	e.mu.Unlock()
	if e.block[call] {
		<-ctx.Done()
		op, adapter, _ := strings.Cut(call, " ")
		code := errno.ERROR_CANCELLED
		if ctx.Err() == context.DeadlineExceeded {
			code = errno.ERROR_SEM_TIMEOUT
		}
		return &lessee.Error{Op: op, Adapter: adapter, Code: code}
	}
	return e.fail[call]
}

func (e *engine) Renew(ctx context.Context, name string) error   { return e.do(ctx, "renew "+name) }
func (e *engine) Release(ctx context.Context, name string) error { return e.do(ctx, "release "+name) }
func (e *engine) Up(ctx context.Context, name string) error      { return e.do(ctx, "up "+name) }

func (e *engine) Down(ctx context.Context, name string, keep bool) error {
	call := "down " + name
	if keep {
		call += " keep"
	}
	return e.do(ctx, call)
}

func (e *engine) Subscribe() (<-chan lessee.Event, func()) {
	c := make(chan lessee.Event, len(e.events)+1)
	for _, ev := range e.events {
		c <- ev
	}
	if e.told != nil {
		close(e.told)
	}
	return c, func() {}
}

// serve runs a daemon's API on a socket, until the test ends.
func serve(t *testing.T, e *engine) (socket string) {
	t.Helper()
	// A test's own directory may be too long a path for a socket.
	dir, err := os.MkdirTemp("", "cli")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket = filepath.Join(dir, "s")
	l, err := control.Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	s := control.NewServer(e, control.Options{Version: lessee.VersionInfo{Version: "v0.1.0", Go: "go1.26.8", OS: "linux", Arch: "amd64", API: 1, PID: 77}})
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return socket
}

// A result is what came of a command line.
type result struct {
	status   int
	out, err string
}

// run runs a command line with the clock standing still.
func run(ctx context.Context, edit func(*Env), args ...string) result {
	var out, errOut bytes.Buffer
	env := Env{
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errOut, Width: 80,
		Getenv: func(string) string { return "" }, Now: func() time.Time { return now },
	}
	if edit != nil {
		edit(&env)
	}
	status := Run(ctx, env, args)
	return result{status, out.String(), errOut.String()}
}

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }
func addr4(s string) netip.Addr    { return netip.MustParseAddr(s) }

// bound is the adapter of the JSON sample in the documentation of the command line.
func bound() lessee.Adapter {
	return lessee.Adapter{
		Index: 2, Name: "eth0", MAC: "02:00:00:00:00:02", Up: true, Carrier: true, Manager: "lessee",
		IPv4: &lessee.IPv4{
			State: "bound", Address: prefix("10.77.0.105/24"), Server: addr4("10.77.0.1"),
			Routers: []netip.Addr{addr4("10.77.0.1")}, DNS: []netip.Addr{addr4("10.77.0.1")},
			Obtained: now.Add(-time.Minute), Renews: now.Add(4 * time.Minute),
			Rebinds: now.Add(7*time.Minute + 45*time.Second), Expires: now.Add(9 * time.Minute),
		},
	}
}

// domains parses names that are right.
func domains(list ...string) []names.Domain {
	all := make([]names.Domain, len(list))
	for i, s := range list {
		if err := all[i].UnmarshalText([]byte(s)); err != nil {
			panic(err)
		}
	}
	return all
}

// several are adapters in many states.
// unsaved is a cause of a problem.
func unsaved() *reason.Cause {
	return &reason.Cause{Reason: reason.LeaseUnsaved, Fault: &reason.Fault{Text: "no space left on device", Errno: 28}}
}

func several() []lessee.Adapter {
	full := bound()
	full.AltNames, full.MTU = []string{"enp0s3", "uplink"}, 1500
	full.IPv4.Search = domains("example.test", "lab.example.test")
	full.IPv4.Domain = full.IPv4.Search[0]
	full.IPv4.Routes = []lessee.Route{
		{Destination: prefix("0.0.0.0/0"), Router: addr4("10.77.0.1")},
		{Destination: prefix("192.0.2.0/24")},
	}
	full.IPv4.MTU, full.IPv4.ClientID = 1400, "01020000000002"
	full.IPv4.Problem = "the lease could not be saved: no space left on device"
	full.IPv4.ProblemCause = unsaved()
	full.IPv4.Counters = map[string]uint64{"sent.discover": 1, "sent.request": 4, "received.ack": 4, "rejected.foreign-xid": 12, "sent.decline": 0}
	forever := bound()
	forever.Index, forever.Name = 3, "eth1"
	forever.IPv4.Renews, forever.IPv4.Rebinds, forever.IPv4.Expires, forever.IPv4.Infinite = time.Time{}, time.Time{}, time.Time{}, true
	return []lessee.Adapter{
		full, forever,
		{Index: 4, Name: "wlan0", Up: true, Manager: "lessee", IPv4: &lessee.IPv4{State: "selecting"}},
		{Index: 5, Name: "eth3", Up: true, Carrier: true, Manager: "networkmanager", IPv4: &lessee.IPv4{State: "disabled", Address: prefix("192.0.2.7/24")}},
		{Index: 6, Name: "eth4", Manager: "none", IPv4: &lessee.IPv4{State: "disabled"}},
	}
}
