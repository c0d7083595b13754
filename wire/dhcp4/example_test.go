package dhcp4_test

import (
	"errors"
	"fmt"
	"net/netip"

	wire "github.com/lessee/lessee/wire/dhcp4"
)

// A server's answer, as a client reads it.
func ExampleParse() {
	b := wire.NewBuilder(wire.OpReply, wire.HardwareEthernet, []byte{2, 0, 0, 0, 0, 2}, 0x1234)
	b.SetYourAddr(netip.MustParseAddr("10.77.0.105"))
	b.AddMessageType(wire.ACK)
	b.AddAddr(wire.OptionSubnetMask, netip.MustParseAddr("255.255.255.0"))
	b.AddUint32(wire.OptionLeaseTime, 3600)
	message := b.Bytes()

	p, err := wire.Parse(message)
	if err != nil {
		fmt.Println(err)
		return
	}
	mask, _ := p.Addr(wire.OptionSubnetMask)
	bits, _ := wire.MaskBits(mask)
	lease, ok := p.Uint32(wire.OptionLeaseTime)
	fmt.Printf("%v of %v/%d for %d s (%v)\n", p.MessageType(), p.YourAddr(), bits, lease, ok)
	_, ok = p.Uint16(wire.OptionMTU)
	fmt.Println("MTU:", ok)
	// Output:
	// ACK of 10.77.0.105/24 for 3600 s (true)
	// MTU: false
}

func ExampleError() {
	message := wire.NewBuilder(wire.OpReply, wire.HardwareEthernet, nil, 1).Bytes()
	_, err := wire.Parse(message[:200])
	var e *wire.Error
	if errors.As(err, &e) && e.Reason == wire.ReasonTooShort {
		fmt.Println(err)
	}
	// Output:
	// dhcp4: message too short at byte 200
}

func ExamplePacket_Options() {
	b := wire.NewBuilder(wire.OpRequest, wire.HardwareEthernet, []byte{2, 0, 0, 0, 0, 2}, 0x1234)
	b.AddMessageType(wire.Discover)
	b.AddText(wire.OptionHostName, "tenant")
	p, _ := wire.Parse(b.Bytes())
	for code, value := range p.Options() {
		fmt.Printf("%v: %q\n", code, value)
	}
	// Output:
	// message type: "\x01"
	// host name: "tenant"
}

func ExampleParseClasslessRoutes() {
	routes, err := wire.ParseClasslessRoutes([]byte{
		0, 10, 77, 0, 1, // the default route
		16, 10, 99, 0, 0, 0, 0, // on the link
	})
	fmt.Println(err)
	for _, r := range routes {
		fmt.Println(r.Destination, "via", r.Router)
	}
	// Output:
	// <nil>
	// 0.0.0.0/0 via 10.77.0.1
	// 10.99.0.0/16 via 0.0.0.0
}

func ExampleParseDomainSearch() {
	names, err := wire.ParseDomainSearch([]byte("\x03eng\x04test\x00\x03lab\xc0\x04"))
	fmt.Println(names, err)
	_, err = wire.ParseDomainSearch([]byte("\x01a\xc0\x00"))
	fmt.Println(err)
	// Output:
	// [eng.test lab.test] <nil>
	// dhcp4: compression pointer not backwards at byte 2
}
