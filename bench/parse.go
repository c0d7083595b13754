package main

import (
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	wire "github.com/lessee/lessee/wire/dhcp4"
)

// parse compares the codecs: the same ACK, as the server of this benchmark
// sends it, parsed and read for what a client needs.
func parse(w io.Writer) error {
	ack, err := sampleACK()
	if err != nil {
		return err
	}
	ours := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			p, err := wire.Parse(ack)
			if err != nil {
				b.Fatal(err)
			}
			if _, ok := p.Uint32(wire.OptionLeaseTime); !ok || p.MessageType() != wire.ACK {
				b.Fatal("not the ACK")
			}
		}
	})
	other := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			p, err := dhcpv4.FromBytes(ack)
			if err != nil {
				b.Fatal(err)
			}
			if p.IPAddressLeaseTime(0) != leaseTime || p.MessageType() != dhcpv4.MessageTypeAck {
				b.Fatal("not the ACK")
			}
		}
	})
	_, err = fmt.Fprintf(w, "\nParse an ACK: lessee %d ns, %d allocations; insomniacslk/dhcp %d ns, %d allocations (%.0fx).\n",
		ours.NsPerOp(), ours.AllocsPerOp(), other.NsPerOp(), other.AllocsPerOp(), float64(other.NsPerOp())/float64(max(ours.NsPerOp(), 1)))
	return err
}

func sampleACK() ([]byte, error) {
	discover, err := dhcpv4.NewDiscovery(net.HardwareAddr{2, 0, 0, 0, 0, 2})
	if err != nil {
		return nil, err
	}
	server := net.IPv4(10, 77, 0, 1)
	r, err := dhcpv4.NewReplyFromRequest(discover,
		dhcpv4.WithMessageType(dhcpv4.MessageTypeAck), dhcpv4.WithYourIP(net.IPv4(10, 77, 1, 0)), dhcpv4.WithServerIP(server),
		dhcpv4.WithOption(dhcpv4.OptServerIdentifier(server)),
		dhcpv4.WithOption(dhcpv4.OptSubnetMask(net.CIDRMask(16, 32))),
		dhcpv4.WithOption(dhcpv4.OptRouter(server)),
		dhcpv4.WithLeaseTime(uint32(leaseTime/time.Second)))
	if err != nil {
		return nil, err
	}
	return r.ToBytes(), nil
}
