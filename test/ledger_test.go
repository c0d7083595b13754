package test

import (
	"net"
	"net/netip"
	"sync"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// A ledger is a server that answers at once and that knows what the client
// holds. It is played by a villain that has given up its ways.
type ledger struct {
	*villain

	mu       sync.Mutex
	next     netip.Addr // the address that is offered
	held     netip.Addr // the one that the client has; the zero Addr if none
	releases int
}

// newLedger has the villain serve, from 10.77.0.100 on.
func newLedger(v *villain) *ledger {
	l := &ledger{villain: v, next: addr("10.77.0.100")}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.answer = func(a *ask) [][]byte {
		if m := l.handle(a); m != nil {
			return [][]byte{dhcpFrame(m)}
		}
		return nil
	}
	return l
}

func (l *ledger) handle(a *ask) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	yours := func(typ dhcpv4.MessageType) []byte {
		return reply(a, typ, dhcpv4.WithYourIP(l.next.AsSlice()))
	}
	asked, _ := netip.AddrFromSlice(a.RequestedIPAddress().To4())
	from, _ := netip.AddrFromSlice(a.ClientIPAddr.To4())
	switch state := a.state(); {
	case a.MessageType() == release:
		if from == l.held {
			l.held = netip.Addr{}
		}
		l.releases++
		return nil
	case state == "":
		l.t.Errorf("the client sent %v", a)
		return nil
	case state == "selecting":
		return yours(offer)
	case l.next == asked, l.next == from:
		l.held = l.next
		return yours(ack)
	}
	// Another address is to be had here now.
	l.held = netip.Addr{}
	return reply(a, nak, dhcpv4.WithYourIP(net.IPv4zero), func(m *dhcpv4.DHCPv4) {
		for _, o := range []dhcpv4.OptionCode{
			dhcpv4.OptionIPAddressLeaseTime, dhcpv4.OptionSubnetMask, dhcpv4.OptionRouter, dhcpv4.OptionDomainNameServer,
		} {
			m.Options.Del(o)
		}
	})
}

// renumber has the server refuse the address that it gave, and give the next one.
func (l *ledger) renumber() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.next = l.next.Next(); l.next == addr("10.77.0.200") {
		l.next = addr("10.77.0.100")
	}
}

// holds returns the address that the client has and how many RELEASEs came.
func (l *ledger) holds() (netip.Addr, int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held, l.releases
}
