package dhcptest

import (
	"net/netip"
	"testing"
	"time"

	"github.com/lessee/lessee/wire/arp"
	wire "github.com/lessee/lessee/wire/dhcp4"
	"github.com/lessee/lessee/wire/udp4"
)

func datagram(from, to netip.Addr, text string) udp4.Datagram {
	return udp4.Datagram{
		Source: netip.AddrPortFrom(from, 68), Destination: netip.AddrPortFrom(to, 67), Payload: []byte(text),
	}
}

func TestHostFindsTheNextHop(t *testing.T) {
	t.Parallel()
	w := New(1)
	l := w.NewLink("lan")
	a, b := l.NewHost(clientLink), l.NewHost(serverLink)
	a.Own(firstAddr)
	b.Own(serverAddr)
	var heard []Datagram
	b.Listen(67, func(d Datagram) { heard = append(heard, d) })
	frames := 0
	l.Tap(func(Frame) { frames++ })
	say := func(text string) {
		t.Helper()
		if err := a.Send(datagram(firstAddr, serverAddr, text)); err != nil {
			t.Fatal(err)
		}
	}
	say("one")
	say("two")
	if err := w.Run(time.Second); err != nil {
		t.Fatal(err)
	}
	if len(heard) != 2 || string(heard[1].Payload) != "two" || heard[1].Link != clientLink || frames != 4 {
		t.Fatalf("%d frames, heard %v", frames, heard)
	}
	say("three") // without ARP
	if err := w.Run(time.Second); err != nil {
		t.Fatal(err)
	}
	if len(heard) != 3 || frames != 5 {
		t.Fatalf("%d frames, heard %v", frames, heard)
	}
	// Somebody who does not answer.
	if err := a.Send(datagram(firstAddr, secondAddr, "lost")); err != nil {
		t.Fatal(err)
	}
	if err := w.Run(time.Minute); err != nil {
		t.Fatal(err)
	}
	b.Own(secondAddr)
	b.Announce(secondAddr)
	if err := w.Run(time.Minute); err != nil {
		t.Fatal(err)
	}
	if len(heard) != 3 {
		t.Errorf("heard %v", heard)
	}
	b.Unplug()
	if err := b.Send(datagram(serverAddr, firstAddr, "")); err == nil {
		t.Error("an unplugged host sends")
	}
	b.Plug(l)
	say("back")
	if err := w.Run(time.Second); err != nil {
		t.Fatal(err)
	}
	if len(heard) != 4 {
		t.Errorf("heard %v", heard)
	}
}

func TestHostOwnsAddresses(t *testing.T) {
	t.Parallel()
	w := New(1)
	l := w.NewLink("lan")
	a, b := l.NewHost(clientLink), l.NewHost(serverLink)
	b.Own(serverAddr, serverAddr)
	var heard []arp.Packet
	a.ListenARP(func(p arp.Packet, _ Frame) { heard = append(heard, p) })
	probe := func() int {
		t.Helper()
		heard = nil
		a.SendARP(arp.Probe(arp.HardwareAddr(clientLink), serverAddr), LinkBroadcast)
		if err := w.Run(time.Second); err != nil {
			t.Fatal(err)
		}
		return len(heard)
	}
	if probe() != 1 || heard[0].Op != arp.OpReply || heard[0].Sender != serverAddr || LinkAddr(heard[0].SenderHardware) != serverLink {
		t.Errorf("heard %v", heard)
	}
	b.Mute = true
	if probe() != 0 {
		t.Errorf("heard %v from a mute host", heard)
	}
	b.Mute = false
	b.Disown(serverAddr)
	if probe() != 0 || b.Owns(serverAddr) {
		t.Errorf("heard %v", heard)
	}
	b.Announce(secondAddr)
	if err := w.Run(time.Second); err != nil {
		t.Fatal(err)
	}
	if len(heard) != 1 || !heard[0].IsAnnouncement() || heard[0].Sender != secondAddr {
		t.Errorf("heard %v", heard)
	}
}

func TestFrameString(t *testing.T) {
	t.Parallel()
	b := wire.NewBuilder(wire.OpRequest, 1, clientLink[:], 0x1234)
	b.AddMessageType(wire.Request)
	b.SetClientAddr(firstAddr)
	b.AddAddr(wire.OptionRequestedAddress, secondAddr)
	b.AddAddr(wire.OptionServerID, serverAddr)
	b.AddUint32(wire.OptionLeaseTime, 60)
	ip, err := udp4.Append(nil, udp4.Datagram{
		Source: netip.AddrPortFrom(firstAddr, 68), Destination: netip.AddrPortFrom(serverAddr, 67), Payload: b.Bytes(),
	})
	if err != nil {
		t.Fatal(err)
	}
	const head = "02:00:00:00:00:02 > ff:ff:ff:ff:ff:ff: "
	for want, f := range map[string]Frame{
		"192.0.2.100:68 > 192.0.2.1:67 REQUEST xid 00001234 ciaddr 192.0.2.100 asks 192.0.2.101 server 192.0.2.1 lease 60s": {Type: EtherIPv4, Payload: ip},
		"udp4: packet too short": {Type: EtherIPv4},
		"arp: packet too short":  {Type: EtherARP},
		"ARP request 192.0.2.100 (02:00:00:00:00:02) asks 192.0.2.100": {
			Type: EtherARP, Payload: arp.Append(nil, arp.Announcement(arp.HardwareAddr(clientLink), firstAddr)),
		},
	} {
		f.From, f.To = clientLink, LinkBroadcast
		if got := f.String(); got != head+want {
			t.Errorf("%s\nwant %s", got, head+want)
		}
	}
}
