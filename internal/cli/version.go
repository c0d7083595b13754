//go:build linux

package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/lessee/lessee"
)

func (a *app) version() *cobra.Command {
	return &cobra.Command{
		Use:               "version",
		Short:             "print the version of this program, and of the daemon",
		Long:              "Print the version of this program, and of the daemon if one runs.",
		Args:              adapters(0, 0),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.run(func(ctx context.Context, _ []string) error {
			fmt.Fprintln(a.Stdout, version(lessee.Build()))
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			v, err := a.client().Version(ctx)
			switch {
			case err == nil:
				text := version(v)
				if v.PID > 0 {
					text += fmt.Sprintf(", pid %d", v.PID)
				}
				fmt.Fprintf(a.Stdout, "daemon: %s\n", clean(text))
			case noDaemon(err):
				fmt.Fprintln(a.Stdout, "daemon: not running")
			default:
				fmt.Fprintf(a.Stdout, "daemon: %s\n", clean(brief(err).Error()))
			}
			return nil
		}),
	}
}
