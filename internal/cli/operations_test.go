//go:build linux

package cli

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/text/language"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/text"
	"github.com/lessee/lessee/reason"
)

func TestOperations(t *testing.T) {
	t.Parallel()
	timedOut := &lessee.Error{
		Op: "renew", Adapter: "wlan0", Code: errno.ERROR_SEM_TIMEOUT,
		Cause: reason.Cause{Reason: reason.NoServer, Timeout: lessee.Duration(20 * time.Second), Infinite: true},
	}
	none := &lessee.Error{Op: "release", Adapter: "wlan0", Code: errno.ERROR_ADDRESS_NOT_ASSOCIATED}
	foreign := &lessee.Error{Op: "renew", Adapter: "eth3", Code: errno.ERROR_NOT_SUPPORTED, Cause: reason.Cause{
		Reason: reason.ManagedElsewhere, Manager: "networkmanager", How: "it says so",
	}}
	fail := map[string]error{"renew wlan0": timedOut, "release wlan0": none, "renew eth3": foreign}
	for _, c := range []struct {
		args   string
		status int
		calls  []string // in any order
		out    string
		err    string
	}{
		{
			"renew eth0", 0,
			[]string{"renew eth0"},
			"eth0: 10.77.0.105/24 from 10.77.0.1, expires in 9m (0.0 ms)\n", "",
		},
		{
			"renew eth1", 0,
			[]string{"renew eth1"},
			"eth1: 10.77.0.105/24 from 10.77.0.1, never expires (0.0 ms)\n", "",
		},
		{
			"renew -4 wlan0", 1,
			[]string{"renew wlan0"},
			"", "lessee: wlan0: renew: no DHCP server answered in 20s (ERROR_SEM_TIMEOUT 121); the lease stays valid\n",
		},
		{
			"renew eth1 wlan0 eth0 eth1", 1,
			[]string{"renew eth0", "renew eth1", "renew wlan0"},
			"eth1: 10.77.0.105/24 from 10.77.0.1, never expires (0.0 ms)\neth0: 10.77.0.105/24 from 10.77.0.1, expires in 9m (0.0 ms)\n",
			"lessee: wlan0: renew: no DHCP server answered in 20s (ERROR_SEM_TIMEOUT 121); the lease stays valid\n",
		},
		{
			"renew", 1,
			[]string{"renew eth0", "renew eth1", "renew eth3", "renew wlan0"},
			"eth0: 10.77.0.105/24 from 10.77.0.1, expires in 9m (0.0 ms)\neth1: 10.77.0.105/24 from 10.77.0.1, never expires (0.0 ms)\n",
			"lessee: wlan0: renew: no DHCP server answered in 20s (ERROR_SEM_TIMEOUT 121); the lease stays valid\n" +
				"lessee: eth3: renew: networkmanager manages this adapter (it says so), not this daemon (ERROR_NOT_SUPPORTED 50); do it there; or stop it there first, then 'lessee up eth3'\n",
		},
		{"release eth0", 0, []string{"release eth0"}, "eth0: 10.77.0.105/24 released (0.0 ms)\n", ""},
		{
			"release wlan0", 1,
			[]string{"release wlan0"},
			"",
			"lessee: wlan0: release: the adapter has no lease (ERROR_ADDRESS_NOT_ASSOCIATED 1228)\n",
		},
		{
			"up eth0", 0,
			[]string{"up eth0"},
			"eth0: 10.77.0.105/24 from 10.77.0.1, expires in 9m (0.0 ms)\n", "",
		},
		{"down eth0", 0, []string{"down eth0"}, "eth0: 10.77.0.105/24 released, not managed any more (0.0 ms)\n", ""},
		{"down --release eth0", 0, []string{"down eth0"}, "eth0: 10.77.0.105/24 released, not managed any more (0.0 ms)\n", ""},
		{"down --keep eth0", 0, []string{"down eth0 keep"}, "eth0: not managed any more, 10.77.0.105/24 stays until 15:14:05 (0.0 ms)\n", ""},
		{"down wlan0", 0, []string{"down wlan0"}, "wlan0: not managed any more (0.0 ms)\n", ""},
		{
			"renew -6 eth0", 1, nil, "",
			"lessee: eth0: renew: no IPv6 lease is managed (ERROR_NOT_SUPPORTED 50); the kernel configures IPv6 by router advertisements; use -4\n",
		},
		{
			"release -4 -6 eth0", 1,
			[]string{"release eth0"},
			"eth0: 10.77.0.105/24 released (0.0 ms)\n",
			"lessee: eth0: release: no IPv6 lease is managed (ERROR_NOT_SUPPORTED 50); the kernel configures IPv6 by router advertisements; use -4\n",
		},
	} {
		t.Run(c.args, func(t *testing.T) {
			t.Parallel()
			e := &engine{adapters: several(), fail: fail}
			socket := serve(t, e)
			r := run(t.Context(), nil, append([]string{"--socket", socket}, strings.Fields(c.args)...)...)
			slices.Sort(e.calls)
			if r.status != c.status || r.out != c.out || r.err != c.err || !slices.Equal(e.calls, c.calls) {
				t.Errorf("status %d\n%s%s%q\nwant status %d\n%s%s%q", r.status, r.out, r.err, e.calls, c.status, c.out, c.err, c.calls)
			}
		})
	}
}

func TestOperationsWithoutDaemon(t *testing.T) {
	t.Parallel()
	socket := t.TempDir() + "/none"
	for _, args := range []string{"renew eth0", "renew", "release eth0", "up eth0", "down eth0", "show eth0", "watch"} {
		r := run(t.Context(), nil, append([]string{"--socket", socket}, strings.Fields(args)...)...)
		op, _, _ := strings.Cut(args, " ")
		if r.status != 1 || r.out != "" || strings.Count(r.err, "\n") != 1 {
			t.Errorf("%s: status %d, stdout %q, stderr %q", args, r.status, r.out, r.err)
		}
		for _, part := range []string{"lessee: ", op + ": ", "not running", "(ERROR_PROC_NOT_FOUND 127)", "lessee daemon"} {
			if !strings.Contains(r.err, part) {
				t.Errorf("%s: %q is missing in %q", args, part, r.err)
			}
		}
	}
}

func TestNothingIsManaged(t *testing.T) {
	t.Parallel()
	socket := serve(t, &engine{adapters: []lessee.Adapter{{Index: 2, Name: "eth0", Manager: "none"}}})
	r := run(t.Context(), nil, "--socket", socket, "renew")
	if want := "lessee: renew: no adapter is managed by DHCP (ERROR_FILE_NOT_FOUND 2); 'lessee up ADAPTER' begins with one\n"; r.status != 1 || r.err != want {
		t.Errorf("status %d, %q", r.status, r.err)
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	socket := serve(t, &engine{adapters: several(), block: map[string]bool{"renew eth0": true}})
	r := run(t.Context(), nil, "--socket", socket, "renew", "--timeout", "20ms", "eth0")
	if r.status != 1 || !strings.Contains(r.err, "ERROR_SEM_TIMEOUT 121") {
		t.Errorf("status %d, %q", r.status, r.err)
	}
}

// An interrupt ends the wait, not the exchange.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	e := &engine{adapters: several(), block: map[string]bool{"renew eth0": true, "renew eth1": true}}
	socket := serve(t, e)
	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan struct{}, 2)
	go func() {
		<-asked
		<-asked
		cancel()
	}()
	r := run(ctx, func(env *Env) {
		env.asked = func(time.Time) { asked <- struct{}{} }
	}, "--socket", socket, "renew", "eth0", "eth1")
	if r.status != 1 || strings.Count(r.err, "ERROR_CANCELLED 1223") != 2 {
		t.Errorf("status %d, %q", r.status, r.err)
	}
}

// A screen is a terminal that somebody looks at.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
	seen func(text string)
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.Write(b)
	s.seen(s.text.String())
	return len(b), nil
}

// The live line tells what happens, and is gone in the end.
func TestLiveLine(t *testing.T) {
	t.Parallel()
	e := &engine{
		adapters: several(), block: map[string]bool{"renew eth0": true},
		events: []lessee.Event{
			{Time: now, Kind: lessee.EventState, Adapter: "eth0", State: "renewing"},
			{Time: now, Kind: lessee.EventSent, Adapter: "eth0", Message: "REQUEST", Server: addr4("10.77.0.1")},
		},
	}
	socket := serve(t, e)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	s := &screen{seen: func(text string) {
		if strings.Contains(text, "eth0: renewing, REQUEST sent") {
			cancel() // the user has seen it
		}
	}}
	r := run(ctx, func(env *Env) { env.Stderr, env.StderrTerminal = s, true }, "--socket", socket, "renew", "eth0")
	text := s.text.String()
	_, last, ok := strings.Cut(text, "REQUEST sent")
	if r.status != 1 || !ok {
		t.Fatalf("status %d, the screen saw %q", r.status, text)
	}
	if !strings.Contains(last, "\r\x1b[Klessee: eth0: renew: ") || !strings.HasSuffix(last, "(ERROR_CANCELLED 1223)\n") {
		t.Errorf("the line is not wiped before the error: %q", last)
	}
}

func TestLiveLineFits(t *testing.T) {
	t.Parallel()
	p := &progress{
		app: &app{Env: Env{Width: 40}, speak: speaker{text.For(language.English), time.Now}}, verb: "renewing", began: now, last: map[string]string{"eth1": "OFFER from 10.77.0.1"},
		names: []string{"eth0", "eth1", "eth2"},
	}
	line := p.line(now.Add(3 * time.Second))
	if n := utf8.RuneCountInString(line); n != 39 || !strings.HasPrefix(line, "- 3s  eth0: renewing; eth1: renewing, ") {
		t.Errorf("%d columns: %q", n, line)
	}
}
