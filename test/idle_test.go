package test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/test/lab"
	"github.com/lessee/lessee/wire/udp4"
)

// TestIdle checks that a daemon with a lease that waits for its renewal listens to ARP
// only, and that what is not for it does not wake it up: frames to its interface and to
// another one, and what other programs do to routes.
func TestIdle(t *testing.T) {
	t.Parallel()
	lab.Need(t, append(dnsmasq().Programs, "ip")...)
	l := lab.New(t)
	server, client := l.Space("server"), l.Space("client")
	l.Cable(client, "c0", mac, server, "s0", "02:00:00:00:00:01")
	l.Cable(client, "c1", "02:00:00:00:00:03", server, "s1", "02:00:00:00:00:04")
	server.AddAddress(t, "s0", "10.77.0.1/24")
	dnsmasq().Start(t, server, lab.Config{})
	d := client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}, Quiet: true})
	address := d.AwaitBound(t, "c0").IPv4.Address.Addr()

	// The socket of the exchange is closed soon, that of ARP is opened soon. It is bound to
	// the interface; not every kernel lists such a hook.
	listens := func() bool {
		receive := slices.DeleteFunc(client.PacketSockets(t), func(p lab.PacketSocket) bool { return p.Protocol == 0 })
		return len(receive) == 1 && receive[0].Protocol == unix.ETH_P_ARP && receive[0].Index != 0
	}
	if !lab.Eventually(patience, listens) {
		t.Fatalf("packet sockets: %+v", client.PacketSockets(t))
	}
	if hooks := client.PacketHooks(t); len(hooks) > 0 && !slices.Equal(hooks, []string{"0806 c0"}) {
		t.Errorf("frames of other interfaces are looked at: hooks %q", hooks)
	}
	// The address is announced twice (RFC 5227 section 2.3).
	awaitQuiet(t, d)

	for _, c := range []struct {
		what string
		n    int
		do   func(n int)
	}{
		{"frames to it", 20_000, func(n int) { sendForeign(t, server, "s0", mac, address, n) }},
		{"frames to another interface", 20_000, func(n int) { sendForeign(t, server, "s1", "02:00:00:00:00:03", address, n) }},
		{"changes of routes", 5000, func(n int) {
			var script strings.Builder
			for i := range n / 2 {
				route := fmt.Sprintf("198.18.%d.%d/32 dev c0 table 100 proto bird", i>>8, i&0xff)
				fmt.Fprintf(&script, "route add %s\nroute del %s\n", route, route)
			}
			client.Run(t, "ip", "-batch", client.Write(t, "routes", script.String()))
		}},
	} {
		before, began := lab.WakeUps(d.Pid()), time.Now()
		c.do(c.n)
		busy, took := lab.WakeUps(d.Pid())-before, time.Since(began)
		before = lab.WakeUps(d.Pid())
		time.Sleep(took)
		quiet := lab.WakeUps(d.Pid()) - before
		t.Logf("%d %s: %d wake-ups, %d in as much time without", c.n, c.what, busy, quiet)
		// What the runtime and a timer do by themselves is far less than one of the
		// frames each.
		if busy > quiet+c.n/100 {
			t.Errorf("%d %s wake the daemon up %d times", c.n, c.what, busy)
		}
	}
	d.Must(t, "renew", "c0")
}

// awaitQuiet waits until the daemon does not wake up for a while.
func awaitQuiet(t *testing.T, d *lab.Daemon) {
	t.Helper()
	for end := time.Now().Add(patience); ; {
		before := lab.WakeUps(d.Pid())
		time.Sleep(3 * time.Second)
		if lab.WakeUps(d.Pid()) == before {
			return
		}
		if time.Now().After(end) {
			t.Log("the daemon does not come to rest")
			return
		}
	}
}

// sendForeign sends n frames from an interface: an unasked DHCP reply to the address of
// the other end, one to all, and ARP questions for the leased address and for another.
func sendForeign(t *testing.T, s *lab.Space, from, to string, leased netip.Addr, n int) {
	t.Helper()
	toMAC, err := net.ParseMAC(to)
	if err != nil {
		t.Fatal(err)
	}
	err = s.Do(func() error {
		link, err := net.InterfaceByName(from)
		if err != nil {
			return err
		}
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		frames, err := foreignFrames(link.HardwareAddr, toMAC, leased)
		if err != nil {
			return err
		}
		for i := range n {
			for err = unix.ENOBUFS; errors.Is(err, unix.ENOBUFS); {
				err = unix.Sendto(fd, frames[i%len(frames)], 0, &unix.SockaddrLinklayer{Ifindex: link.Index})
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func foreignFrames(from, to net.HardwareAddr, leased netip.Addr) ([][]byte, error) {
	ask, err := dhcpv4.NewDiscovery(to)
	if err != nil {
		return nil, err
	}
	reply, err := dhcpv4.NewReplyFromRequest(ask, dhcpv4.WithMessageType(dhcpv4.MessageTypeAck), dhcpv4.WithYourIP(leased.AsSlice()))
	if err != nil {
		return nil, err
	}
	ether := func(dst net.HardwareAddr, protocol uint16, payload []byte) []byte {
		f := append(append([]byte{}, dst...), from...)
		return append(binary.BigEndian.AppendUint16(f, protocol), payload...)
	}
	datagram := func(to netip.Addr) ([]byte, error) {
		return udp4.Append(nil, udp4.Datagram{
			Source: netip.MustParseAddrPort("10.77.0.1:67"), Destination: netip.AddrPortFrom(to, 68), Payload: reply.ToBytes(),
		})
	}
	arp := func(sender, target netip.Addr) []byte {
		p := []byte{0, 1, 8, 0, 6, 4, 0, 1}
		p = append(append(p, from...), sender.AsSlice()...)
		return append(append(p, make([]byte, 6)...), target.AsSlice()...)
	}
	unicast, err := datagram(leased)
	if err != nil {
		return nil, err
	}
	broadcast, err := datagram(addr("255.255.255.255"))
	if err != nil {
		return nil, err
	}
	return [][]byte{
		ether(to, unix.ETH_P_IP, unicast),
		ether(everyone, unix.ETH_P_IP, broadcast),
		ether(everyone, unix.ETH_P_ARP, arp(addr("10.77.0.1"), leased)),
		ether(everyone, unix.ETH_P_ARP, arp(addr("10.77.0.7"), addr("10.77.0.8"))),
	}, nil
}
