package cli

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lessee/lessee"
)

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   a.use("lessee COMMAND"),
		Short: a.speak.Text("list, release and renew DHCP leases"),
		Long: a.speak.Text("lessee is a DHCP client: it lists network adapters and their leases, obtains,\n" +
			"renews and releases leases, and runs the daemon that looks after them."),
		Version:       version(lessee.Build()),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return orElse(usagef("unknown command %q", args[0]), cmd.SuggestionsFor(args[0]))
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
	root.SetUsageFunc(a.usage)
	root.SetHelpFunc(a.helpText)
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		var similar []string
		if e, ok := errors.AsType[*pflag.NotExistError](err); ok && e.GetSpecifiedShortnames() == "" {
			similar = similarFlags(cmd, e.GetSpecifiedName())
		}
		return orElse(usagef("%s", err), similar)
	})
	a.addSocket(root)
	root.Flags().Bool("version", false, a.speak.Text("print the version"))
	root.AddCommand(a.commands()...)
	root.AddCommand(a.help(), a.completion())
	root.SetHelpCommand(a.help())
	root.CompletionOptions.DisableDefaultCmd = true
	for _, cmd := range append(root.Commands(), root) {
		cmd.Flags().BoolP("help", "h", false, a.speak.Sprintf("help for %s", cmd.Name()))
	}
	return root
}

// The commands are listed in the order in which one gets to know them.
func init() { cobra.EnableCommandSorting = false }

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
		Use:   a.use("help [COMMAND]"),
		Short: a.speak.Text("explain a command"),
		Long:  a.speak.Text("Explain a command and its flags."),
		RunE: func(cmd *cobra.Command, args []string) error {
			topic, rest, err := cmd.Root().Find(args)
			a.started = err == nil && len(rest) == 0
			if err != nil || len(rest) > 0 {
				wrong := strings.Join(args, " ")
				return orElse(usagef("unknown command %q", wrong), cmd.Root().SuggestionsFor(wrong))
			}
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

func (a *app) completion() *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:   a.use("completion SHELL"),
		Short: a.speak.Text("print the script that completes arguments in a shell"),
		Long: a.speak.Text("Print the script that lets a shell complete commands, flags and the names of\n" +
			"adapters. SHELL is bash, zsh, fish or powershell. For bash, for example:\n\n" +
			"  lessee completion bash > /etc/bash_completion.d/lessee"),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || !slices.Contains(shells, args[0]) {
				return usagef("for which shell? %s", strings.Join(shells, ", "))
			}
			return nil
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return shells, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			a.started = true
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(a.Stdout, true)
			case "zsh":
				return root.GenZshCompletion(a.Stdout)
			case "fish":
				return root.GenFishCompletion(a.Stdout, true)
			default:
				return root.GenPowerShellCompletionWithDesc(a.Stdout)
			}
		},
	}
}

// orElse adds to an error the question whether one of the suggestions was meant.
func orElse(err error, suggestions []string) error {
	if len(suggestions) == 0 {
		return err
	}
	return usagef("%s; did you mean '%s'?", err, alternatives(suggestions))
}
