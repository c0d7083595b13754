package ipv4ll_test

import (
	"fmt"
	"net/netip"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/ipv4ll"
	"github.com/lessee/lessee/wire/arp"
)

// The adapter had an address before; another host has it now.
func Example() {
	client, err := ipv4ll.New(ipv4ll.Config{HardwareAddr: arp.HardwareAddr{2, 0, 0, 0, 0, 2}, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	now := boottime.Instant(0)
	last := netip.MustParseAddr("169.254.7.9")
	other := arp.Announcement(arp.HardwareAddr{2, 0, 0, 0, 0, 7}, last)
	inputs := []ipv4ll.Input{ipv4ll.LinkUp{}, ipv4ll.Start{Last: last}, ipv4ll.Packet{ARP: arp.Append(nil, other)}}
	for {
		var in ipv4ll.Input = ipv4ll.Timeout{}
		if len(inputs) > 0 {
			in, inputs = inputs[0], inputs[1:]
		} else if at, _, ok := client.Deadline(); ok {
			now = at // here a caller sleeps, and hands in ARP packets that arrive
		} else {
			break
		}
		client.Handle(now, in)
		for {
			out, ok := client.Poll()
			if !ok {
				break
			}
			switch out := out.(type) {
			case ipv4ll.Transmit:
				fmt.Println("broadcast", out.Kind)
			case ipv4ll.Taken:
				fmt.Println("another host has", out.Address)
			case ipv4ll.Acquired:
				fmt.Println("configure and remember", out.Address)
			}
		}
	}
	fmt.Println(client.State())
	// Output:
	// another host has 169.254.7.9
	// broadcast probe
	// broadcast probe
	// broadcast probe
	// broadcast announce
	// configure and remember 169.254.63.88/16
	// broadcast announce
	// bound
}
