//go:build linux

package control

import (
	"context"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/names"
	"github.com/lessee/lessee/reason"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(helperEnv); path != "" {
		os.Exit(helper(path))
	}
	goleak.VerifyTestMain(m)
}

// fake is a scripted engine with one adapter, eth0, also called uplink.
type fake struct {
	do func(ctx context.Context, op, name string, keep bool) error // nil: every call succeeds

	mu     sync.Mutex
	calls  []string
	subs   map[chan lessee.Event]uint64
	frames chan lessee.Frame // of every trace
	heard  chan struct{}     // one per subscription
	gone   chan struct{}     // one per cancelled subscription
}

func newFake() *fake {
	return &fake{subs: make(map[chan lessee.Event]uint64), heard: make(chan struct{}, 64), gone: make(chan struct{}, 64)}
}

var born = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

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

// parameters are all that a lease may have besides.
func parameters() (p lessee.Parameters) {
	if err := json.Unmarshal([]byte(`{
	"timezone": {"name": "Europe/Paris", "posix": "CET-1CEST,M3.5.0,M10.5.0/3", "offset": -12600},
	"sip": {"domains": ["sip.lab.test", "sip.test"]},
	"captive_portal": "https://portal.test/api?a=1&b=2",
	"wpad": "http://wpad.test/wpad.dat",
	"dnr": [
		{"priority": 1, "name": "dns.test", "addresses": ["10.77.0.53"], "alpn": ["dot", "h2"], "port": 8853, "dohpath": "/dns-query{?dns}"},
		{"priority": 2, "name": "dns2.test"}
	],
	"fqdn": {"name": "box.lab.test", "server_updates": true, "overridden": true},
	"vendor": [{"enterprise": 3561, "options": [{"code": 1, "value": "6869"}, {"code": 2, "value": ""}]}],
	"options": {"43": "0104c0a80001", "66": "74667470"}
}`), &p); err != nil {
		panic(err)
	}
	return p
}

func eth0() lessee.Adapter {
	return lessee.Adapter{
		Index: 2, Name: "eth0", AltNames: []string{"uplink"}, MAC: "02:00:00:00:00:02", MTU: 1500, Up: true, Carrier: true, Manager: "lessee",
		IPv4: &lessee.IPv4{
			State: "bound", Address: netip.MustParsePrefix("10.77.0.105/24"), Server: netip.MustParseAddr("10.77.0.1"),
			Routers: []netip.Addr{netip.MustParseAddr("10.77.0.1")}, DNS: []netip.Addr{netip.MustParseAddr("10.77.0.1")},
			Routes: []lessee.Route{
				{Destination: netip.MustParsePrefix("10.99.0.0/16"), Router: netip.MustParseAddr("10.77.0.1")},
				{Destination: netip.MustParsePrefix("10.98.0.0/16")},
			},
			Servers: lessee.Servers{NTP: []netip.Addr{netip.MustParseAddr("10.77.0.1")}}, Parameters: parameters(),
			Domain: domains("lab.test")[0], Search: domains("lab.test"), MTU: 1400, ClientID: "01020000000002",
			Obtained: born, Renews: born.Add(5 * time.Minute), Rebinds: born.Add(8 * time.Minute), Expires: born.Add(10 * time.Minute),
			Problem: "the lease could not be saved", ProblemCause: unsaved(), Counters: map[string]uint64{"sent.discover": 1},
		},
	}
}

// unsaved is a cause of a problem.
func unsaved() *reason.Cause {
	return &reason.Cause{Reason: reason.LeaseUnsaved, Fault: &reason.Fault{During: "save", Text: "no space left on device", Errno: 28}}
}

func (f *fake) run(ctx context.Context, op, name string, keep bool) error {
	f.mu.Lock()
	f.calls = append(f.calls, op+" "+name)
	f.mu.Unlock()
	if f.do != nil {
		if err := f.do(ctx, op, name, keep); err != nil {
			return err
		}
	}
	if name != "" && name != "eth0" && name != "uplink" {
		return &lessee.Error{Code: errno.ERROR_FILE_NOT_FOUND, Cause: reason.Cause{Reason: reason.NoSuchAdapter}}
	}
	return nil
}

func (f *fake) Adapters(ctx context.Context) ([]lessee.Adapter, error) {
	if err := f.run(ctx, "list", "", false); err != nil {
		return nil, err
	}
	return []lessee.Adapter{eth0(), {Index: 3, Name: "eth1", Manager: "none"}}, nil
}

func (f *fake) Adapter(ctx context.Context, name string) (lessee.Adapter, error) {
	if err := f.run(ctx, "show", name, false); err != nil {
		return lessee.Adapter{}, err
	}
	return eth0(), nil
}

func (f *fake) Why(ctx context.Context, name string) (lessee.Story, error) {
	if err := f.run(ctx, "why", "", false); err != nil {
		return lessee.Story{}, err
	}
	if name != "eth0" && name != "uplink" {
		return lessee.Story{Adapter: name, Time: born, Manager: "none", State: "disabled", Verdict: lessee.Fact{Code: "absent"}}, nil
	}
	server, address := netip.MustParseAddr("10.77.0.1"), netip.MustParseAddr("10.77.0.105")
	return lessee.Story{
		Adapter: "eth0", Index: 2, Time: born, Manager: "lessee", State: "selecting",
		Verdict: lessee.Fact{Code: "refused", Time: born, Server: server, MAC: "02:00:00:00:00:01", Detail: "wrong network"},
		Facts: []lessee.Fact{
			{Code: "sent", Time: born, Since: born.Add(-time.Minute), Count: 4, Message: "DISCOVER", XID: "00c0ffee"},
			{Code: "conflict", Time: born, Address: address, MAC: "02:00:00:00:00:07"},
			{Code: "rejected", Time: born, Reason: "foreign-xid", Detail: "foreign transaction"},
			{Code: "problem", Time: born, Detail: "the lease could not be saved", Cause: unsaved()},
		},
		Next:   []lessee.Fact{{Code: "retransmit", Time: born.Add(time.Second), Message: "DISCOVER"}, {Code: "await-carrier"}},
		Advice: []lessee.Fact{{Code: "network"}},
	}, nil
}

func (f *fake) Renew(ctx context.Context, name string) error { return f.run(ctx, "renew", name, false) }

func (f *fake) Release(ctx context.Context, name string) error {
	return f.run(ctx, "release", name, false)
}
func (f *fake) Up(ctx context.Context, name string) error { return f.run(ctx, "up", name, false) }
func (f *fake) Down(ctx context.Context, name string, keep bool) error {
	return f.run(ctx, "down", name, keep)
}

func (f *fake) Discover(ctx context.Context, name string, during time.Duration) (lessee.Discovery, error) {
	if err := f.run(ctx, "discover", name, false); err != nil {
		return lessee.Discovery{}, err
	}
	d := lessee.Discovery{Adapter: "eth0", Index: 2, Time: born, During: lessee.Duration(during), Sent: 3, Flags: []string{"several-servers"}}
	if name == "uplink" {
		return d, nil // nobody answers
	}
	v := eth0().IPv4
	d.Rejected = map[string]uint64{"foreign-xid": 2}
	d.Offers = []lessee.Offer{{
		After: lessee.Duration(1500 * time.Microsecond), Server: v.Server, From: v.Server, MAC: "02:00:00:00:00:01", Relay: v.Server, Address: v.Address,
		Lease: lessee.Duration(time.Hour), T1: lessee.Duration(30 * time.Minute), T2: lessee.Duration(50 * time.Minute),
		Routers: v.Routers, Routes: v.Routes, DNS: v.DNS, WINS: v.DNS, Domain: v.Domain, Search: v.Search, HostName: v.HostName, MTU: 1400, RapidCommit: true,
		Flags: []string{"relay"},
	}, {Server: v.Server, Infinite: true, Refused: "no-lease-time"}}
	return d, nil
}

func (f *fake) Trace(ctx context.Context, name string, arp bool) (<-chan lessee.Frame, func(), error) {
	if err := f.run(ctx, "trace", name, arp); err != nil {
		return nil, nil, err
	}
	return f.frames, func() { f.gone <- struct{}{} }, nil
}

// buffer is how many events a subscriber of the fake may lag behind.
const buffer = 8

func (f *fake) Subscribe() (<-chan lessee.Event, func()) {
	ch := make(chan lessee.Event, buffer)
	f.mu.Lock()
	f.subs[ch] = 0
	f.mu.Unlock()
	f.heard <- struct{}{}
	return ch, func() {
		f.mu.Lock()
		delete(f.subs, ch)
		f.mu.Unlock()
		f.gone <- struct{}{}
	}
}

// emit never waits.
func (f *fake) emit(ev lessee.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for ch, lost := range f.subs {
		if lost > 0 && len(ch) < cap(ch)-1 {
			ch <- lessee.Event{Time: ev.Time, Kind: lessee.EventLost, Count: lost}
			lost = 0
		}
		if lost > 0 {
			f.subs[ch] = lost + 1
			continue
		}
		select {
		case ch <- ev:
			f.subs[ch] = 0
		default:
			f.subs[ch] = lost + 1
		}
	}
}

// socketPath returns a path that everybody may reach and that is short enough.
func socketPath(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "lessee")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "sock")
}

// serve runs a server of e on a socket until the test ends.
func serve(t testing.TB, e Engine, change ...func(*Server)) (*lessee.Client, *Server) {
	t.Helper()
	path := socketPath(t)
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	s := NewServer(e, Options{Version: lessee.Build()})
	for _, c := range change {
		c(s)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return lessee.New(lessee.WithSocket(path)), s
}
