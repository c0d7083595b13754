package control

import (
	"context"
	"time"

	"github.com/lessee/lessee"
)

// An Engine is what the API serves. Its errors are of type [*lessee.Error]. Its methods
// may be called from any goroutine. Where a context ends before the answer is there,
// the operation goes on and the caller gets ERROR_CANCELLED, or ERROR_SEM_TIMEOUT if
// it was the deadline.
type Engine interface {
	// Adapters lists all adapters but loopback, sorted by index, managed or not.
	Adapters(ctx context.Context) ([]lessee.Adapter, error)
	// Adapter returns one of them, by its name or an alternative name, with counters.
	Adapter(ctx context.Context, name string) (lessee.Adapter, error)
	// Why explains the state of an adapter. It tells of any name, also of one
	// that no adapter has.
	Why(ctx context.Context, name string) (lessee.Story, error)
	// Renew returns when the address is usable.
	Renew(ctx context.Context, name string) error
	// Release returns when the RELEASE has left and the address is gone.
	Release(ctx context.Context, name string) error
	// Up begins to manage the adapter and returns when its address is usable.
	Up(ctx context.Context, name string) error
	// Down ends the management; it releases the lease first, unless keep is set.
	Down(ctx context.Context, name string, keep bool) error
	// Discover asks all servers on the adapter's link for an offer and returns
	// what they said when the time is over; it takes none.
	Discover(ctx context.Context, name string, during time.Duration) (lessee.Discovery, error)
	// Trace hands out the DHCP frames of the adapter's link from now on, with arp
	// the packets of conflict detection too. The channel is closed when the
	// adapter is removed, or by cancel, which ends it; a reader that does not
	// keep up loses frames and is told how many.
	Trace(ctx context.Context, name string, arp bool) (frames <-chan lessee.Frame, cancel func(), err error)
	// Subscribe hands out the events from now on. The channel is never closed
	// by the engine; a subscriber that does not keep up loses events and is
	// told how many by one of kind [lessee.EventLost]. cancel ends it.
	Subscribe() (events <-chan lessee.Event, cancel func())
}
