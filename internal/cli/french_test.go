//go:build linux

package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/golden"
	"github.com/lessee/lessee/reason"
)

// inFrench makes the user one who reads French.
func inFrench(e *Env) { withEnv(e, "LANG=fr_FR.UTF-8") }

func withEnv(e *Env, pairs ...string) {
	before := e.Getenv
	e.Getenv = func(name string) string {
		for _, p := range pairs {
			if n, v, _ := strings.Cut(p, "="); n == name {
				return v
			}
		}
		return before(name)
	}
}

// What the main commands print in French.
func TestFrench(t *testing.T) {
	t.Parallel()
	timedOut := &lessee.Error{Op: "renew", Adapter: "wlan0", Code: errno.ERROR_SEM_TIMEOUT, Cause: reason.Cause{
		Reason: reason.NoServer, Timeout: lessee.Duration(1500 * time.Millisecond), Expires: now.Add(26 * time.Hour),
	}}
	e := &engine{
		adapters: several(),
		fail: map[string]error{
			"renew wlan0":   timedOut,
			"release wlan0": &lessee.Error{Op: "release", Adapter: "wlan0", Code: errno.ERROR_ADDRESS_NOT_ASSOCIATED},
			"release eth3":  of(`{"op":"release","adapter":"eth3","code":50,"reason":"of-the-future","detail":"a text that nobody has translated"}`),
			"down eth0":     &lessee.Error{Op: "down", Adapter: "eth0", Code: errno.ERROR_GEN_FAILURE, Cause: *unsaved()},
		},
	}
	socket := serve(t, e)
	var all strings.Builder
	for _, args := range []string{
		"list", "list -o json", "show eth0", "show eth1", "show wlan0", "show eth9",
		"renew eth0", "renew eth1 wlan0", "renew -6 eth0", "release eth0", "release wlan0 eth3",
		"up eth0", "down eth0", "down --keep eth0", "down wlan0", "version",
		"", "lst", "list --outptu json", "list -x", "list -o xml", "list -o", "list eth0", "show", "show a b", "renew a/b",
		"renew --timeout soon", "renew --timeout 25h", "down --keep --release eth0", "completion tcsh",
	} {
		r := run(t.Context(), inFrench, append([]string{"--socket", socket}, strings.Fields(args)...)...)
		if args == "version" {
			_, r.out, _ = strings.Cut(r.out, "\n") // the line of this build
		}
		fmt.Fprintf(&all, "$ lessee %s\n%s%s# %d\n\n", args, r.out, r.err, r.status)
	}
	golden.Check(t, "french.txt", all.String())
}

func TestFrenchHelp(t *testing.T) {
	t.Parallel()
	var all strings.Builder
	for _, c := range []string{
		"", "list", "show", "renew", "release", "up", "down", "watch", "why", "discover", "trace", "replay", "daemon", "demo", "version", "help", "completion",
	} {
		r := run(t.Context(), inFrench, strings.Fields("help "+c)...)
		if r.status != 0 || r.err != "" {
			t.Errorf("help %s: status %d, stderr %q", c, r.status, r.err)
		}
		all.WriteString("$ lessee " + strings.TrimSpace("help "+c) + "\n" + r.out + "\n")
		for line := range strings.Lines(r.out) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
				t.Errorf("help %s: %d columns: %q", c, n, line)
			}
		}
	}
	golden.Check(t, "french-help.txt", all.String())
}

func TestFrenchWatch(t *testing.T) {
	t.Parallel()
	_, out := until(t, "il manque", inFrench, "--verbose")
	golden.Check(t, "french-watch.txt", out)
}

// A program that reads JSON, and a script in the C locale, see no French.
func TestJSONIsNobodysLanguage(t *testing.T) {
	t.Parallel()
	socket := serve(t, &engine{adapters: several()})
	for _, args := range []string{"list -o json", "show eth0 -o json"} {
		words := append([]string{"--socket", socket}, strings.Fields(args)...)
		if a, b := run(t.Context(), nil, words...), run(t.Context(), inFrench, words...); a != b {
			t.Errorf("%s: %v in English, %v in French", args, a, b)
		}
	}
	for _, env := range []string{"LC_ALL=C", "LC_ALL=POSIX", "LC_MESSAGES=C.UTF-8", "LC_ALL=de_DE.UTF-8"} {
		r := run(t.Context(), func(e *Env) { inFrench(e); withEnv(e, env) }, "--socket", socket, "list")
		if !strings.HasPrefix(r.out, "INDEX  NAME") {
			t.Errorf("%s: %q", env, r.out)
		}
	}
}

// The time of a hint is the reader's, not the daemon's.
func TestHintsHaveTheReadersTime(t *testing.T) {
	t.Parallel()
	e := &lessee.Error{Op: "renew", Adapter: "eth0", Code: errno.ERROR_SEM_TIMEOUT, Cause: reason.Cause{
		Reason: reason.NoServer, Timeout: lessee.Duration(time.Second), Expires: now.Add(time.Hour),
	}}
	socket := serve(t, &engine{adapters: several(), fail: map[string]error{"renew eth0": e}})
	zone := time.FixedZone("somewhere", -5*3600)
	r := run(t.Context(), func(e *Env) { e.Now = func() time.Time { return now.In(zone) } }, "--socket", socket, "renew", "eth0")
	if want := "lessee: eth0: renew: no DHCP server answered in 1s (ERROR_SEM_TIMEOUT 121); the lease stays valid until 11:05:05\n"; r.err != want {
		t.Errorf("got %q, want %q", r.err, want)
	}
}

// An adapter may have the name of something else.
func TestNamesAreNotTranslated(t *testing.T) {
	t.Parallel()
	e := &lessee.Error{Op: "renew", Adapter: "server", Code: errno.ERROR_ADDRESS_NOT_ASSOCIATED, Cause: reason.Cause{Reason: reason.NoLease}}
	socket := serve(t, &engine{adapters: several(), fail: map[string]error{"release server": e}})
	r := run(t.Context(), inFrench, "--socket", socket, "release", "server")
	if want := "lessee: server: renew: l'adaptateur n'a pas de bail (ERROR_ADDRESS_NOT_ASSOCIATED 1228) ; 'lessee renew server' obtient un bail\n"; r.err != want {
		t.Errorf("got %q, want %q", r.err, want)
	}
}

// A newer daemon may give a reason that is not known here, or a known one
// without a field that it needs: its own words are shown.
func TestReasonsOfTheFuture(t *testing.T) {
	t.Parallel()
	for _, r := range []string{"of-the-future", "no-server"} {
		e := of(`{"op":"renew","adapter":"eth0","code":121,"reason":"` + r + `","detail":"no DHCP server answered, though asked twice","hint":"use 100% more time"}`)
		socket := serve(t, &engine{adapters: several(), fail: map[string]error{"renew eth0": e}})
		r := run(t.Context(), inFrench, "--socket", socket, "renew", "eth0")
		if want := "lessee: eth0: renew: no DHCP server answered, though asked twice (ERROR_SEM_TIMEOUT 121) ; use 100% more time\n"; r.err != want {
			t.Errorf("got %q, want %q", r.err, want)
		}
	}
}

// of returns an error as another version of the daemon sends it.
func of(body string) error {
	e := new(lessee.Error)
	if err := json.Unmarshal([]byte(body), e); err != nil {
		panic(err)
	}
	return e
}
