//go:build linux

package cli

import (
	"context"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lessee/lessee"
)

// brief is how many facts of a story are shown unless all are wanted.
const brief = 16

func (a *app) why() *cobra.Command {
	cmd := &cobra.Command{
		Use:   a.use("why ADAPTER"),
		Short: a.speak.Text("explain the present state of an adapter"),
		Long: a.speak.Text("Explain why an adapter is in its present state: what was tried, who answered,\n" +
			"what comes next, and what can be done about it.\n\n" +
			"The latest facts are shown, with --verbose all that the daemon remembers."),
		Args:              adapters(1, 1),
		ValidArgsFunction: a.completeAdapters(1),
	}
	form := a.output(cmd, "text")
	var verbose bool
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, a.speak.Text("all facts, and transactions"))
	cmd.RunE = a.run(func(ctx context.Context, args []string) error {
		s, err := a.remote().Why(ctx, args[0])
		if err != nil {
			return err
		}
		if form.word == "json" {
			return writeJSON(a.Stdout, s)
		}
		_, _ = io.WriteString(a.Stdout, a.storyText(s, verbose)) // the sink remembers an error
		return nil
	})
	return cmd
}

// storyText writes a story, one fact a line.
func (a *app) storyText(s lessee.Story, verbose bool) string {
	var b strings.Builder
	line := func(when, text string) {
		b.WriteString("  ")
		if when != "" {
			b.WriteString(a.colour.dim(when) + "  ")
		}
		b.WriteString(clean(text) + "\n")
	}
	b.WriteString(a.colour.bold(clean(s.Adapter)) + ": " + clean(a.speak.verdictText(s.Verdict, s.Adapter, s.Time)) + "\n")
	facts := s.Facts
	if n := len(facts) - brief; n > 0 && !verbose {
		facts = facts[n:]
		line("", a.speak.Sprintf("(%d earlier facts: --verbose)", n))
	}
	for _, f := range facts {
		when := ""
		if !f.Time.IsZero() {
			when = a.speak.Clock(f.Time, a.Now())
		}
		text := a.speak.factText(f, s.Adapter, s.Time, a.Now())
		if verbose && f.XID != "" {
			text += " [" + f.XID + "]"
		}
		line(when, text)
	}
	if len(s.Next) > 0 {
		b.WriteString(a.speak.Text("next:") + "\n")
	}
	for _, f := range s.Next {
		text := a.speak.nextText(f, s.Adapter)
		if !f.Time.IsZero() {
			text = a.speak.Sprintf("in %s: %s", a.speak.remaining(f.Time.Sub(s.Time)), text)
		}
		line("", text)
	}
	if len(s.Advice) > 0 {
		b.WriteString(a.speak.Text("what to do:") + "\n")
	}
	for _, f := range s.Advice {
		line("", a.speak.adviceText(f, s.Adapter))
	}
	return b.String()
}
