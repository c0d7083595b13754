package arp_test

import (
	"fmt"
	"net/netip"

	"github.com/lessee/lessee/wire/arp"
)

func Example() {
	hw := arp.HardwareAddr{2, 0, 0, 0, 0, 2}
	probe := arp.Append(nil, arp.Probe(hw, netip.MustParseAddr("10.77.0.105")))

	p, err := arp.Parse(probe)
	fmt.Printf("%v for %v from %v, probe: %v, %v\n", p.Op, p.Target, p.Sender, p.IsProbe(), err)
	// Output:
	// request for 10.77.0.105 from 0.0.0.0, probe: true, <nil>
}
