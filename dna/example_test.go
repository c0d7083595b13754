package dna_test

import (
	"fmt"
	"net/netip"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dna"
	"github.com/lessee/lessee/wire/arp"
)

// The link came up; the host knows two networks.
func Example() {
	own := arp.HardwareAddr{2, 0, 0, 0, 0, 2}
	prober, err := dna.New(dna.Config{HardwareAddr: own})
	if err != nil {
		fmt.Println(err)
		return
	}
	office := dna.Candidate{
		Address:    netip.MustParseAddr("192.0.2.5"),
		Router:     netip.MustParseAddr("192.0.2.1"),
		RouterLink: arp.HardwareAddr{2, 0, 0, 0, 1, 1},
	}
	cafe := dna.Candidate{
		Address:    netip.MustParseAddr("198.51.100.77"),
		Router:     netip.MustParseAddr("198.51.100.1"),
		RouterLink: arp.HardwareAddr{2, 0, 0, 0, 1, 2},
	}
	reply := arp.Packet{
		Op: arp.OpReply, SenderHardware: cafe.RouterLink, Sender: cafe.Router,
		TargetHardware: own, Target: cafe.Address,
	}
	now := boottime.Instant(0)
	for _, in := range []dna.Input{
		dna.Start{Candidates: []dna.Candidate{office, cafe}},
		dna.Packet{ARP: arp.Append(nil, reply)},
	} {
		prober.Handle(now, in)
		for {
			out, ok := prober.Poll()
			if !ok {
				break
			}
			switch out := out.(type) {
			case dna.Transmit:
				fmt.Printf("ask % x\n", out.To)
			case dna.Confirmed:
				fmt.Println("the link is network", out.Candidate)
			case dna.Silent:
				fmt.Println("another network")
			}
		}
	}
	// Output:
	// ask 02 00 00 00 01 01
	// ask 02 00 00 00 01 02
	// the link is network 1
}
