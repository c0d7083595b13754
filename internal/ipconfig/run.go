package ipconfig

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/lessee/lessee/internal/text"
	"github.com/lessee/lessee/iphlpapi"
)

// The exit statuses.
const (
	done   = 0
	failed = 1 // as on Windows, wrong usage too
)

// An Env is what the command knows of the world besides its arguments.
type Env struct {
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	// Zone is where times are told; nil is the machine's.
	Zone *time.Location
	// System is the machine; nil is this one.
	System System
}

// Main runs the command line of this process and returns its exit status.
func Main() int {
	return Run(Env{Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv}, os.Args[1:])
}

// A command is one run.
type command struct {
	Env
	*text.Printer
	out error // of writing to Stdout
}

// Run runs the command with the arguments after its name, and returns the exit
// status: 0, or 1 if something failed.
func Run(env Env, args []string) int {
	c := &command{Env: env, Printer: text.ForEnvironment(env.Getenv)}
	if c.Zone == nil {
		c.Zone = time.Local
	}
	if c.System == nil {
		c.System = here{}
	}
	status := c.run(args)
	if c.out != nil {
		return failed
	}
	return status
}

func (c *command) run(args []string) int {
	verb, pattern, ok := parse(args)
	if !ok {
		fmt.Fprintf(c.Stderr, "%s\n", c.Sprintf("ipconfig: this command line is not understood: %s", clean(strings.Join(args, " "))))
		c.print(c.help())
		return failed
	}
	switch verb {
	case "":
		return c.show(false)
	case "all":
		return c.show(true)
	case "?", "h", "help":
		c.print(c.help())
		return done
	case "release":
		return c.change(pattern, c.System.Release, func(name, why string) string {
			return c.Sprintf("%s could not be released: %s", name, why)
		})
	case "renew":
		return c.change(pattern, c.System.Renew, func(name, why string) string {
			return c.Sprintf("%s could not be renewed: %s", name, why)
		})
	}
	return c.six(verb, pattern)
}

// verbs tells which verbs there are, and whether an adapter may follow.
var verbs = map[string]bool{
	"all": false, "?": false, "h": false, "help": false,
	"release": true, "renew": true, "release6": true, "renew6": true,
}

// parse reads the arguments: at most a verb, with "/" or "-" before it and in
// any case, and the name of an adapter, which may be several words.
func parse(args []string) (verb, pattern string, ok bool) {
	if len(args) == 0 {
		return "", "", true
	}
	first := args[0]
	switch {
	case strings.HasPrefix(first, "--"):
		verb = first[2:]
	case strings.HasPrefix(first, "/"), strings.HasPrefix(first, "-"):
		verb = first[1:]
	default:
		return "", "", false
	}
	verb = strings.ToLower(verb)
	takes, known := verbs[verb]
	if !known || len(args) > 1 && !takes {
		return "", "", false
	}
	// A name with spaces is often typed without quotes.
	pattern = strings.Join(args[1:], " ")
	if len(args) > 1 && strings.TrimSpace(pattern) == "" {
		return "", "", false // a variable that is not set does not mean all adapters
	}
	return verb, pattern, true
}

func (c *command) print(text string) {
	if _, err := io.WriteString(c.Stdout, text); err != nil && c.out == nil {
		c.out = err
		fmt.Fprintf(c.Stderr, "%s\n", c.Sprintf("write to the standard output: %s", c.Error(err)))
	}
}

// complain writes an error's line.
func (c *command) complain(text string) { fmt.Fprintf(c.Stderr, "ipconfig: %s\n", clean(text)) }

// show prints the report.
func (c *command) show(all bool) int {
	h := c.System.Host()
	r := newReport(c.Printer, c.Zone)
	r.head(h)
	if all {
		r.host(h)
	}
	list, err := c.System.Adapters()
	if err != nil {
		c.complain(c.why(err))
		return failed
	}
	for _, a := range list {
		r.adapter(a, all)
	}
	c.print(r.String())
	return done
}

// change releases or renews the adapters that match the pattern, side by side,
// and prints what has come of it. Without a pattern it is all that are managed
// by DHCP.
func (c *command) change(pattern string, do func(Adapter) error, fails func(name, why string) string) int {
	all, err := c.System.Adapters()
	if err != nil {
		c.complain(c.why(err))
		return failed
	}
	chosen := c.choose(all, pattern)
	if len(chosen) == 0 {
		if pattern == "" {
			c.complain(c.Text("no adapter is managed by DHCP: nothing was done"))
		} else {
			c.complain(c.Sprintf("no adapter has a name like %q: nothing was done", pattern))
		}
		return failed
	}
	errs := make([]error, len(chosen))
	var wait sync.WaitGroup
	for i, a := range chosen {
		wait.Go(func() { errs[i] = do(a) })
	}
	wait.Wait()
	status := done
	for i, a := range chosen {
		if errs[i] != nil {
			status = failed
			c.complain(fails(a.Name, c.why(errs[i])))
		}
	}
	if shown := c.show(false); shown != done {
		return shown
	}
	return status
}

func (c *command) choose(all []Adapter, pattern string) []Adapter {
	if pattern == "" {
		var managed []Adapter
		for _, a := range all {
			if a.DHCP {
				managed = append(managed, a)
			}
		}
		return managed
	}
	chosen := choose(all, pattern)
	if name, ok := c.System.Resolve(pattern); ok && len(chosen) == 0 {
		chosen = choose(all, name)
	}
	return chosen
}

// why puts an error into the user's words.
func (c *command) why(err error) string {
	if code, ok := errors.AsType[iphlpapi.Errno](err); ok {
		text, _ := text.System(uint32(code), c.Tag())
		return c.Sprintf("%s (error %s)", text, fmt.Sprint(uint32(code)))
	}
	return c.Error(err)
}

// six does release6 and renew6.
func (c *command) six(verb, pattern string) int {
	do := c.System.SixVerb()
	if do == nil {
		c.complain(c.Sprintf("/%s: no IPv6 lease is managed: the kernel configures IPv6 by router advertisements", verb))
		return failed
	}
	if err := do(verb, pattern); err != nil {
		c.complain(c.Sprintf("/%s: %s", verb, c.why(err)))
		return failed
	}
	return done
}

func (c *command) help() string {
	return "\n" + c.Text("usage:") + ` ipconfig [/all | /release [` + c.Text("adapter") + `] | /renew [` + c.Text("adapter") + `] |
                 /release6 [` + c.Text("adapter") + `] | /renew6 [` + c.Text("adapter") + "] | /?]\n\n" +
		c.Text(`  (nothing)   show the addresses of the adapters
  /all        show all that is known of the adapters
  /release    give back the IPv4 addresses obtained by DHCP
  /renew      renew the IPv4 addresses obtained by DHCP
  /release6   give back the IPv6 leases
  /renew6     renew the IPv6 leases
  /?          show this help

A dash does for the slash, in any case: -Renew. Without an adapter: all that are
managed by DHCP. In its name * stands for any characters and ? for one; a shell
wants quotes around them:

  ipconfig /renew             renew all adapters
  ipconfig /renew eth0        renew one
  ipconfig /release "wl*"     release all whose names begin so
`)
}

// clean makes text safe for a terminal: a name or a domain may hold control
// characters.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
