package dhcp4_test

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/lessee/lessee/wire/dhcp4"
)

type ack struct {
	messageType                     dhcp4.MessageType
	server, mask, your              netip.Addr
	lease, renew, rebind            uint32
	haveServer, haveMask, haveLease bool
}

func readFixed(b []byte) (a ack, err error) {
	p, err := dhcp4.Parse(b)
	if err != nil {
		return ack{}, err
	}
	a.messageType, a.your = p.MessageType(), p.YourAddr()
	a.server, a.haveServer = p.Addr(dhcp4.OptionServerID)
	a.mask, a.haveMask = p.Addr(dhcp4.OptionSubnetMask)
	a.lease, a.haveLease = p.Uint32(dhcp4.OptionLeaseTime)
	a.renew, _ = p.Uint32(dhcp4.OptionT1)
	a.rebind, _ = p.Uint32(dhcp4.OptionT2)
	return a, nil
}

func TestParseDoesNotAllocate(t *testing.T) { // AllocsPerRun must not run beside other tests
	for _, name := range []string{"dnsmasq-ack", "dhcpd-ack-overload", "kea-ack-long", "udhcpd-ack"} {
		b := loadMessage(t, name)
		var bytesSeen int
		if n := testing.AllocsPerRun(100, func() {
			a, err := readFixed(b)
			if err != nil || !a.haveServer || !a.haveMask || !a.haveLease {
				t.Fatal(a, err)
			}
			p, _ := dhcp4.Parse(b)
			p.Uint16(dhcp4.OptionMTU)
			p.Uint8(dhcp4.OptionOverload)
			v, _ := p.Option(dhcp4.OptionDomainName)
			bytesSeen += len(v) + len(p.HardwareAddr())
			for _, v := range p.Options() {
				bytesSeen += len(v)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// BenchmarkParseACK measures the same message side by side with another codec.
func BenchmarkParseACK(b *testing.B) {
	m := loadMessage(b, "kea-ack")
	b.Run("parse/lessee", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := dhcp4.Parse(m); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parse/insomniacslk", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := dhcpv4.FromBytes(m); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read/lessee", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if a, err := readFixed(m); err != nil || a.lease != 4000 || a.rebind != 3000 {
				b.Fatal(a, err)
			}
		}
	})
	b.Run("read/insomniacslk", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			p, err := dhcpv4.FromBytes(m)
			if err != nil {
				b.Fatal(err)
			}
			if p.MessageType() != dhcpv4.MessageTypeAck || p.ServerIdentifier() == nil || p.SubnetMask() == nil || p.YourIPAddr == nil ||
				p.IPAddressLeaseTime(0) != 4000*time.Second || p.IPAddressRenewalTime(0) == 0 ||
				binary.BigEndian.Uint32(p.Options[59]) != 3000 {
				b.Fatal(p)
			}
		}
	})
}

func BenchmarkBuildDiscover(b *testing.B) {
	params := []byte{1, 3, 6, 12, 15, 26, 28, 51, 58, 59, 119, 121}
	b.ReportAllocs()
	for b.Loop() {
		m := dhcp4.NewBuilder(dhcp4.OpRequest, dhcp4.HardwareEthernet, hardware, 1)
		m.AddMessageType(dhcp4.Discover)
		m.AddOption(dhcp4.OptionParameterList, params)
		m.AddUint16(dhcp4.OptionMaxMessageSize, 1472)
		if len(m.Bytes()) != dhcp4.MinLength {
			b.Fatal("length")
		}
	}
}
