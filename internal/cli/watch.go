//go:build linux

package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/internal/event"
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
	row, known := event.Streamed(string(k))
	return known && row.Tone == event.Minor
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
	row, known := event.Streamed(string(k))
	if !known {
		return text
	}
	switch row.Tone {
	case event.Good:
		return a.colour.green(text)
	case event.Bad:
		return a.colour.red(text)
	case event.Attention:
		return a.colour.yellow(text)
	case event.Minor:
		return a.colour.dim(text)
	}
	return text
}
