package v4

import (
	"net/netip"
	"slices"

	"github.com/lessee/lessee/acd"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/dna"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/ipv4ll"
)

// linkUp and linkDown tell all who speak ARP. On a network that is known by
// its router the lease there is in use as soon as that has answered.
func (t *Tenancy) linkUp() {
	t.tellDetector(acd.LinkUp{})
	t.tellLocal(ipv4ll.LinkUp{})
	t.seek()
	t.tell(dhcp4.LinkUp{})
	if t.life.Stage() == tenancy.Living && t.client.State() == dhcp4.StateReleased && t.life.Waits(awaits) {
		t.leaseWanted()
		t.tell(dhcp4.Renew{}) // asked for when there was no link
	}
}

func (t *Tenancy) linkDown() {
	t.networks.is(unknown)
	// The next link may be another one.
	t.guard.taken = netip.Addr{}
	if t.local != nil && t.local.state == barred {
		t.local.state = idle
	}
	t.tellFinder(dna.Stop{})
	t.tellDetector(acd.LinkDown{})
	t.tellLocal(ipv4ll.LinkDown{})
	t.answered()
	t.tell(dhcp4.LinkDown{})
}

// arpDeadlines adds the instants at which they want a Timeout.
func (t *Tenancy) arpDeadlines(s *tenancy.Soonest) {
	if d := t.guard.detector; d != nil {
		at, _, ok := d.Deadline()
		s.Add(at, ok)
	}
	if l := t.local; l != nil {
		at, _, ok := l.client.Deadline()
		s.Add(at, ok)
	}
	if f := t.networks.finder; f != nil {
		at, _, ok := f.prober.Deadline()
		s.Add(at, ok)
	}
}

// arpTimeout tells them that the time has come.
func (t *Tenancy) arpTimeout() {
	t.tellDetector(acd.Timeout{})
	t.tellLocal(ipv4ll.Timeout{})
	t.tellFinder(dna.Timeout{})
}

// arpStop ends all of it without a packet.
func (t *Tenancy) arpStop() {
	t.tellDetector(acd.Stop{})
	t.tellFinder(dna.Stop{})
	if l := t.local; l != nil {
		l.client.Handle(t.life.Now(), ipv4ll.Stop{})
	}
}

// heard passes an ARP packet to all who may listen.
func (t *Tenancy) heard(in ARP) {
	t.tellDetector(acd.Packet{ARP: in.Packet, Ours: in.Ours, Unicast: in.Unicast})
	t.tellLocal(ipv4ll.Packet{ARP: in.Packet, Ours: in.Ours, Unicast: in.Unicast})
	t.tellFinder(dna.Packet{ARP: in.Packet})
}

func (t *Tenancy) transmitARP(packet, to []byte) {
	t.listen() // before the question, the ear for its answer
	t.life.Emit(TransmitARP{Packet: packet, To: to})
}

// listen says whose packets are wanted, if that has changed.
func (t *Tenancy) listen() {
	var few [4]netip.Addr // every packet comes by here: mostly there is nothing to allocate
	want := few[:0]
	if d := t.guard.detector; d != nil && d.Address().IsValid() && t.guard.listens() {
		want = append(want, d.Address()) // without a link, too: there will be one
	}
	if l := t.local; l != nil {
		if a, ok := l.client.Listening(); ok {
			want = append(want, a)
		}
	}
	if f := t.networks.finder; f != nil && t.life.Usable() {
		want = append(want, f.prober.Addresses()...)
	}
	if !t.life.Usable() {
		// So that the question can leave as soon as there is a link.
		from, _ := t.candidates()
		for _, c := range from {
			want = append(want, c.Router)
		}
	}
	if !slices.Equal(want, t.listening) {
		t.listening = append([]netip.Addr(nil), want...) // no Clone: want is to stay on the stack
		t.life.Emit(Listen{Addresses: t.listening})
	}
}
