package dhcp4_test

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lessee/lessee/internal/golden"
	"github.com/lessee/lessee/wire/dhcp4"
	"github.com/lessee/lessee/wire/udp4"
)

// loadCapture returns the IP packet in a capture, and whether its UDP checksum is partial.
func loadCapture(tb testing.TB, name string) (packet []byte, partial bool) {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "captures", name+".hex"))
	if err != nil {
		tb.Fatal(err)
	}
	s, partial := strings.CutPrefix(string(text), "# partial checksum\n")
	packet, err = hex.DecodeString(strings.ReplaceAll(s, "\n", ""))
	if err != nil {
		tb.Fatal(err)
	}
	return packet, partial
}

// loadMessage returns the DHCP message in a capture.
func loadMessage(tb testing.TB, name string) []byte {
	tb.Helper()
	packet, partial := loadCapture(tb, name)
	d, err := udp4.Parse(packet, partial)
	if err != nil {
		tb.Fatal(err)
	}
	return d.Payload
}

func captures(tb testing.TB) []string {
	tb.Helper()
	files, err := filepath.Glob("testdata/captures/*.hex")
	if err != nil || len(files) < 25 {
		tb.Fatalf("%d captures, %v", len(files), err)
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(filepath.Base(f), ".hex")
	}
	return files
}

// Everything this package reads in each capture, as text.
func TestCaptures(t *testing.T) {
	t.Parallel()
	for _, name := range captures(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden.Check(t, "captures/"+name+".txt", dump(t, name))
		})
	}
}

func dump(t *testing.T, name string) string {
	t.Helper()
	packet, partial := loadCapture(t, name)
	d, err := udp4.Parse(packet, partial)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := udp4.Parse(packet, false); (err != nil) != partial {
		t.Errorf("full checksum: %v, marked partial: %v", err, partial)
	}
	p := mustParse(t, d.Payload)
	var s strings.Builder
	fmt.Fprintf(&s, "%v > %v ttl %d, %d bytes\n", d.Source, d.Destination, d.TTL, len(d.Payload))
	fmt.Fprintf(&s, "%v %v xid %08x secs %d broadcast %v htype %d %x hops %d\n", p.Op(), p.MessageType(), p.XID(), p.Secs(),
		p.Broadcast(), p.HardwareType(), p.HardwareAddr(), p.Hops())
	fmt.Fprintf(&s, "ciaddr %v yiaddr %v siaddr %v giaddr %v\n", p.ClientAddr(), p.YourAddr(), p.NextServer(), p.Relay())
	fmt.Fprintf(&s, "sname %q file %q\n", p.ServerName(), p.File())
	var seen []dhcp4.OptionCode
	for code, piece := range p.Options() {
		if !slices.Contains(seen, code) {
			seen = append(seen, code)
			fmt.Fprintf(&s, "%d %v: %s\n", uint8(code), code, value(t, p, code))
		} else {
			fmt.Fprintf(&s, "%d %v: %d bytes more\n", uint8(code), code, len(piece))
		}
	}
	return s.String()
}

// value writes an option's value as what it is.
func value(t *testing.T, p dhcp4.Packet, code dhcp4.OptionCode) string {
	t.Helper()
	v, _ := p.Option(code)
	switch code { // the others are shown in hexadecimal
	case dhcp4.OptionSubnetMask:
		mask, _ := p.Addr(code)
		bits, ok := dhcp4.MaskBits(mask)
		return fmt.Sprint(mask, " ", bits, " ", ok)
	case dhcp4.OptionRouter, dhcp4.OptionDNS, dhcp4.OptionBroadcast, dhcp4.OptionServerID, dhcp4.OptionNTP:
		addrs, ok := p.Addrs(code)
		return fmt.Sprint(addrs, " ", ok)
	case dhcp4.OptionLeaseTime, dhcp4.OptionT1, dhcp4.OptionT2:
		seconds, ok := p.Uint32(code)
		return fmt.Sprint(seconds, " ", ok)
	case dhcp4.OptionMTU:
		n, ok := p.Uint16(code)
		return fmt.Sprint(n, " ", ok)
	case dhcp4.OptionMessageType, dhcp4.OptionOverload:
		n, ok := p.Uint8(code)
		return fmt.Sprint(n, " ", ok)
	case dhcp4.OptionDomainName, dhcp4.OptionMessage, dhcp4.OptionRootPath, dhcp4.OptionBootFile, dhcp4.OptionTFTPServer:
		text, _ := p.Text(code)
		return fmt.Sprintf("%q", text)
	case dhcp4.OptionClasslessRoutes:
		routes, err := dhcp4.ParseClasslessRoutes(v)
		return fmt.Sprint(routes, " ", err)
	case dhcp4.OptionDomainSearch:
		names, err := dhcp4.ParseDomainSearch(v)
		return fmt.Sprint(names, " ", err)
	default:
		return hex.EncodeToString(v)
	}
}

// What the servers had been configured to say, told from their configuration
// and not from their packets.
func TestCapturesSayWhatWasConfigured(t *testing.T) {
	t.Parallel()
	routes := []dhcp4.Route{route("10.99.0.0/16", "10.77.0.1"), route("0.0.0.0/0", "10.77.0.1")}
	search := []string{"lab.test", "eng.lab.test", "corp.test"}
	for _, server := range []string{"dnsmasq", "dhcpd", "kea", "udhcpd"} {
		t.Run(server, func(t *testing.T) {
			t.Parallel()
			p := mustParse(t, loadMessage(t, server+"-ack"))
			if p.MessageType() != dhcp4.ACK || p.Op() != dhcp4.OpReply || string(p.HardwareAddr()) != string(hardware) {
				t.Error(p.MessageType(), p.Op(), p.HardwareAddr())
			}
			if a := p.YourAddr(); a.Less(addr("10.77.0.100")) || addr("10.77.0.150").Less(a) {
				t.Error("yiaddr:", a)
			}
			if id, ok := p.Addr(dhcp4.OptionServerID); !ok || id != addr("10.77.0.1") {
				t.Error("server identifier:", id, ok)
			}
			if s, ok := p.Uint32(dhcp4.OptionLeaseTime); !ok || s != 4000 {
				t.Error("lease time:", s, ok)
			}
			if mtu, ok := p.Uint16(dhcp4.OptionMTU); !ok || mtu != 1400 {
				t.Error("MTU:", mtu, ok)
			}
			if s, ok := p.Text(dhcp4.OptionDomainName); !ok || s != "lab.test" {
				t.Error("domain:", s, ok)
			}
			v, _ := p.Option(dhcp4.OptionClasslessRoutes)
			if got, err := dhcp4.ParseClasslessRoutes(v); err != nil || !slices.Equal(got, routes) {
				t.Error("routes:", got, err)
			}
			v, _ = p.Option(dhcp4.OptionDomainSearch)
			if got, err := dhcp4.ParseDomainSearch(v); err != nil || !slices.Equal(texts(got), search) {
				t.Error("search list:", got, err)
			}
			if p := mustParse(t, loadMessage(t, server+"-nak")); p.MessageType() != dhcp4.NAK || !p.YourAddr().IsUnspecified() {
				t.Error("NAK:", p.MessageType(), p.YourAddr())
			}
		})
	}
	for _, name := range []string{"dnsmasq-ack-overload", "dhcpd-ack-overload"} {
		p := mustParse(t, loadMessage(t, name))
		if s, ok := p.Text(dhcp4.OptionRootPath); !ok || s != "nfs/"+strings.Repeat("r", 90) {
			t.Errorf("%s: root path %q, %v", name, s, ok)
		}
		if _, ok := p.Option(dhcp4.OptionOverload); !ok || p.File() != "" {
			t.Errorf("%s: not overloaded, file %q", name, p.File())
		}
	}
	for _, name := range []string{"dhcpd-ack-long", "kea-ack-long"} {
		v, _ := mustParse(t, loadMessage(t, name)).Option(dhcp4.OptionClasslessRoutes)
		got, err := dhcp4.ParseClasslessRoutes(v)
		if err != nil || len(got) != 40 || got[0] != route("10.100.0.0/24", "10.77.0.1") || got[39] != route("10.100.39.0/24", "10.77.0.1") {
			t.Errorf("%s: %d routes, %v: %v", name, len(got), err, got)
		}
	}
}
