package core

import (
	"encoding/binary"

	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/reason"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// A scan collects the offers of a link's servers. The answers to it are not for the
// adapter's own client, which would count them.
type scan struct {
	id   ID
	call uint64
	scan *dhcp4.Scan
	xid  uint32 // of its messages; 0: none was sent
	due  slot
}

func (s *scan) slot() *slot { return &s.due }

// timeout implements timed.
func (s *scan) timeout(c *Core) {
	s.scan.Handle(c.now, dhcp4.Timeout{})
	c.drainScan(s)
}

// expects reports whether a message answers the scan.
func (s *scan) expects(message []byte) bool {
	const atXID = 4
	return s.xid != 0 && len(message) >= atXID+4 && binary.BigEndian.Uint32(message[atXID:]) == s.xid
}

// discover begins a scan.
func (c *Core) discover(in Discover) {
	id, link, exists := c.links.find(in.NS, in.Name)
	switch {
	case !exists:
		c.answer(in.Call, refuse(errno.ERROR_FILE_NOT_FOUND, reason.NoSuchAdapter))
		return
	case !Acceptable(link):
		c.answer(in.Call, refuse(errno.ERROR_NOT_SUPPORTED, reason.NoEthernet))
		return
	case !link.Usable():
		c.answer(in.Call, refuse(errno.ERROR_NO_NETWORK, reason.NoLink))
		return
	case c.scans[id] != nil:
		c.answer(in.Call, refuse(errno.ERROR_BUSY, reason.DiscoveryRuns))
		return
	}
	asks, err := dhcp4.NewScan(c.cfg.Tenancy(in.NS, link).DHCP4, c.now, in.During)
	if err != nil {
		c.answer(in.Call, Refusal{errno.ERROR_INVALID_PARAMETER, reason.Cause{Reason: reason.BadConfiguration, Fault: reason.FaultOf(err)}, err})
		return
	}
	s := &scan{id: id, call: in.Call, scan: asks}
	c.scans[id], c.asked[in.Call] = s, s
	c.drainScan(s)
}

// drainScan does what a scan asks for.
func (c *Core) drainScan(s *scan) {
	for o, ok := s.scan.Poll(); ok; o, ok = s.scan.Poll() {
		t, is := o.(dhcp4.Transmit)
		if !is {
			continue
		}
		if p, err := wire.Parse(t.Message); err == nil {
			s.xid = p.XID()
		}
		if err := c.cfg.Transport.Send(c.aboutLink(s.id), t); err != nil {
			c.endScan(s, Refusal{errno.ERROR_GEN_FAILURE, reason.Cause{Reason: reason.SystemFailed, Fault: reason.FaultOf(err)}, err})
			return
		}
	}
	at, ok := s.scan.Deadline()
	if ok {
		c.due.set(s, at)
		return
	}
	d := Discovery{Link: c.links.at(s.id), Scan: s.scan}
	if a := c.adapters.at[s.id]; a != nil {
		if l := a.living(); l != nil {
			d.Lease = l.tenancy.Status().Lease
		}
	}
	c.forgetScan(s)
	c.cfg.Hooks.Discovered(s.call, d)
}

// endScan ends a scan that was not carried out.
func (c *Core) endScan(s *scan, why Refusal) {
	c.forgetScan(s)
	c.answer(s.call, why)
}

func (c *Core) forgetScan(s *scan) {
	delete(c.scans, s.id)
	delete(c.asked, s.call)
	c.due.remove(s)
	c.close(s.id)
}

// aboutLink returns a link, managed or not, as the ports are told of it.
func (c *Core) aboutLink(id ID) Adapter {
	if a := c.adapters.at[id]; a != nil {
		return c.about(a)
	}
	link := c.links.at(id)
	return Adapter{ID: id, Name: link.Name, Link: link}
}

// sentByUs reports whether an ARP packet names one of this host's links as its
// sender: the kernel answers on one link for the addresses of another.
func (c *Core) sentByUs(packet []byte) bool {
	const atSender = 8
	if len(packet) < atSender+len(netMAC{}) {
		return false
	}
	return c.links.macs[netMAC(packet[atSender:])] > 0
}

// A netMAC is the hardware address of an Ethernet link.
type netMAC [6]byte

func macOf(l netconf.Link) (m netMAC, ok bool) {
	if len(l.HardwareAddr) != len(m) {
		return m, false
	}
	return netMAC(l.HardwareAddr), true
}
