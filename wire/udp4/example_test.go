package udp4_test

import (
	"fmt"
	"net/netip"

	"github.com/lessee/lessee/wire/udp4"
)

func Example() {
	packet, err := udp4.Append(nil, udp4.Datagram{
		Source:      netip.MustParseAddrPort("0.0.0.0:68"),
		Destination: netip.MustParseAddrPort("255.255.255.255:67"),
		Payload:     []byte("a DHCP message"),
	})
	fmt.Println(len(packet), err)

	d, err := udp4.Parse(packet, false)
	fmt.Printf("%v > %v: %q %v\n", d.Source, d.Destination, d.Payload, err)

	packet[30] ^= 1
	_, err = udp4.Parse(packet, false)
	fmt.Println(err)
	// Output:
	// 42 <nil>
	// 0.0.0.0:68 > 255.255.255.255:67: "a DHCP message" <nil>
	// udp4: bad UDP checksum
}
