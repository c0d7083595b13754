package cli

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/errno"
)

func (a *app) version() *cobra.Command {
	return &cobra.Command{
		Use:               "version",
		Short:             a.speak.Text("print the version of this program, and of the daemon"),
		Long:              a.speak.Text("Print the version of this program, and of the daemon if one runs."),
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
					text += ", pid " + strconv.Itoa(v.PID)
				}
				fmt.Fprintln(a.Stdout, a.speak.Sprintf("daemon: %s", clean(text)))
			case lessee.Code(err) == errno.ERROR_NOT_SUPPORTED: // there is no daemon on this system
			case noDaemon(err):
				fmt.Fprintln(a.Stdout, a.speak.Text("daemon: not running"))
			default:
				fmt.Fprintln(a.Stdout, a.speak.Sprintf("daemon: %s", clean(a.speak.brief(err))))
			}
			return nil
		}),
	}
}
