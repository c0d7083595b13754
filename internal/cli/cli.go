package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/lessee/lessee/internal/text"
)

// The exit statuses of every command.
const (
	exitDone   = 0
	exitFailed = 1 // the operation failed
	exitUsage  = 2 // wrong usage, or a recording that cannot be read
)

// An Env is what a command knows of the world besides its arguments.
type Env struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// StdoutTerminal and StderrTerminal say that a person looks on.
	StdoutTerminal, StderrTerminal bool
	// Width is the terminal's, in columns.
	Width  int
	Getenv func(string) string
	// Now is the present time, in the zone that times are shown in.
	Now func() time.Time

	// asked, if set, hears when an operation begins: the daemon is asked next.
	asked func(time.Time)
}

// System returns the environment of this process.
func System() Env {
	e := Env{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Width: 80, Getenv: os.Getenv, Now: time.Now,
	}
	e.StdoutTerminal = term.IsTerminal(int(os.Stdout.Fd()))
	e.StderrTerminal = term.IsTerminal(int(os.Stderr.Fd()))
	for _, f := range []*os.File{os.Stdout, os.Stderr} {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			e.Width = w
			break
		}
	}
	if w, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && w > 0 {
		e.Width = w
	}
	return e
}

// Main runs the command line of this process and returns its exit status.
// SIGINT and SIGTERM end what waits; a second one ends the process.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return Run(ctx, System(), os.Args[1:])
}

// An app is one run of the command line.
type app struct {
	Env
	out    *sink
	speak  speaker
	colour colours
	socket string
	// started says that the arguments were understood and a command began:
	// errors from before are the user's.
	started bool
}

// Run runs the command line with the arguments after the program's name, and
// returns the exit status.
func Run(ctx context.Context, env Env, args []string) int {
	a := &app{Env: env, out: &sink{w: env.Stdout}, speak: speaker{text.ForEnvironment(env.Getenv), env.Now}}
	a.Stdout = a.out
	a.colour = newColours(env)
	root := a.root()
	root.SetArgs(append([]string{}, args...)) // nil would mean those of the process
	cmd, err := root.ExecuteContextC(ctx)

	var usage *usageError
	var unreadable *unreadableError
	switch {
	case a.out.err != nil:
		if !errors.Is(a.out.err, syscall.EPIPE) {
			a.complain(sentencef("write to the standard output: %s", a.out.err))
		}
		return exitFailed
	case err == nil:
		return exitDone
	case errors.Is(err, errReported):
		return exitFailed
	case errors.As(err, &unreadable):
		a.complain(unreadable.error)
		return exitUsage
	case errors.As(err, &usage), !a.started:
		a.complain(err)
		fmt.Fprintf(a.Stderr, "%s %s\n", a.speak.Text("usage:"), a.useLine(cmd))
		return exitUsage
	default:
		a.complain(err)
		return exitFailed
	}
}

// complain writes an error for the user.
func (a *app) complain(err error) {
	fmt.Fprintf(a.Stderr, "lessee: %s\n", clean(a.speak.errorText(err)))
}

// A sink remembers that writing to it failed.
type sink struct {
	w   io.Writer
	err error
}

func (s *sink) Write(b []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.w.Write(b)
	s.err = err
	return n, err
}
