package dhcp4_test

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"github.com/lessee/lessee/wire/dhcp4"
)

// The bytes of a DISCOVER, written out by hand from RFC 2131 figure 1.
func TestBuildDiscover(t *testing.T) {
	t.Parallel()
	b := dhcp4.NewBuilder(dhcp4.OpRequest, dhcp4.HardwareEthernet, hardware, 0xdeadbeef)
	b.SetHops(1)
	b.SetSecs(2)
	b.SetBroadcast(true)
	b.AddMessageType(dhcp4.Discover)
	b.AddUint16(dhcp4.OptionMaxMessageSize, 1472)
	b.AddUint32(dhcp4.OptionLeaseTime, 0x89abcdef)
	got := b.Bytes()

	want := make([]byte, 300)
	copy(want, []byte{1, 1, 6, 1, 0xde, 0xad, 0xbe, 0xef, 0, 2, 0x80, 0})
	copy(want[28:], hardware)
	copy(want[236:], []byte{99, 130, 83, 99, 53, 1, 1, 57, 2, 5, 0xc0, 51, 4, 0x89, 0xab, 0xcd, 0xef, 255})
	if !bytes.Equal(got, want) {
		t.Errorf("got  %x\nwant %x", got, want)
	}
	b.SetBroadcast(false)
	if again := b.Bytes(); again[10] != 0 || &again[0] == &got[0] || got[10] != 0x80 {
		t.Error("Bytes did not make a new slice, or flag B did not go")
	}
}

func TestBuildAddresses(t *testing.T) {
	t.Parallel()
	b := dhcp4.NewBuilder(dhcp4.OpReply, dhcp4.HardwareEthernet, hardware, 1)
	b.SetClientAddr(addr("10.0.0.1"))
	b.SetYourAddr(addr("::ffff:10.0.0.2"))
	b.SetNextServer(addr("10.0.0.3"))
	b.SetRelay(addr("10.0.0.4"))
	b.AddAddr(dhcp4.OptionDNS, addr("10.0.0.5"), addr("fe80::1"), netip.Addr{})
	b.AddAddr(dhcp4.OptionNTP)
	p := mustParse(t, b.Bytes())
	if _, ok := p.Option(dhcp4.OptionNTP); ok {
		t.Error("no addresses became an option")
	}
	if p.ClientAddr() != addr("10.0.0.1") || p.YourAddr() != addr("10.0.0.2") ||
		p.NextServer() != addr("10.0.0.3") || p.Relay() != addr("10.0.0.4") {
		t.Error("header:", p.ClientAddr(), p.YourAddr(), p.NextServer(), p.Relay())
	}
	dns, _ := p.Addrs(dhcp4.OptionDNS)
	if len(dns) != 3 || dns[0] != addr("10.0.0.5") || !dns[1].IsUnspecified() || !dns[2].IsUnspecified() {
		t.Error("DNS:", dns)
	}
	b.SetClientAddr(addr("fe80::1"))
	if p := mustParse(t, b.Bytes()); !p.ClientAddr().IsUnspecified() {
		t.Error("an IPv6 address became", p.ClientAddr())
	}
}

// RFC 3396 section 5: no piece is longer than 255 bytes.
func TestBuildLongOption(t *testing.T) {
	t.Parallel()
	for size, pieces := range map[int]int{0: 1, 1: 1, 255: 1, 256: 2, 510: 2, 511: 3, 2000: 8} {
		value := bytes.Repeat([]byte("0123456789"), 200)[:size]
		b := dhcp4.NewBuilder(dhcp4.OpRequest, dhcp4.HardwareEthernet, hardware, 1)
		b.AddOption(dhcp4.OptionVendorSpecific, value)
		p := mustParse(t, b.Bytes())
		n := 0
		for range p.Options() {
			n++
		}
		if got, ok := p.Option(dhcp4.OptionVendorSpecific); !ok || n != pieces || !bytes.Equal(got, value) {
			t.Errorf("%d bytes came back as %d in %d pieces, want %d", size, len(got), n, pieces)
		}
	}
}

func TestBuildText(t *testing.T) {
	t.Parallel()
	b := dhcp4.NewBuilder(dhcp4.OpReply, dhcp4.HardwareEthernet, hardware, 1)
	b.SetServerName(strings.Repeat("s", 100))
	b.SetServerName("boot")
	b.SetFile(strings.Repeat("f", 200))
	b.AddText(dhcp4.OptionHostName, "tenant")
	p := mustParse(t, b.Bytes())
	host, _ := p.Text(dhcp4.OptionHostName)
	if p.ServerName() != "boot" || p.File() != strings.Repeat("f", 127) || host != "tenant" {
		t.Errorf("sname %q, file %q, host name %q", p.ServerName(), p.File(), host)
	}
}

func TestBuildIgnoresPadAndEnd(t *testing.T) {
	t.Parallel()
	b := dhcp4.NewBuilder(dhcp4.OpReply, dhcp4.HardwareEthernet, hardware, 1)
	b.AddOption(dhcp4.OptionEnd, []byte{1})
	b.AddOption(dhcp4.OptionPad, []byte{1})
	b.AddMessageType(dhcp4.ACK)
	if got := mustParse(t, b.Bytes()).MessageType(); got != dhcp4.ACK {
		t.Error("the option after END is", got)
	}
}

// RFC 4390 section 2.1: InfiniBand's 20 bytes do not fit.
func TestBuildLongHardwareAddress(t *testing.T) {
	t.Parallel()
	b := dhcp4.NewBuilder(dhcp4.OpRequest, dhcp4.HardwareInfiniBand, make([]byte, 20), 1)
	p := mustParse(t, b.Bytes())
	if p.HardwareType() != 32 || len(p.HardwareAddr()) != 0 {
		t.Errorf("htype %d, chaddr %x", p.HardwareType(), p.HardwareAddr())
	}
	b = dhcp4.NewBuilder(dhcp4.OpRequest, dhcp4.HardwareEthernet, make([]byte, 16), 1)
	if p := mustParse(t, b.Bytes()); len(p.HardwareAddr()) != 16 {
		t.Errorf("chaddr %x", p.HardwareAddr())
	}
}

// Finish returns what Bytes does, below the least length, at it and above.
func TestBuildFinish(t *testing.T) {
	t.Parallel()
	for size := range 2 * dhcp4.MinLength {
		b := dhcp4.NewBuilder(dhcp4.OpRequest, dhcp4.HardwareEthernet, hardware, 1)
		b.AddOption(dhcp4.OptionMessage, make([]byte, size))
		want := b.Bytes()
		if got := b.Finish(); !bytes.Equal(got, want) {
			t.Fatalf("%d bytes:\ngot  %x\nwant %x", size, got, want)
		}
	}
}
