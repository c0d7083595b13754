package tenancy

import (
	"net/netip"
	"slices"

	"github.com/lessee/lessee/acd"
)

// heard passes an ARP packet to all who may listen.
func (t *Tenancy) heard(in ARP) {
	t.tellDetector(acd.Packet{ARP: in.Packet})
}

func (t *Tenancy) transmitARP(packet, to []byte) {
	t.listen() // before the question, the ear for its answer
	t.emit(TransmitARP{Packet: packet, To: to})
}

// listen says whose packets are wanted, if that has changed.
func (t *Tenancy) listen() {
	var want []netip.Addr
	if d := t.guard.detector; d != nil && d.Listening() {
		want = append(want, d.Address())
	}
	if !slices.Equal(want, t.listening) {
		t.listening = want
		t.emit(Listen{Addresses: want})
	}
}
