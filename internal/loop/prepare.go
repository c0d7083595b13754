package loop

import (
	"errors"
	"net/netip"

	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/fault"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/reason"
)

// Prepare implements [core.Kernel].
func (l *Loop) Prepare(a core.Adapter, how core.Prepare) {
	s, err := l.in(a.NS)
	if err != nil {
		in := core.Prepared{Of: a.Of, Turn: a.Turn, ID: a.ID, Refusal: refused(err)}
		l.Tell(in)
		return
	}
	kernel := s.Kernel
	s.jobs++ // the namespace stays open
	how.Record = l.record(a.NS, how.Record)
	l.pool.do(preparing{}, func() {
		if l.hasEnded() {
			return
		}
		in := core.Prepared{Of: a.Of, Turn: a.Turn, ID: a.ID}
		in.Refusal = l.look(kernel, a, how, &in)
		now, err := kernel.LinkByIndex(a.Index)
		if err == nil {
			in.Link = now
		}
		told := l.Submit(func() {
			s.jobs--
			if errors.Is(err, netconf.ErrNoLink) {
				// If it went before the core knew of it, nobody told.
				l.linkChanged(a.NS, netconf.LinkChange{Link: a.Link, Gone: true})
			}
			l.core.Handle(l.now, in)
		})
		if !told {
			kernel.Unclaim(a.Link)
		}
	})
}

// hasEnded reports whether nothing is taken any more.
func (l *Loop) hasEnded() bool {
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

// preparing is the key of what prepares adapters, one after the other: two that
// interfere with each other are told apart.
type preparing struct{}

// look fills in what there is of an adapter, and claims it.
func (l *Loop) look(kernel Kernel, a core.Adapter, how core.Prepare, in *core.Prepared) core.Refusal {
	// Who made another namespace knows who is in it.
	if who, means, yes := l.others(a); yes {
		return core.Refusal{Code: errno.ERROR_BUSY, Cause: reason.Cause{Reason: reason.AnotherClient, Manager: who, How: means}}
	}
	var err error
	in.Record, _, err = l.cfg.Store.Load(how.Record)
	in.Unreadable = systemError(err)
	if !a.Link.Up && how.SetUp == core.SetUpIfDown {
		if err := kernel.SetUp(a.Index); err != nil {
			return refused(err)
		}
	}
	addresses, err := kernel.Addresses(a.Index)
	if err != nil {
		return refused(err)
	}
	in.Configured = make([]netip.Prefix, len(addresses))
	for i, have := range addresses {
		in.Configured[i] = have.Prefix
	}
	// Other daemons of ours are kept off, and the one that is there is found.
	if err := kernel.Claim(a.Link); err != nil {
		return core.Refusal{Code: errno.ERROR_BUSY, Cause: reason.Cause{Reason: reason.AnotherDaemon}}
	}
	return core.Refusal{}
}

func (l *Loop) others(a core.Adapter) (who, how string, yes bool) {
	if a.NS != core.Home {
		return "", "", false
	}
	return l.cfg.Others.ManagerNow(a.Link)
}

func refused(err error) core.Refusal {
	return core.Refusal{Code: errno.ERROR_GEN_FAILURE, Cause: reason.Cause{Reason: reason.SystemFailed, Fault: fault.Of(err)}, Err: err}
}
