//go:build linux

package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lessee/lessee"
)

func (a *app) watch() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "watch",
		Short: a.speak.Text("show events as they happen"),
		Long: a.speak.Text("Show what happens to all adapters, as it happens, until interrupted: leases\n" +
			"bound, renewed, released or expired, links up and down, conflicts and problems.\n\n" +
			"With --verbose packets and states too. JSON has everything, one event a line."),
		Args:              adapters(0, 0),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	form := a.output(cmd, "text")
	var verbose bool
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, a.speak.Text("packets and states too"))
	cmd.RunE = a.run(func(ctx context.Context, _ []string) error {
		for e, err := range a.client().Events(ctx) {
			if err != nil {
				if ctx.Err() != nil {
					return nil // the user has seen enough
				}
				return err
			}
			if form.word == "json" {
				if err := json.NewEncoder(a.Stdout).Encode(e); err != nil {
					return nil // the sink remembers the error
				}
				continue
			}
			if detail(e.Kind) && !verbose {
				continue
			}
			if _, err := fmt.Fprintln(a.Stdout, a.eventLine(e)); err != nil {
				return nil // the sink remembers the error
			}
		}
		return nil
	})
	return cmd
}

// detail reports whether events of this kind are only shown on request.
func detail(k lessee.EventKind) bool {
	switch k {
	case lessee.EventSent, lessee.EventReceived, lessee.EventRejected, lessee.EventState:
		return true
	case lessee.EventManaged, lessee.EventUnmanaged, lessee.EventCarrier, lessee.EventNoCarrier, lessee.EventBound,
		lessee.EventRenewed, lessee.EventReleased, lessee.EventExpired, lessee.EventNAK, lessee.EventConflict,
		lessee.EventRenamed, lessee.EventRemoved, lessee.EventProblem, lessee.EventLost,
		lessee.EventDefended, lessee.EventRecognised, lessee.EventLinkLocal, lessee.EventInformed:
		return false
	}
	return false // a newer daemon's kind
}

// eventLine is an event in one line.
func (a *app) eventLine(e lessee.Event) string {
	line := fmt.Sprintf("%s  %-8s  ", e.Time.In(a.Now().Location()).Format("15:04:05.000"), or(clean(e.Adapter)))
	text := a.speak.eventText(e)
	kind := clean(a.speak.kind(e.Kind))
	if text != "" {
		kind = fmt.Sprintf("%-10s", kind)
	}
	return line + a.paintKind(e.Kind, kind) + pad(text)
}

func pad(text string) string {
	if text == "" {
		return ""
	}
	return "  " + text
}

func (a *app) paintKind(k lessee.EventKind, text string) string {
	switch k {
	case lessee.EventBound, lessee.EventRenewed, lessee.EventCarrier, lessee.EventManaged, lessee.EventRecognised, lessee.EventInformed:
		return a.colour.green(text)
	case lessee.EventExpired, lessee.EventConflict, lessee.EventProblem, lessee.EventNAK, lessee.EventRemoved:
		return a.colour.red(text)
	case lessee.EventReleased, lessee.EventNoCarrier, lessee.EventLost, lessee.EventUnmanaged, lessee.EventRenamed,
		lessee.EventDefended, lessee.EventLinkLocal:
		return a.colour.yellow(text)
	case lessee.EventState, lessee.EventSent, lessee.EventReceived, lessee.EventRejected:
		return a.colour.dim(text)
	}
	return text
}
