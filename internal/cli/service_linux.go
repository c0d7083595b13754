package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/reason"
)

// client returns what knows the adapters: the daemon.
func (a *app) client() service { return a.remote() }

// remote returns the client of the daemon that --socket or LESSEE_SOCKET names.
func (a *app) remote() *lessee.Client {
	return lessee.New(lessee.WithSocket(a.Getenv(lessee.SocketEnv)), lessee.WithSocket(a.socket))
}

// commands are those of this system, in the order in which one gets to know them.
func (a *app) commands() []*cobra.Command {
	return []*cobra.Command{
		a.list(), a.show(), a.renew(), a.release(), a.up(), a.down(),
		a.watch(), a.why(), a.discover(), a.trace(), a.replay(), a.daemon(), a.demo(), a.version(),
	}
}

// addSocket adds --socket.
func (a *app) addSocket(root *cobra.Command) {
	root.PersistentFlags().StringVar(&a.socket, "socket", "",
		a.speak.Sprintf("`PATH` of the daemon's socket, else $%s,\nelse %s", lessee.SocketEnv, lessee.DefaultSocket))
}

// spacedNames says whether a space may be in an adapter's name (dev_valid_name).
const spacedNames = false

// six says that there is nothing to do for IPv6.
func (a *app) six(_ context.Context, op string, names []string, _ time.Duration) error {
	if len(names) == 0 {
		names = []string{""}
	}
	for _, name := range names {
		a.complain(&lessee.Error{
			Op: op, Adapter: name, Code: errno.ERROR_NOT_SUPPORTED, Cause: reason.Cause{Reason: reason.NoIPv6},
		})
	}
	return errReported
}
