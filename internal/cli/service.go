package cli

import (
	"context"
	"iter"

	"github.com/lessee/lessee"
)

// A service knows the adapters and their leases, and renews and releases them:
// the daemon, or where there is none the system's own DHCP client.
type service interface {
	Adapters(ctx context.Context) ([]lessee.Adapter, error)
	Adapter(ctx context.Context, name string) (lessee.Adapter, error)
	Renew(ctx context.Context, name string) error
	Release(ctx context.Context, name string) error
	Up(ctx context.Context, name string) error
	Down(ctx context.Context, name string, keep bool) error
	Version(ctx context.Context) (lessee.VersionInfo, error)
	Events(ctx context.Context) iter.Seq2[lessee.Event, error]
}
