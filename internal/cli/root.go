//go:build linux

package cli

import (
	"context"
	"fmt"
	"slices"
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
	root.SetUsageTemplate(usageTemplate)
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		text := err.Error()
		if name, ok := strings.CutPrefix(text, "unknown flag: --"); ok {
			text += orElse(similarFlags(cmd, name))
		}
		return usagef("%s", text)
	})
	root.PersistentFlags().StringVar(&a.socket, "socket", "",
		"`PATH` of the daemon's socket, else $"+lessee.SocketEnv+",\nelse "+lessee.DefaultSocket)
	root.Flags().Bool("version", false, "print the version")
	root.AddCommand(
		a.list(), a.show(), a.renew(), a.release(), a.up(), a.down(),
		a.watch(), a.daemon(), a.demo(), a.version())
	root.AddCommand(a.help(), a.completion())
	root.SetHelpCommand(a.help())
	root.CompletionOptions.DisableDefaultCmd = true
	return root
}

// usageTemplate is the part of the help below a command's description.
const usageTemplate = `usage: {{.UseLine}}
{{if .HasAvailableSubCommands}}
commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name 10}}  {{.Short}}{{end}}{{end}}

{{end}}{{if not .HasAvailableSubCommands}}
{{end}}flags:
{{.Flags.FlagUsagesWrapped 80}}{{if .HasAvailableSubCommands}}
'lessee help COMMAND' explains a command.
{{end}}`

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
		Use:   "help [COMMAND]",
		Short: "explain a command",
		Long:  "Explain a command and its flags.",
		RunE: func(cmd *cobra.Command, args []string) error {
			topic, rest, err := cmd.Root().Find(args)
			a.started = err == nil && len(rest) == 0
			if err != nil || len(rest) > 0 {
				return usagef("unknown command %q%s", strings.Join(args, " "), orElse(cmd.Root().SuggestionsFor(strings.Join(args, " "))))
			}
			topic.InitDefaultHelpFlag()
			topic.InitDefaultVersionFlag()
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
		Use:   "completion SHELL",
		Short: "print the script that completes arguments in a shell",
		Long: "Print the script that lets a shell complete commands, flags and the names of\n" +
			"adapters. SHELL is bash, zsh, fish or powershell. For bash, for example:\n\n" +
			"  lessee completion bash > /etc/bash_completion.d/lessee",
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

// orElse asks whether one of the suggestions was meant.
func orElse(suggestions []string) string {
	if len(suggestions) == 0 {
		return ""
	}
	return fmt.Sprintf("; did you mean '%s'?", strings.Join(suggestions, "' or '"))
}
