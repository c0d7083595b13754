package dhcptest

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"time"
)

// Faults are what a link does to frames. Each probability is 0 to 1 and holds
// for each delivery on its own: of a broadcast, one port may get it and another
// not. The zero Faults are those of a good cable.
type Faults struct {
	// Loss: the frame does not arrive.
	Loss float64
	// Duplicate: it arrives twice.
	Duplicate float64
	// Reorder: frames that were sent after it overtake it.
	Reorder float64
	// Mirror: the sender gets its own frame back, as through a loop or a
	// mirrored port.
	Mirror float64
	// Corrupt: one to three bits are wrong. Mostly a checksum shows it; of one
	// frame in four the checksums fit what it carries, as when a broken router
	// wrote them.
	Corrupt float64
	// DelayMin and DelayMax bound how long a frame takes.
	DelayMin, DelayMax time.Duration
}

// A Link is an Ethernet segment.
type Link struct {
	world  *World
	name   string
	faults Faults
	chance *rand.Rand
	ports  []*Port
	tap    []func(Frame)
}

// NewLink makes a link without faults. The name is for the trace.
func (w *World) NewLink(name string) *Link {
	return &Link{world: w, name: name, chance: w.Rand("link " + name)}
}

// SetFaults changes what the link does to frames from now on.
func (l *Link) SetFaults(f Faults) { l.faults = f }

// Tap has see called for each frame that is sent on the link, before its
// faults, whether or not anyone gets it.
func (l *Link) Tap(see func(Frame)) { l.tap = append(l.tap, see) }

// Partition cuts the link in two: the ports named, and all others. Frames pass
// within each part only. [Link.Heal] ends it.
func (l *Link) Partition(ports ...*Port) {
	for _, p := range l.ports {
		p.apart = slices.Contains(ports, p)
	}
}

// Heal ends a partition and takes all faults away.
func (l *Link) Heal() {
	l.Partition()
	l.faults = Faults{}
}

// ErrUnplugged says that the port is not on its link.
var ErrUnplugged = errors.New("dhcptest: the port is unplugged")

// A Port is where something is plugged into a link.
type Port struct {
	link    *Link
	addr    LinkAddr
	receive func(Frame)
	plugged bool
	apart   bool // the smaller part of a partition
	// Promiscuous has frames for others delivered, too.
	Promiscuous bool
}

// Plug makes a port. Frames to its address, to a group of addresses or to all
// are handed to receive, one by one, later than they were sent.
func (l *Link) Plug(addr LinkAddr, receive func(Frame)) *Port {
	p := &Port{link: l, addr: addr, receive: receive, plugged: true}
	l.ports = append(l.ports, p)
	return p
}

// Unplug takes the port off its link; frames on their way to it are lost.
func (p *Port) Unplug() {
	p.plugged = false
	p.link.ports = slices.DeleteFunc(p.link.ports, func(q *Port) bool { return q == p })
}

// Addr returns the port's link address.
func (p *Port) Addr() LinkAddr { return p.addr }

// Link returns the link that the port is or was on.
func (p *Port) Link() *Link { return p.link }

// Send puts a frame on the link. A frame from another address than the port's
// is sent as it is. The error is [ErrUnplugged] or nil: what becomes of the
// frame is not known to its sender.
func (p *Port) Send(f Frame) error {
	if !p.plugged {
		return ErrUnplugged
	}
	l := p.link
	for _, see := range l.tap {
		see(f)
	}
	if l.world.Trace != nil {
		l.world.trace("%s %v", l.name, f)
	}
	for _, to := range l.ports {
		switch {
		case to == p:
			if Chance(l.chance, l.faults.Mirror) {
				l.carry(to, f)
			}
		case to.apart == p.apart && (f.To == to.addr || f.To.Group() || to.Promiscuous):
			l.carry(to, f)
		}
	}
	return nil
}

// minDelay is what even the quickest link takes: an answer never comes in the
// instant of its question.
const minDelay = 10 * time.Microsecond

// carry brings a frame to a port, or not.
func (l *Link) carry(to *Port, f Frame) {
	copies := 1
	if Chance(l.chance, l.faults.Duplicate) {
		copies++
	}
	for range copies {
		if Chance(l.chance, l.faults.Loss) {
			if l.world.Trace != nil {
				l.world.trace("%s to %v: lost", l.name, to.addr)
			}
			continue
		}
		g := f
		if Chance(l.chance, l.faults.Corrupt) {
			g.Payload = l.corrupt(g)
		}
		d := max(Between(l.chance, l.faults.DelayMin, l.faults.DelayMax), minDelay)
		if Chance(l.chance, l.faults.Reorder) {
			d += Between(l.chance, time.Millisecond, 2*time.Second)
		}
		l.world.After(d, func() {
			if !to.plugged {
				return
			}
			if l.world.Trace != nil && len(g.Payload) > 0 && &g.Payload[0] != &f.Payload[0] {
				l.world.trace("%s to %v: corrupted: %v", l.name, to.addr, g)
			}
			to.receive(g)
		})
	}
}

// corrupt returns a payload with one to three wrong bits.
func (l *Link) corrupt(f Frame) []byte {
	b := slices.Clone(f.Payload)
	if len(b) == 0 {
		return b
	}
	from := 0
	mend := f.Type == EtherIPv4 && len(b) > ipHeader+udpHeader && l.chance.IntN(4) == 0
	if mend {
		from = ipHeader + udpHeader
	}
	for range 1 + l.chance.IntN(3) {
		b[from+l.chance.IntN(len(b)-from)] ^= 1 << l.chance.IntN(8)
	}
	if mend {
		// RFC 768: a checksum of zero says that there is none.
		binary.BigEndian.PutUint16(b[ipHeader+udpChecksum:], 0)
	}
	return b
}

const (
	ipHeader    = 20
	udpHeader   = 8
	udpChecksum = 6
)
