package acd_test

import (
	"fmt"
	"net/netip"

	"github.com/lessee/lessee/acd"
	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/wire/arp"
)

// An address that is used only once nobody has claimed it.
func Example() {
	detector, err := acd.New(acd.Config{
		HardwareAddr: arp.HardwareAddr{2, 0, 0, 0, 0, 2},
		Timing:       acd.RFC5227,
		Seed:         1,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	now := boottime.Instant(0)
	detector.Handle(now, acd.LinkUp{})
	detector.Handle(now, acd.Start{Address: netip.MustParseAddr("192.0.2.5"), Mode: acd.Probe})
	for {
		for {
			out, ok := detector.Poll()
			if !ok {
				break
			}
			switch out := out.(type) {
			case acd.Transmit:
				fmt.Println("broadcast", out.Kind)
			case acd.Clear:
				fmt.Println("configure", out.Address)
			case acd.Conflict:
				fmt.Println("another host has", out.Address)
			}
		}
		at, _, ok := detector.Deadline()
		if !ok {
			break
		}
		now = at // here a caller sleeps, and hands in ARP packets that arrive
		detector.Handle(now, acd.Timeout{})
	}
	fmt.Println(detector.State())
	// Output:
	// broadcast probe
	// broadcast probe
	// broadcast probe
	// broadcast announce
	// configure 192.0.2.5
	// broadcast announce
	// listening
}
