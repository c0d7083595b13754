//go:build !linux

package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/system"
)

// client returns the system's own DHCP client: there is no daemon here.
func (a *app) client() service { return system.Client{} }

// commands are those that need no daemon.
func (a *app) commands() []*cobra.Command {
	return []*cobra.Command{a.list(), a.show(), a.renew(), a.release(), a.replay(), a.version()}
}

// addSocket adds nothing: there is no daemon to name the socket of.
func (a *app) addSocket(*cobra.Command) {}

// spacedNames says whether a space may be in an adapter's name, as in "Ethernet 2".
const spacedNames = true

// six renews or releases IPv6 leases. Without names: those of all adapters.
func (a *app) six(ctx context.Context, op string, names []string, wait time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	if len(names) == 0 {
		names = []string{""}
	}
	failed := false
	for _, name := range names {
		do := system.Client{}.Renew6
		if op == "release" {
			do = system.Client{}.Release6
		}
		if err := do(ctx, name); err != nil {
			failed = true
			a.complain(err)
		}
	}
	if failed {
		return errReported
	}
	return nil
}

// kernelView has nothing to add to what the system's client knows.
func kernelView() ([]lessee.Adapter, error) { return nil, errno.ERROR_NOT_SUPPORTED }
