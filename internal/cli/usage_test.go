//go:build linux

package cli

import (
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/lessee/lessee/internal/golden"
	"github.com/lessee/lessee/internal/text"
)

func TestUsageErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		want []string // in the error
	}{
		{[]string{"lst"}, []string{`unknown command "lst"`, "did you mean 'list'?", "usage: lessee COMMAND"}},
		{[]string{"frobnicate"}, []string{`unknown command "frobnicate"`}},
		{[]string{"why"}, []string{"which adapter?", "usage: lessee why ADAPTER"}},
		{[]string{"why", "eth0", "eth1"}, []string{"one adapter is expected"}},
		{[]string{"help", "lst"}, []string{`unknown command "lst"`, "did you mean 'list'?"}},
		{[]string{"list", "--outptu", "json"}, []string{"unknown flag: --outptu", "did you mean '--output'?", "usage: lessee list"}},
		{[]string{"renew", "--time", "3"}, []string{"unknown flag: --time", "did you mean '--timeout'?"}},
		{[]string{"list", "-x"}, []string{"unknown shorthand flag"}},
		{[]string{"list", "-o", "xml"}, []string{"xml", "it takes table or json"}},
		{[]string{"list", "-o", "text"}, []string{"it takes table or json"}},
		{[]string{"list", "eth0"}, []string{`"eth0": no argument is expected`}},
		{[]string{"list", "-o"}, []string{"flag needs an argument"}},
		{[]string{"show"}, []string{"which adapter?", "usage: lessee show ADAPTER"}},
		{[]string{"show", "eth0", "eth1"}, []string{"one adapter is expected"}},
		{[]string{"show", "-o", "table", "eth0"}, []string{"it takes text or json"}},
		{[]string{"renew", ""}, []string{"name is empty"}},
		{[]string{"renew", "a/b"}, []string{`"a/b" cannot be the name of an adapter`}},
		{[]string{"release", "a b"}, []string{"cannot be the name"}},
		{[]string{"up", "."}, []string{"cannot be the name"}},
		{[]string{"up", "x\x1b"}, []string{"cannot be the name"}},
		{[]string{"up"}, []string{"which adapter?"}},
		{[]string{"down"}, []string{"which adapter?"}},
		{[]string{"down", "--keep", "--release", "eth0"}, []string{"exclude each other"}},
		{[]string{"up", strings.Repeat("x", 128)}, []string{"128 bytes", "127"}},
		{[]string{"renew", "--timeout", "0"}, []string{"at least 1ms"}},
		{[]string{"renew", "--timeout", "-5s"}, []string{"at least 1ms"}},
		{[]string{"renew", "--timeout", "soon"}, []string{"such as 20s"}},
		{[]string{"renew", "--timeout", "25h"}, []string{"at most 1d"}},
		{[]string{"completion", "tcsh"}, []string{"for which shell?", "bash, zsh"}},
		{[]string{"completion"}, []string{"for which shell?"}},
		{[]string{"daemon", "a/b"}, []string{"cannot be the name"}},
		{[]string{"replay"}, []string{"which recording?", "usage: lessee replay FILE"}},
		{[]string{"replay", "a", "b"}, []string{`"b": one recording is expected`}},
		{[]string{"demo", "now"}, []string{"no argument is expected"}},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			t.Parallel()
			r := run(t.Context(), nil, append([]string{"--socket", "none"}, c.args...)...)
			if r.status != 2 || r.out != "" {
				t.Errorf("status %d, stdout %q", r.status, r.out)
			}
			for _, w := range append(c.want, "lessee: ", "usage: lessee") {
				if !strings.Contains(r.err, w) {
					t.Errorf("%q is missing in %q", w, r.err)
				}
			}
		})
	}
}

func TestNoCommand(t *testing.T) {
	t.Parallel()
	r := run(t.Context(), nil)
	if r.status != 2 || r.out != "" || !strings.Contains(r.err, "renew ") || !strings.Contains(r.err, "which command?") {
		t.Errorf("status %d, stdout %q, stderr %q", r.status, r.out, r.err)
	}
}

// The commands are those of the first release, and the help fits a terminal.
func TestHelp(t *testing.T) {
	t.Parallel()
	commands := []string{
		"list", "show", "renew", "release", "up", "down", "watch", "replay", "daemon", "demo", "version", "help", "completion",
	}
	var all strings.Builder
	for _, c := range append([]string{""}, commands...) {
		args := strings.Fields("help " + c)
		r := run(t.Context(), nil, args...)
		if r.status != 0 || r.err != "" {
			t.Errorf("%v: status %d, stderr %q", args, r.status, r.err)
		}
		if flag := run(t.Context(), nil, strings.Fields(c+" --help")...); flag.out != r.out {
			t.Errorf("'%s --help' and 'help %s' differ", c, c)
		}
		all.WriteString("$ lessee " + strings.Join(args, " ") + "\n" + r.out + "\n")
		for line := range strings.Lines(r.out) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
				t.Errorf("%v: %d columns: %q", args, n, line)
			}
		}
	}
	golden.Check(t, "help.txt", all.String())
}

func TestTimeoutTakesSeconds(t *testing.T) {
	t.Parallel()
	var p patience
	for in, want := range map[string]time.Duration{"20": 20 * time.Second, "1m30s": 90 * time.Second, "24h": 24 * time.Hour, "5ms": 5 * time.Millisecond} {
		if err := p.Set(in); err != nil || time.Duration(p) != want {
			t.Errorf("%s: %v, %v", in, time.Duration(p), err)
		}
	}
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	socket := serve(t, &engine{adapters: several()})
	for _, c := range []struct{ args, want string }{
		{"show ", "eth0\tbound 10.77.0.105/24\neth1\tbound 10.77.0.105/24\nwlan0\tselecting\neth3\tdisabled 192.0.2.7/24\neth4\tdisabled\n:4\n"},
		{"show eth0 ", ":4\n"},
		{"renew eth0 eth1 ", "wlan0\tselecting\neth3\tdisabled 192.0.2.7/24\neth4\tdisabled\n:4\n"},
		{"list -o ", "table\njson\n:4\n"},
		{"list ", ":4\n"},
	} {
		words := strings.Split(c.args, " ")
		r := run(t.Context(), nil, append([]string{"__complete", "--socket", socket}, words...)...)
		if r.out != c.want {
			t.Errorf("%q: got %q, want %q", c.args, r.out, c.want)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if r := run(t.Context(), nil, "completion", shell); r.status != 0 || len(r.out) < 1000 {
			t.Errorf("%s: status %d, %d bytes", shell, r.status, len(r.out))
		}
	}
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

func TestOutputThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	socket := serve(t, &engine{adapters: several()})
	for _, args := range []string{"list", "list -o json", "show eth0", "version", "help", "completion bash"} {
		words := append([]string{"--socket", socket}, strings.Fields(args)...)
		r := run(t.Context(), func(e *Env) { e.Stdout = brokenWriter{syscall.ENOSPC} }, words...)
		if r.status != 1 || !strings.Contains(r.err, "no space left on device") || strings.Count(r.err, "\n") != 1 {
			t.Errorf("%s on a full disk: status %d, stderr %q", args, r.status, r.err)
		}
		r = run(t.Context(), func(e *Env) { e.Stdout = brokenWriter{syscall.EPIPE} }, words...)
		if r.status != 1 || r.err != "" {
			t.Errorf("%s into a closed pipe: status %d, stderr %q", args, r.status, r.err)
		}
	}
}

func TestTook(t *testing.T) {
	t.Parallel()
	for in, want := range map[time.Duration][2]string{
		-1: {"0 ms", "0 ms"}, 420 * time.Microsecond: {"0.4 ms", "0,4 ms"}, 9949 * time.Microsecond: {"9.9 ms", "9,9 ms"},
		12 * time.Millisecond: {"12 ms", "12 ms"}, 1234 * time.Millisecond: {"1.2 s", "1,2 s"},
	} {
		for i, tag := range text.Languages() {
			if got := (speaker{text.For(tag), time.Now}).took(in); got != want[i] {
				t.Errorf("%v: got %q, want %q", in, got, want[i])
			}
		}
	}
}

func TestDistance(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"kitten", "sitting", 3}, {"output", "outptu", 2}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("%s, %s: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestUsageErrorIsNotAFailure(t *testing.T) {
	t.Parallel()
	var u *usageError
	if err := usagef("no %s", "way"); !errors.As(err, &u) || err.Error() != "no way" {
		t.Errorf("got %v", err)
	}
}
