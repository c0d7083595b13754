package daemon

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// announce tells the service manager that the daemon is ready and, where it
// asks for it, that the engine is still alive (sd_notify(3),
// sd_watchdog_enabled(3)). The function it returns ends both.
func announce(ctx context.Context, alive func() bool, log *slog.Logger) (stop func()) {
	notify := func(state string) {
		if _, err := daemon.SdNotify(false, state); err != nil {
			log.Warn("the service manager could not be told", "state", state, "error", err)
		}
	}
	notify(daemon.SdNotifyReady)
	ctx, cancel := context.WithCancel(ctx)
	var beside sync.WaitGroup
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		log.Warn("the service manager's watchdog cannot be served", "error", err)
	}
	if interval > 0 {
		beside.Go(func() {
			tick := time.NewTicker(interval / 2)
			defer tick.Stop()
			for {
				select {
				case <-tick.C:
					if alive() {
						notify(daemon.SdNotifyWatchdog)
					}
				case <-ctx.Done():
					return
				}
			}
		})
	}
	return func() {
		cancel()
		beside.Wait()
		notify(daemon.SdNotifyStopping)
	}
}
