package dhcptest_test

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/dhcptest"
	"github.com/lessee/lessee/wire/udp4"
)

// A runner gives a sans-I/O client the clock and the adapter of a virtual host.
type runner struct {
	world  *dhcptest.World
	host   *dhcptest.Host
	client *dhcp4.Client
	alarm  *dhcptest.Event
}

func run(w *dhcptest.World, host *dhcptest.Host) (*runner, error) {
	addr := host.LinkAddr()
	client, err := dhcp4.New(dhcp4.Config{HardwareType: 1, HardwareAddr: addr[:], Seed: w.Seed()})
	if err != nil {
		return nil, err
	}
	r := &runner{world: w, host: host, client: client}
	host.Listen(68, func(d dhcptest.Datagram) {
		r.tell(dhcp4.Datagram{Message: d.Payload, From: d.Source.Addr(), Link: d.Link[:]})
	})
	return r, nil
}

// tell hands an input to the client and carries out what it wants.
func (r *runner) tell(in dhcp4.Input) {
	r.client.Handle(r.world.Now(), in)
	for {
		out, ok := r.client.Poll()
		if !ok {
			break
		}
		switch out := out.(type) {
		case dhcp4.Transmit:
			d := udp4.Datagram{
				Source:      netip.AddrPortFrom(out.Source, 68),
				Destination: netip.AddrPortFrom(out.Destination, 67),
				Payload:     out.Message,
			}
			if out.Link != nil {
				_ = r.host.SendTo(dhcptest.LinkAddr(out.Link), d)
			} else {
				_ = r.host.Send(d)
			}
		case dhcp4.Acquired:
			r.host.Own(out.Lease.Address.Addr())
		case dhcp4.Lost:
			r.host.Disown(out.Lease.Address.Addr())
		}
	}
	r.alarm.Stop()
	if at, _, ok := r.client.Deadline(); ok {
		r.alarm = r.world.At(at, func() { r.tell(dhcp4.Timeout{}) })
	}
}

// A client gets and keeps a lease though every third frame is lost.
func Example() {
	w := dhcptest.New(1)
	lan := w.NewLink("lan")
	lan.SetFaults(dhcptest.Faults{Loss: 0.3})
	server := dhcptest.NewServer(lan.NewHost(dhcptest.LinkAddr{2, 0, 0, 0, 0, 1}), dhcptest.ServerConfig{
		Address: netip.MustParsePrefix("192.0.2.1/24"),
		First:   netip.MustParseAddr("192.0.2.100"),
		Last:    netip.MustParseAddr("192.0.2.199"),
		Lease:   10 * time.Minute,
	})
	me := lan.NewHost(dhcptest.LinkAddr{2, 0, 0, 0, 0, 2})
	r, err := run(w, me)
	if err != nil {
		fmt.Println(err)
		return
	}
	r.tell(dhcp4.Start{})
	r.tell(dhcp4.LinkUp{})
	err = w.Until(time.Minute, func() bool { return r.client.State() == dhcp4.StateBound })
	lease, _ := r.client.Lease()
	fmt.Println(r.client.State(), lease.Address, err)

	err = w.Run(24 * time.Hour)
	lease, _ = r.client.Lease()
	at, known := server.Leased(me.LinkAddr(), lease.ClientID)
	fmt.Println("a day later:", lease.Address, at, known, err)
	// Output:
	// bound 192.0.2.100/24 <nil>
	// a day later: 192.0.2.100/24 192.0.2.100 true <nil>
}

// A behaviour of one's own changes what the server is about to say.
func ExampleBehaviour() {
	w := dhcptest.New(1)
	lan := w.NewLink("lan")
	noLeaseTime := dhcptest.Behaviour{After: func(x *dhcptest.Exchange) {
		if x.Reply != nil {
			x.Reply.Remove(51)
		}
	}}
	dhcptest.NewServer(lan.NewHost(dhcptest.LinkAddr{2, 0, 0, 0, 0, 1}), dhcptest.ServerConfig{
		Address: netip.MustParsePrefix("192.0.2.1/24"),
		First:   netip.MustParseAddr("192.0.2.100"),
		Last:    netip.MustParseAddr("192.0.2.199"),
	}, noLeaseTime)
	r, err := run(w, lan.NewHost(dhcptest.LinkAddr{2, 0, 0, 0, 0, 2}))
	if err != nil {
		fmt.Println(err)
		return
	}
	r.tell(dhcp4.Start{})
	r.tell(dhcp4.LinkUp{})
	err = w.Until(time.Minute, func() bool { return r.client.State() == dhcp4.StateBound })
	fmt.Println(r.client.State(), err)
	// Output:
	// selecting dhcptest: it did not happen in time: 1m0s have passed
}
