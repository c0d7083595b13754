package cli

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/lessee/lessee/internal/recording"
)

func (a *app) replay() *cobra.Command {
	return &cobra.Command{
		Use:   a.use("replay FILE"),
		Short: a.speak.Text("play a recording, show what was done and why"),
		Long: a.speak.Text("Play a recording of the DHCP client service, which its --record makes, through\n" +
			"the client of this program, and print what happened and what the client asked\n" +
			"for. Nothing is sent or configured, and no time passes.\n\n" +
			"Where this program does something else than the recorded one did, a line says\n" +
			"so, and the exit status is 1; it is 2 if the recording cannot be read to its\nend."),
		Args: func(_ *cobra.Command, args []string) error {
			switch len(args) {
			case 0:
				return usagef("which recording? 'lessee daemon --record FILE' makes one")
			case 1:
				return nil
			}
			return usagef("%q: one recording is expected", args[1])
		},
		RunE: a.run(func(_ context.Context, args []string) error {
			f, err := os.Open(args[0])
			if err != nil {
				return &unreadableError{err}
			}
			defer f.Close()
			outcome, err := recording.Replay(f, a.Stdout)
			if failed, is := errors.AsType[*recording.PanicError](err); is {
				fmt.Fprintf(a.Stderr, "%s\n", failed.Stack)
			}
			var broken *recording.Error
			switch {
			case outcome.Differences > 0:
				if err != nil {
					a.complain(sentencef("%s: %s", args[0], err))
				}
				a.complain(sentencef("%s: this program does something else than the recorded one", args[0]))
				return errReported
			case errors.As(err, &broken):
				return &unreadableError{sentencef("%s: %s", args[0], err)}
			}
			return err
		}),
	}
}

// An unreadableError says that a recording could not be read to its end.
type unreadableError struct{ error }

func (e *unreadableError) Unwrap() error { return e.error }
