package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lessee/lessee"
)

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "lessee COMMAND",
		Short: "list, release and renew DHCP leases",
		Long: "lessee is a DHCP client: it lists network adapters and their leases, obtains,\n" +
			"renews and releases leases, and runs the daemon that looks after them.",
		Version:       version(lessee.Build()),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("unknown command %q%s", args[0], orElse(cmd.SuggestionsFor(args[0])))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			cmd.SetOut(a.Stderr)
			_ = cmd.Help() // nothing else to say it to
			return usagef("which command?")
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	root.SuggestionsMinimumDistance = 2
	root.SetIn(a.Stdin)
	root.SetOut(a.Stdout)
	root.SetErr(a.Stderr)
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		text := err.Error()
		if name, ok := strings.CutPrefix(text, "unknown flag: --"); ok {
			text += orElse(similarFlags(cmd, name))
		}
		return usagef("%s", text)
	})
	root.PersistentFlags().StringVar(&a.socket, "socket", "",
		"the daemon's socket `PATH` (default "+lessee.DefaultSocket+", or $"+lessee.SocketEnv+")")
	root.PersistentFlags().SortFlags = false
	root.AddCommand(
		a.list(), a.show(), a.renew(), a.release(), a.up(), a.down(),
		a.watch(), a.daemon(), a.demo(), a.version())
	root.SetHelpCommand(a.help())
	cobra.EnableCommandSorting = false
	return root
}

// run makes a command's work out of f: from here on an error is not the user's
// usage any more.
func (a *app) run(f func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		a.started = true
		return f(cmd.Context(), args)
	}
}

func (a *app) help() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "explain a command",
		RunE: func(cmd *cobra.Command, args []string) error {
			topic, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return usagef("unknown command %q%s", strings.Join(args, " "), orElse(cmd.Root().SuggestionsFor(strings.Join(args, " "))))
			}
			topic.InitDefaultHelpFlag()
			return topic.Help()
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			var names []string
			if len(args) == 0 {
				for _, c := range cmd.Root().Commands() {
					names = append(names, c.Name()+"\t"+c.Short)
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
	}
}

// orElse asks whether one of the suggestions was meant.
func orElse(suggestions []string) string {
	if len(suggestions) == 0 {
		return ""
	}
	return fmt.Sprintf("; did you mean '%s'?", strings.Join(suggestions, "' or '"))
}
