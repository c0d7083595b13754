package test

import (
	"fmt"
	"net"
	"os"
	"os/user"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/test/lab"
)

// TestAnotherDaemonOnTheSocket checks that a second daemon on the same socket,
// or on the same state directory, is refused and the first one unharmed.
func TestAnotherDaemonOnTheSocket(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	d, _ := h.bound(t)
	mark := h.cap.Mark()
	second := h.client.CLI(t, nil, "daemon", "--socket", d.Socket, "--state", h.client.Path("state2"), "c0")
	if second.Status != 1 || !contains(second.Stderr, d.Socket) {
		t.Errorf("the second daemon on the socket: status %d, %q", second.Status, second.Stderr)
	}
	third := h.client.CLI(t, nil, "daemon", "--socket", h.client.Path("socket2"), "--state", d.State, "c0")
	if third.Status != 1 || !contains(third.Stderr, d.State) || !contains(third.Stderr, fmt.Sprint(d.Pid())) {
		t.Errorf("the second daemon on the state directory: status %d, %q", third.Status, third.Stderr)
	}
	// With a socket and a state directory of its own it is still one too many.
	fourth := h.client.CLI(t, nil, "daemon", "--socket", h.client.Path("socket2"), "--state", h.client.Path("state2"), "c0")
	if fourth.Status != 1 || !contains(fourth.Stderr, "another lessee daemon manages this adapter") {
		t.Errorf("the second daemon on the adapter: status %d, %q", fourth.Status, fourth.Stderr)
	}
	if sent := h.cap.SentByClient(mark); len(sent) != 0 {
		t.Errorf("sent: %v", sent)
	}
	d.Must(t, "renew", "c0")

	// A socket that a dead daemon left is no hindrance.
	d.Crash()
	h.bound(t)
}

// TestPain_MiSTer29_SecondClient checks that an adapter that another client manages is
// refused, and that the error says who (MiSTer#29).
func TestPain_MiSTer29_SecondClient(t *testing.T) {
	t.Parallel()
	for _, peer := range lab.Peers {
		t.Run(peer.Name, func(t *testing.T) {
			t.Parallel()
			lab.Need(t, append(peer.Programs, "setpriv")...)
			h := newHome(t, dnsmasq(), lab.Config{})
			p := peer.Start(t, h.client, "c0")
			a := h.client.AwaitAddress(t, "c0", patience)
			p.AwaitLine(t, patience, peer.Bound)
			mark := h.cap.Mark()

			r := h.client.CLI(t, nil, "daemon", "--socket", h.client.Path("sock"), "--state", h.client.Path("state"), "c0")
			if r.Status != 1 || !contains(r.Stderr, peer.Name) || !contains(r.Stderr, "c0") {
				t.Errorf("daemon: status %d, %q", r.Status, r.Stderr)
			}
			// With the capabilities of packaging/systemd/lessee.service, other
			// processes cannot be looked into; it is found all the same.
			confined := h.client.Command(t, "setpriv", "--bounding-set=-all,+net_admin,+net_raw,+net_bind_service", "--",
				lab.Binary(t), "daemon", "--socket", h.client.Path("sock"), "--state", h.client.Path("state"), "c0")
			if r := h.client.Result(t, confined); r.Status != 1 || !contains(r.Stderr, peer.Name+" manages this adapter") {
				t.Errorf("confined daemon: status %d, %q", r.Status, r.Stderr)
			}
			d := h.client.ReadyDaemon(t, lab.Options{})
			for _, verb := range []string{"renew", "release"} {
				if r := d.CLI(t, verb, "c0"); r.Status != 1 || !contains(r.Stderr, "ERROR_NOT_SUPPORTED 50") || !contains(r.Stderr, peer.Name) {
					t.Errorf("%s: status %d, %q", verb, r.Status, r.Stderr)
				}
			}
			r = d.CLI(t, "up", "c0")
			if r.Status != 1 || !contains(r.Stderr, peer.Name) {
				t.Errorf("up: status %d, %q", r.Status, r.Stderr)
			}
			for _, l := range d.List(t) {
				if l.Name == "c0" && l.Manager != peer.Name {
					t.Errorf("list: %+v", l)
				}
			}
			if sent := h.cap.SentByClient(mark); len(sent) != 0 {
				t.Errorf("sent: %v", sent)
			}
			if now := h.client.Addresses("c0"); len(now) != 1 || now[0].Prefix != a.Prefix {
				t.Errorf("addresses were %v and are %v", a, now)
			}

			p.Kill()
			d.Must(t, "up", "c0")
		})
	}
}

// TestConfigErrors checks that what is wrong in a configuration is found with
// its place, and nothing is begun.
func TestConfigErrors(t *testing.T) {
	t.Parallel()
	l := lab.New(t)
	s := l.Space("alone")
	for name, c := range map[string]struct{ config, place, word string }{
		"unknown key":   {"adapters = []\nadaptors = [\"c0\"]\n", ":2:1: ", "adaptors"},
		"nested key":    {"[adapter.c0]\n  metrik = 5\n", ":2:3: ", "metrik"},
		"wrong type":    {"\nadapters = 5\n", ":2:12: ", "adapters"},
		"not TOML":      {"adapters = [\n", ":", ""},
		"wrong value":   {"[defaults]\ntiming = \"slow\"\n", ": ", "slow"},
		"no such thing": {"adapters = [\"a/b\"]\n", ": ", "a/b"},
	} {
		dir := s.Path(strings.ReplaceAll(name, " ", "-"))
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		file := dir + "/lessee.toml"
		if err := os.WriteFile(file, []byte(c.config), 0o600); err != nil {
			t.Fatal(err)
		}
		r := s.CLI(t, nil, "daemon", "--config", file, "--socket", dir+"/sock", "--state", dir+"/state")
		if r.Status != 1 || !contains(r.Stderr, file+c.place) || !contains(r.Stderr, c.word) {
			t.Errorf("%s: status %d, %q", name, r.Status, r.Stderr)
		}
		if _, err := os.Stat(dir + "/sock"); err == nil {
			t.Errorf("%s: the socket is there", name)
		}
	}
	r := s.CLI(t, nil, "daemon", "--config", s.Path("none.toml"), "--socket", s.Path("sock"), "--state", s.Path("state"))
	if r.Status != 1 || !contains(r.Stderr, "none.toml") {
		t.Errorf("a configuration that was named and is not there: status %d, %q", r.Status, r.Stderr)
	}
}

// TestNotRoot checks who may do what: everybody reads, root and the group
// netdev change.
func TestNotRoot(t *testing.T) {
	t.Parallel()
	lab.NeedIDs(t)
	h := newHome(t, dnsmasq(), lab.Config{})
	d, _ := h.bound(t)
	mark := h.cap.Mark()
	run := func(groups string, args ...string) lab.Result {
		all := append([]string{"--reuid", "65534", "--regid", "65534", groups, lab.Binary(t)}, args...)
		cmd := h.client.Command(t, "setpriv", all...)
		cmd.Env = append(cmd.Environ(), lessee.SocketEnv+"="+d.Socket)
		return h.client.Result(t, cmd)
	}
	if r := run("--clear-groups", "list"); r.Status != 0 || !contains(r.Stdout, "c0") {
		t.Errorf("list: status %d, %q", r.Status, r.Stderr)
	}
	for _, verb := range []string{"renew", "release", "up", "down"} {
		if r := run("--clear-groups", verb, "c0"); r.Status != 1 || !contains(r.Stderr, "ERROR_ACCESS_DENIED 5") {
			t.Errorf("%s: status %d, %q", verb, r.Status, r.Stderr)
		}
	}
	if sent := h.cap.SentByClient(mark); len(sent) != 0 {
		t.Errorf("sent: %v", sent)
	}
	g, err := user.LookupGroup("netdev")
	if err != nil {
		t.Log("there is no group netdev here")
		return
	}
	if r := run("--groups="+g.Gid, "renew", "c0"); r.Status != 0 {
		t.Errorf("renew by a member of netdev: status %d, %q", r.Status, r.Stderr)
	}
}

// TestNoDaemon checks what commands say when there is nobody to ask.
func TestNoDaemon(t *testing.T) {
	t.Parallel()
	h := newLink(t)
	for _, verb := range []string{"renew", "release", "up", "down"} {
		r := h.client.CLI(t, []string{lessee.SocketEnv + "=" + h.client.Path("none.sock")}, verb, "c0")
		if r.Status != 1 || !contains(r.Stderr, "ERROR_PROC_NOT_FOUND 127") || !contains(r.Stderr, "lessee daemon") {
			t.Errorf("%s: status %d, %q", verb, r.Status, r.Stderr)
		}
	}
}

// TestWrongUsage checks the exit status of what makes no sense.
func TestWrongUsage(t *testing.T) {
	t.Parallel()
	l := lab.New(t)
	s := l.Space("alone")
	for _, args := range [][]string{
		{}, {"relase"}, {"list", "--fast"}, {"list", "-o", "xml"}, {"up"}, {"show"}, {"renew", "--timeout", "soon", "c0"}, {"down", "--keep", "--release", "c0"},
	} {
		if r := s.CLI(t, nil, args...); r.Status != 2 || r.Stderr == "" {
			t.Errorf("lessee %v: status %d, %q", args, r.Status, r.Stderr)
		}
	}
}

// TestNoSuchAdapter checks that names without an adapter are errors of their
// own, and the other names are still served.
func TestNoSuchAdapter(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	d, _ := h.bound(t)
	mark := h.cap.Mark()
	r := d.CLI(t, "renew", "nope0", "c0", "lo")
	if r.Status != 1 || !contains(r.Stderr, "nope0: renew: ") || !contains(r.Stderr, "ERROR_FILE_NOT_FOUND 2") || contains(r.Stderr, "c0: renew") {
		t.Errorf("status %d, stdout %q, stderr %q", r.Status, r.Stdout, r.Stderr)
	}
	h.cap.AwaitServer(mark, patience, ack)
	if r := h.client.CLI(t, nil, "daemon", "--socket", h.client.Path("s2"), "--state", h.client.Path("st2"), "lo"); r.Status != 1 || !contains(r.Stderr, "lo") {
		t.Errorf("daemon lo: status %d, %q", r.Status, r.Stderr)
	}
}

// TestNotify checks what the daemon tells a service manager.
func TestNotify(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	path := h.client.Path("notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	told := &lab.Journal[string]{}
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := conn.Read(b)
			if err != nil {
				told.Close()
				return
			}
			for line := range strings.Lines(string(b[:n])) {
				told.Add(strings.TrimSpace(line))
			}
		}
	}()
	await := func(mark int, what string) int {
		t.Helper()
		_, next, ok := told.Wait(mark, patience, func(s string) bool { return s == what })
		if !ok {
			t.Fatalf("no %s; told: %q", what, told.Since(0))
		}
		return next
	}
	d := h.client.Daemon(t, lab.Options{Args: []string{"c0"}, Env: []string{"NOTIFY_SOCKET=" + path, "WATCHDOG_USEC=400000"}})
	await(0, "READY=1")
	if c, err := net.Dial("unix", d.Socket); err != nil {
		t.Errorf("ready, but: %v", err)
	} else {
		_ = c.Close()
	}
	mark := await(0, "WATCHDOG=1")
	await(mark, "WATCHDOG=1")
	if err := d.Stop(t); err != nil {
		t.Errorf("SIGTERM: %v", err)
	}
	await(0, "STOPPING=1")
}

// TestFastStop checks that the daemon stops at once even while it looks for
// a lease that nobody gives.
func TestFastStop(t *testing.T) {
	t.Parallel()
	h := newLink(t)
	d := h.client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}})
	h.cap.AwaitClient(0, patience, discover)
	began := time.Now()
	_ = d.Signal(unix.SIGTERM)
	if code := d.Wait(t, patience); code != 0 || time.Since(began) > 4*time.Second {
		t.Errorf("exit status %d after %v", code, time.Since(began))
	}
}
