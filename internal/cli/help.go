package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// use translates the names of arguments in a command's usage.
func (a *app) use(usage string) string {
	return strings.NewReplacer(
		"COMMAND", a.speak.Text("COMMAND"),
		"ADAPTER", a.speak.Text("ADAPTER"),
		"FILE", a.speak.Text("FILE"),
		"SHELL", a.speak.Text("SHELL"),
	).Replace(usage)
}

// useLine is how a command is used, in one line.
func (a *app) useLine(cmd *cobra.Command) string {
	return strings.Replace(cmd.UseLine(), "[flags]", a.speak.Text("[flags]"), 1)
}

// helpText writes a command's description and usage.
func (a *app) helpText(cmd *cobra.Command, _ []string) {
	_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%s\n\n", cmd.Long) // the sink remembers an error
	_ = a.usage(cmd)
}

// usage writes what is below a command's description.
func (a *app) usage(cmd *cobra.Command) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n\n", a.speak.Text("usage:"), a.useLine(cmd))
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintln(&b, a.speak.Text("commands:"))
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() {
				fmt.Fprintf(&b, "  %-10s  %s\n", c.Name(), c.Short)
			}
		}
		fmt.Fprintln(&b)
	}
	fmt.Fprintf(&b, "%s\n%s", a.speak.Text("flags:"), a.flagUsages(cmd))
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\n%s\n", a.speak.Text("'lessee help COMMAND' explains a command."))
	}
	_, err := io.WriteString(cmd.OutOrStdout(), b.String())
	return err
}

// helpWidth is how wide a help text may be.
const helpWidth = 80

// flagUsages describes a command's flags.
func (a *app) flagUsages(cmd *cobra.Command) string {
	cmd.InheritedFlags() // brings them to cmd.Flags
	word := a.speak.Text("default")
	if word == "default" {
		return cmd.Flags().FlagUsagesWrapped(helpWidth)
	}
	// The other word may be longer, and is not known where lines are wrapped.
	text := cmd.Flags().FlagUsagesWrapped(helpWidth - len(word) + len("default"))
	return strings.ReplaceAll(text, "(default", "("+word)
}
