//go:build linux

package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/internal/golden"
)

func TestList(t *testing.T) {
	t.Parallel()
	socket := serve(t, &engine{adapters: several()})
	r := run(t.Context(), nil, "--socket", socket, "list")
	if r.status != 0 || r.err != "" {
		t.Errorf("status %d, stderr %q", r.status, r.err)
	}
	golden.Check(t, "list.txt", r.out)
}

func TestListColours(t *testing.T) {
	t.Parallel()
	socket := serve(t, &engine{adapters: several()})
	terminal := func(e *Env) { e.StdoutTerminal = true }
	r := run(t.Context(), terminal, "--socket", socket, "list")
	golden.Check(t, "list-colours.txt", r.out)
	for _, env := range []string{"NO_COLOR=1", "TERM=dumb"} {
		name, value, _ := strings.Cut(env, "=")
		r := run(t.Context(), func(e *Env) {
			e.StdoutTerminal = true
			e.Getenv = func(n string) string {
				if n == name {
					return value
				}
				return ""
			}
		}, "--socket", socket, "list")
		if strings.Contains(r.out, "\x1b") {
			t.Errorf("with %s the output has colours", env)
		}
	}
}

func TestListSocketFromEnvironment(t *testing.T) {
	t.Parallel()
	socket := serve(t, &engine{adapters: several()})
	r := run(t.Context(), func(e *Env) {
		e.Getenv = func(name string) string {
			if name == "LESSEE_SOCKET" {
				return socket
			}
			return ""
		}
	}, "list")
	golden.Check(t, "list.txt", r.out)
}

// The fields of the sample in the command line's documentation, and no others.
func TestListJSON(t *testing.T) {
	t.Parallel()
	socket := serve(t, &engine{adapters: []lessee.Adapter{bound()}})
	r := run(t.Context(), nil, "--socket", socket, "list", "-o", "json")
	golden.Check(t, "list.json", r.out)
	var got []map[string]any
	if err := json.Unmarshal([]byte(r.out), &got); err != nil || len(got) != 1 {
		t.Fatalf("not an array of one: %v\n%s", err, r.out)
	}
	want := []string{"carrier", "index", "ipv4", "mac", "manager", "name", "up"}
	if keys := fmt.Sprint(slices.Sorted(maps.Keys(got[0]))); keys != fmt.Sprint(want) {
		t.Errorf("fields %s, want %s", keys, want)
	}
	v4, _ := got[0]["ipv4"].(map[string]any)
	want = []string{"address", "dns", "expires", "obtained", "rebinds", "renews", "routers", "server", "state"}
	if keys := fmt.Sprint(slices.Sorted(maps.Keys(v4))); keys != fmt.Sprint(want) {
		t.Errorf("fields of ipv4 %s, want %s", keys, want)
	}
	if v4["obtained"] != "2026-01-02T15:04:05Z" || v4["renews"] != "2026-01-02T15:09:05Z" || v4["address"] != "10.77.0.105/24" {
		t.Errorf("got %v", v4)
	}
}

func TestListJSONIsAnArrayEvenIfEmpty(t *testing.T) {
	t.Parallel()
	socket := serve(t, &engine{})
	r := run(t.Context(), nil, "--socket", socket, "list", "--output=json")
	if r.out != "[]\n" || r.status != 0 {
		t.Errorf("got %q, status %d", r.out, r.status)
	}
}

func TestListWithoutDaemonShowsTheKernelsView(t *testing.T) {
	t.Parallel()
	for _, form := range []string{"table", "json"} {
		r := run(t.Context(), nil, "--socket", t.TempDir()+"/none", "list", "-o", form)
		if r.status != 0 {
			t.Errorf("%s: status %d, want 0", form, r.status)
		}
		if !strings.Contains(r.err, "not running") || !strings.Contains(r.err, "kernel") || strings.Count(r.err, "\n") != 1 {
			t.Errorf("%s: stderr %q, want one line of notice", form, r.err)
		}
		if form == "table" && !strings.HasPrefix(r.out, "INDEX") {
			t.Errorf("no table: %q", r.out)
		}
		if form == "json" && json.Unmarshal([]byte(r.out), &[]lessee.Adapter{}) != nil {
			t.Errorf("no JSON: %q", r.out)
		}
	}
}

// The widest values there are fit into 80 columns of a terminal, and are whole
// where there is no terminal.
func TestListFitsTheTerminal(t *testing.T) {
	t.Parallel()
	wide := bound()
	wide.Index, wide.Name, wide.Manager = 10000, "enx020000000002", "networkmanager"
	wide.IPv4.State, wide.IPv4.Address, wide.IPv4.Server = "init-reboot", prefix("255.255.255.254/32"), addr4("255.255.255.254")
	socket := serve(t, &engine{adapters: append(several(), wide)})
	r := run(t.Context(), func(e *Env) {
		e.StdoutTerminal = true
		e.Getenv = func(n string) string { return map[string]string{"NO_COLOR": "1"}[n] }
	}, "--socket", socket, "list")
	french := run(t.Context(), func(e *Env) {
		inFrench(e)
		withEnv(e, "NO_COLOR=1")
		e.StdoutTerminal = true
	}, "--socket", socket, "list")
	for _, line := range strings.Split(r.out+french.out, "\n") {
		if n := utf8.RuneCountInString(line); n > 80 {
			t.Errorf("%d columns: %q", n, line)
		}
	}
	golden.Check(t, "list-narrow.txt", r.out)
	golden.Check(t, "french-list-narrow.txt", french.out)
	if r := run(t.Context(), nil, "--socket", socket, "list"); !strings.Contains(r.out, "enx020000000002  init-reboot  networkmanager  255.255.255.254/32") {
		t.Errorf("piped output is cut:\n%s", r.out)
	}
}

func TestShow(t *testing.T) {
	t.Parallel()
	socket := serve(t, &engine{adapters: several()})
	for _, name := range []string{"eth0", "eth1", "wlan0", "eth4"} {
		r := run(t.Context(), nil, "--socket", socket, "show", name)
		if r.status != 0 || r.err != "" {
			t.Errorf("%s: status %d, stderr %q", name, r.status, r.err)
		}
		golden.Check(t, "show-"+name+".txt", r.out)
	}
	r := run(t.Context(), nil, "--socket", socket, "show", "eth0", "-o", "json")
	golden.Check(t, "show.json", r.out)
	r = run(t.Context(), nil, "--socket", socket, "show", "eth9")
	if r.status != 1 || r.err != "lessee: eth9: show: no such adapter (ERROR_FILE_NOT_FOUND 2); 'lessee list' lists them\n" {
		t.Errorf("status %d, stderr %q", r.status, r.err)
	}
}

// What a server said never reaches the terminal as a command to it.
func TestTextIsClean(t *testing.T) {
	t.Parallel()
	a := bound()
	a.IPv4.ClientID, a.IPv4.Problem = "x\x1b[2Jy", "bell\a and \u009b"
	socket := serve(t, &engine{adapters: []lessee.Adapter{a}})
	r := run(t.Context(), nil, "--socket", socket, "show", "eth0")
	if strings.ContainsAny(r.out, "\x1b\a\u009b") || !strings.Contains(r.out, "x?[2Jy") {
		t.Errorf("got %q", r.out)
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	socket := serve(t, &engine{})
	r := run(t.Context(), nil, "--socket", socket, "version")
	lines := strings.Split(r.out, "\n")
	if r.status != 0 || !strings.HasPrefix(lines[0], "lessee ") || lines[1] != "daemon: lessee v0.1.0, go1.26.8 linux/amd64, pid 77" {
		t.Errorf("status %d, %q", r.status, r.out)
	}
	r = run(t.Context(), nil, "--socket", t.TempDir()+"/none", "version")
	if r.status != 0 || !strings.HasSuffix(r.out, "\ndaemon: not running\n") {
		t.Errorf("status %d, %q", r.status, r.out)
	}
}
