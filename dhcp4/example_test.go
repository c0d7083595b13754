package dhcp4_test

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// A server answers what the client sends; here it is a function.
func answer(message []byte) []byte {
	q, err := wire.Parse(message)
	if err != nil {
		return nil
	}
	b := wire.NewBuilder(wire.OpReply, q.HardwareType(), q.HardwareAddr(), q.XID())
	switch q.MessageType() {
	case wire.Discover:
		b.AddMessageType(wire.Offer)
	case wire.Request:
		b.AddMessageType(wire.ACK)
	default:
		return nil
	}
	b.SetYourAddr(netip.MustParseAddr("192.0.2.105"))
	b.AddAddr(wire.OptionServerID, netip.MustParseAddr("192.0.2.1"))
	b.AddAddr(wire.OptionSubnetMask, netip.MustParseAddr("255.255.255.0"))
	b.AddUint32(wire.OptionLeaseTime, 3600)
	return b.Bytes()
}

// The caller's loop: an input, all outputs, the deadline.
func Example() {
	client, err := dhcp4.New(dhcp4.Config{
		HardwareType: wire.HardwareEthernet,
		HardwareAddr: []byte{2, 0, 0, 0, 0, 2},
		Seed:         1,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	now := boottime.Instant(0)
	inputs := []dhcp4.Input{dhcp4.Start{}, dhcp4.LinkUp{}}
	for len(inputs) > 0 {
		client.Handle(now, inputs[0])
		inputs = inputs[1:]
		for {
			out, ok := client.Poll()
			if !ok {
				break
			}
			switch out := out.(type) {
			case dhcp4.Transmit:
				fmt.Println("send", out.Type, "to", out.Destination)
				now = now.Add(time.Millisecond)
				inputs = append(inputs, dhcp4.Datagram{Message: answer(out.Message)})
			case dhcp4.Acquired:
				fmt.Println("configure", out.Lease.Address)
			case dhcp4.Moved:
				fmt.Println("now", out.To)
			}
		}
	}
	_, why, _ := client.Deadline()
	fmt.Println("wait for", why)
	// Output:
	// now selecting
	// send DISCOVER to 255.255.255.255
	// now requesting
	// send REQUEST to 255.255.255.255
	// configure 192.0.2.105/24
	// now bound
	// wait for T1
}

// Lifetimes of a lease count from when the REQUEST was sent.
func ExampleLease_Expires() {
	lease := dhcp4.Lease{Start: boottime.Instant(time.Minute), Duration: time.Hour}
	end, ends := lease.Expires()
	fmt.Println(end, ends)

	lease.Infinite = true
	_, ends = lease.Expires()
	fmt.Println(ends)
	// Output:
	// 1h1m0s true
	// false
}

// Counters have stable names, for a report or metrics.
func ExampleCounters_All() {
	client, err := dhcp4.New(dhcp4.Config{HardwareType: wire.HardwareEthernet, HardwareAddr: []byte{2, 0, 0, 0, 0, 2}})
	if err != nil {
		fmt.Println(err)
		return
	}
	client.Handle(0, dhcp4.Datagram{Message: []byte("noise")})
	for name, n := range client.Counters().All() {
		if n > 0 {
			fmt.Println(name, n)
		}
	}
	// Output: rejected.too-short 1
}
