//go:build linux

package cli

import (
	"cmp"
	"context"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/internal/daemon"
)

// stateEnv is the environment variable that names the state folder.
const stateEnv = "LESSEE_STATE"

func (a *app) daemon() *cobra.Command {
	cmd := &cobra.Command{
		Use:   a.use("daemon [ADAPTER ...]"),
		Short: a.speak.Text("run the DHCP client service"),
		Long: a.speak.Text("Manage the adapters named here, in the configuration, or by 'lessee up': obtain\n" +
			"leases, configure them, renew them in time. On SIGTERM addresses stay.\n\n" +
			"The configuration file may be absent, unless --config names it."),
		Args:              adapters(0, -1),
		ValidArgsFunction: a.completeAdapters(-1),
	}
	var config, state, run, record string
	var verbose bool
	cmd.Flags().StringVar(&config, "config", daemon.DefaultConfig, a.speak.Text("configuration `FILE`"))
	cmd.Flags().StringVar(&state, "state", "", a.speak.Sprintf("`DIR` where leases are kept over a reboot, or\n'%s', else $%s,\nelse %s", daemon.NoState, stateEnv, daemon.DefaultState))
	cmd.Flags().StringVar(&run, "run", "", a.speak.Text("`DIR` for the leases of this boot, best on a\ntmpfs, else the control socket's"))
	cmd.Flags().StringVar(&record, "record", "", a.speak.Text("record all that happens to a new `FILE`, for\n'lessee replay'"))
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, a.speak.Text("log packets and states too"))
	_ = cmd.MarkFlagFilename("config", "toml")
	_ = cmd.MarkFlagFilename("record")
	_ = cmd.MarkFlagDirname("state")
	_ = cmd.MarkFlagDirname("run")
	cmd.RunE = a.run(func(ctx context.Context, names []string) error {
		// A log nobody reads any more is no reason to die.
		signal.Ignore(syscall.SIGPIPE)
		return daemon.Run(ctx, daemon.Options{
			Adapters:   unique(names),
			ConfigPath: config, ConfigRequired: cmd.Flags().Changed("config"),
			SocketPath: cmp.Or(a.socket, a.Getenv(lessee.SocketEnv)),
			StateDir:   cmp.Or(state, a.Getenv(stateEnv)),
			RunDir:     run,
			Record:     record,
			Verbose:    verbose,
			Log:        a.Stderr,
		})
	})
	return cmd
}
