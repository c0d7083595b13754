package driver

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/linux/packet"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/reason"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// scans are the discoveries that run, by the index of the interface; the
// answers to them are not for the adapter's own client, which would count them.
type scans struct {
	mu  sync.Mutex
	xid map[int]uint32
}

func (s *scans) begin(index int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, runs := s.xid[index]; runs {
		return false
	}
	if s.xid == nil {
		s.xid = make(map[int]uint32)
	}
	s.xid[index] = 0
	return true
}

func (s *scans) set(index int, xid uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.xid[index] = xid
}

func (s *scans) end(index int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.xid, index)
}

// own reports whether the message answers a discovery on that interface.
func (s *scans) own(index int, message []byte) bool {
	const atXID = 4
	s.mu.Lock()
	defer s.mu.Unlock()
	xid, runs := s.xid[index]
	return runs && xid != 0 && len(message) >= atXID+4 && binary.BigEndian.Uint32(message[atXID:]) == xid
}

// scanBacklog is how many datagrams may wait for a scan.
const scanBacklog = 64

// Discover collects the offers of a link's servers; see control.Engine.
func (d *Driver) Discover(ctx context.Context, name string, during time.Duration) (lessee.Discovery, error) {
	const op = "discover"
	if during < lessee.MinDiscovery || during > lessee.MaxDiscovery {
		return lessee.Discovery{}, failed(op, name, errno.ERROR_INVALID_PARAMETER, reason.Cause{
			Reason: reason.OutOfRange, Field: "timeout", Value: during.String(),
			Min: lessee.Duration(lessee.MinDiscovery), Max: lessee.Duration(lessee.MaxDiscovery),
		})
	}
	link, err := d.ethernetLink(op, name)
	if err != nil {
		return lessee.Discovery{}, err
	}
	if !link.Usable() {
		return lessee.Discovery{}, failed(op, name, errno.ERROR_NO_NETWORK, reason.Cause{Reason: reason.NoLink})
	}
	if !d.scans.begin(link.Index) {
		return lessee.Discovery{}, failed(op, name, errno.ERROR_BUSY, reason.Cause{Reason: reason.DiscoveryRuns})
	}
	defer d.scans.end(link.Index)

	began := d.cfg.Clock.Now()
	out := lessee.Discovery{Adapter: link.Name, Index: link.Index, Time: d.cfg.Wall().UTC().Truncate(time.Millisecond), During: lessee.Duration(during)}
	scan, err := dhcp4.NewScan(d.clientConfig(link), began, during)
	if err != nil {
		return lessee.Discovery{}, misconfigured(op, name, err)
	}
	if err := d.scan(ctx, link, scan); err != nil {
		if errors.Is(err, ErrStopped) {
			return lessee.Discovery{}, stopped(op, name)
		}
		e := systemFailed(op, name, err)
		switch {
		case errors.Is(err, context.Canceled):
			e.Code, e.Cause = errno.ERROR_CANCELLED, reason.Cause{Reason: reason.GaveUp}
		case errors.Is(err, context.DeadlineExceeded):
			e.Code = errno.ERROR_SEM_TIMEOUT
		}
		return lessee.Discovery{}, e
	}
	d.describeDiscovery(&out, scan, d.leaseOf(link))
	return out, nil
}

// leaseOf returns the lease that the adapter has, nil if it has none.
func (d *Driver) leaseOf(link netconf.Link) (l *dhcp4.Lease) {
	d.do(func() {
		if a := d.present(link.Index); a != nil {
			l = a.tenancy.Status().Lease
		}
	})
	return l
}

// scan carries a scan out on a socket of its own.
func (d *Driver) scan(ctx context.Context, link netconf.Link, s *dhcp4.Scan) error {
	arrived := make(chan dhcp4.Datagram, scanBacklog)
	x, err := d.cfg.Transport.Open(link, func(in packet.Datagram) {
		select {
		case arrived <- dhcp4.Datagram(in):
		default: // nobody waits for so many servers
		}
	}, func(packet.Refusal, uint64) {})
	if err != nil {
		return err
	}
	defer x.Close()
	timer := d.cfg.Clock.NewTimer()
	defer timer.Close()
	for {
		for o, ok := s.Poll(); ok; o, ok = s.Poll() {
			t, is := o.(dhcp4.Transmit)
			if !is {
				continue
			}
			if p, err := wire.Parse(t.Message); err == nil {
				d.scans.set(link.Index, p.XID())
			}
			if err := x.Send(packet.Transmit(t)); err != nil {
				return err
			}
		}
		at, ok := s.Deadline()
		if !ok {
			return nil
		}
		timer.Reset(at)
		select {
		case in := <-arrived:
			s.Handle(d.cfg.Clock.Now(), in)
		case <-timer.C():
			s.Handle(d.cfg.Clock.Now(), dhcp4.Timeout{})
		case <-ctx.Done():
			return ctx.Err()
		case <-d.done:
			return ErrStopped
		}
	}
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
