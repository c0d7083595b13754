package driver

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/reason"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// Discover collects the offers of a link's servers; see control.Engine.
func (d *Driver) Discover(ctx context.Context, name string, during time.Duration) (lessee.Discovery, error) {
	const op = "discover"
	if during < lessee.MinDiscovery || during > lessee.MaxDiscovery {
		return lessee.Discovery{}, failed(op, name, errno.ERROR_INVALID_PARAMETER, reason.Cause{
			Reason: reason.OutOfRange, Field: "timeout", Value: during.String(),
			Min: lessee.Duration(lessee.MinDiscovery), Max: lessee.Duration(lessee.MaxDiscovery),
		})
	}
	began := d.cfg.Wall().UTC().Truncate(time.Millisecond)
	gaveUp := func(error) bool { return true }
	a, err := d.ask(ctx, op, name, gaveUp, func(id uint64) core.Input {
		return core.Discover{Call: id, Name: name, During: during}
	})
	switch {
	case err != nil:
		return lessee.Discovery{}, err
	case a.Code != errno.NO_ERROR:
		return lessee.Discovery{}, discoveryError(ctx, name, a)
	}
	link := a.discovery.Link
	out := lessee.Discovery{Adapter: link.Name, Index: link.Index, Time: began, During: lessee.Duration(during)}
	d.describeDiscovery(&out, a.discovery.Scan, a.discovery.Lease)
	return out, nil
}

// discoveryError says why a discovery came to nothing.
func discoveryError(ctx context.Context, name string, a answer) error {
	if a.Code == errno.ERROR_CANCELLED && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		e := systemFailed("discover", name, ctx.Err())
		e.Code = errno.ERROR_SEM_TIMEOUT
		return e
	}
	return refusalError("discover", name, core.Refusal{Code: a.Code, Cause: a.Cause, Err: a.err})
}

// describeDiscovery puts what a scan found into the form of the API.
func (d *Driver) describeDiscovery(out *lessee.Discovery, s *dhcp4.Scan, lease *dhcp4.Lease) {
	offers := s.Offers()
	c := s.Counters()
	out.Sent = c.Sent(wire.Discover)
	for counter, n := range c.All() {
		if name, ok := strings.CutPrefix(counter, "rejected."); ok && n > 0 {
			if out.Rejected == nil {
				out.Rejected = make(map[string]uint64)
			}
			out.Rejected[name] = n
		}
	}
	out.Flags = flagsOfAll(offers)
	out.Offers = []lessee.Offer{}
	for _, o := range offers {
		out.Offers = append(out.Offers, d.describeOffer(o, flagsOf(o, lease)))
	}
}

func (d *Driver) describeOffer(o *dhcp4.Offer, flags []string) lessee.Offer {
	var v lessee.IPv4
	l := &o.Lease
	d.describeLease(&v, l)
	out := lessee.Offer{
		After: lessee.Duration(o.After.Round(time.Microsecond)), Server: l.Server, From: o.From, Relay: l.Relay, Address: l.Address,
		Infinite: l.Infinite, Routers: v.Routers, Routes: v.Routes, DNS: v.DNS, WINS: v.WINS, Domain: v.Domain, Search: v.Search,
		HostName: v.HostName, MTU: v.MTU, RapidCommit: o.RapidCommit, Flags: flags,
	}
	if len(l.ServerLink) > 0 {
		out.MAC = net.HardwareAddr(l.ServerLink).String()
	}
	if !l.Infinite {
		out.Lease, out.T1, out.T2 = lessee.Duration(l.Duration), lessee.Duration(l.T1.Round(time.Second)), lessee.Duration(l.T2.Round(time.Second))
	}
	if o.Refusal != 0 {
		out.Refused = o.Refusal.Name()
	}
	return out
}
