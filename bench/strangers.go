package main

import (
	"fmt"
	"net"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/lessee/lessee/test/lab"
)

// measureStrangers counts how often a client with a lease is woken up by what is not for
// it: frames, and changes of routes by others; and how often it wakes up anyway.
func (b *bench) measureStrangers(t *trial, c *client) {
	s := newScene(t)
	s.lab.Cable(s.client, "c1", "02:00:00:00:00:03", s.server, "s1", "02:00:00:00:00:04")
	c.prepare(t, s.client, []string{"c0"})
	p := c.start(t, s.client, []string{"c0"})
	s.addressAfter(0)
	p.bound()
	// Whoever probes its new address does so for some seconds.
	time.Sleep(8 * time.Second)
	_ = s.packets.Close() // the observer would see them all
	receiving, open := 0, 0
	for _, p := range s.client.PacketSockets(t) {
		if p.Protocol != 0 {
			receiving++
			if p.Index == 0 {
				open++
			}
		}
	}
	b.sockets.add(c.name, float64(receiving))
	b.hooks.add(c.name, float64(open))

	b.window(s, c, &b.strangers, &b.quiet, b.frames, 1_000_000, func() error {
		return s.server.Do(func() error { return strangers(b.frames) })
	})
	script := s.client.Write(t, "routes", foreignRoutes(b.routes))
	b.window(s, c, &b.foreignRoutes, &b.quietRoutes, b.routes, 100_000, func() error {
		s.client.Run(t, "ip", "-batch", script)
		return nil
	})
}

// window counts the wake-ups of a client while f runs, and in as much time before: for
// each of n, times the unit.
func (b *bench) window(s *scene, c *client, busy, quiet *row, n int, unit float64, f func() error) {
	before := lab.WakeUps(s.client.Processes()...)
	began := time.Now()
	must(s.t, f())
	took := time.Since(began)
	busy.add(c.name, float64(lab.WakeUps(s.client.Processes()...)-before)/float64(n)*unit)
	s.t.Logf("%d in %v", n, took)
	before = lab.WakeUps(s.client.Processes()...)
	time.Sleep(took)
	quiet.add(c.name, float64(lab.WakeUps(s.client.Processes()...)-before)/float64(n)*unit)
}

// foreignRoutes is what `ip -batch` adds and removes: n changes of routes in a table of
// others, by another protocol, on the client's link.
func foreignRoutes(n int) string {
	var s strings.Builder
	for i := range n {
		verb, k := "add", i/2
		if i%2 == 1 {
			verb = "del"
		}
		fmt.Fprintf(&s, "route %s 198.18.%d.%d/32 dev c0 table 100 proto bird\n", verb, k>>8&0xff, k&0xff)
	}
	return s.String()
}

// strangers sends n frames: to the client's interface, of which a fifth are replies to
// it that it has not asked for, and a third of them to its other one.
func strangers(n int) error {
	near, err := framesTo("s0", clientMAC)
	if err != nil {
		return err
	}
	defer unix.Close(near.fd)
	far, err := framesTo("s1", "02:00:00:00:00:03")
	if err != nil {
		return err
	}
	defer unix.Close(far.fd)
	for i := range n {
		to := near
		if i%3 == 2 {
			to = far
		}
		if _, err := unix.Write(to.fd, to.frames[i/3%len(to.frames)]); err != nil {
			return fmt.Errorf("send a frame: %w", err)
		}
	}
	return nil
}

// A stranger has frames to send from an interface.
type stranger struct {
	fd     int
	frames [][]byte
}

// framesTo returns what is sent to the interface with that address.
func framesTo(ifname, mac string) (*stranger, error) {
	link, err := net.InterfaceByName(ifname)
	if err != nil {
		return nil, err
	}
	all := net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	other := net.HardwareAddr{2, 0, 0, 0, 0, 0x77}
	server, host := net.IPv4(10, 77, 0, 1), net.IPv4(10, 77, 200, 1)
	var replies [2]*dhcpv4.DHCPv4
	var discover *dhcpv4.DHCPv4
	for i, to := range []net.HardwareAddr{other, hw(mac)} {
		if discover, err = dhcpv4.NewDiscovery(to); err != nil {
			return nil, err
		}
		if replies[i], err = dhcpv4.NewReplyFromRequest(discover, dhcpv4.WithMessageType(dhcpv4.MessageTypeOffer),
			dhcpv4.WithYourIP(host), dhcpv4.WithServerIP(server)); err != nil {
			return nil, err
		}
	}
	if discover, err = dhcpv4.NewDiscovery(other); err != nil {
		return nil, err
	}
	ask := append(append(append([]byte{}, all...), other...), 8, 6, 0, 1, 8, 0, 6, 4, 0, 1)
	ask = append(append(ask, other...), host.To4()...)
	ask = append(append(ask, make([]byte, 6)...), net.IPv4(10, 77, 200, 2).To4()...)
	fd, err := packetSocket(link.Index)
	if err != nil {
		return nil, err
	}
	return &stranger{fd, [][]byte{
		frame(other, all, net.IPv4zero, net.IPv4bcast, dhcpv4.ClientPort, dhcpv4.ServerPort, discover.ToBytes()),
		frame(link.HardwareAddr, all, server, net.IPv4bcast, dhcpv4.ServerPort, dhcpv4.ClientPort, replies[0].ToBytes()),
		frame(link.HardwareAddr, hw(mac), server, host, dhcpv4.ServerPort, dhcpv4.ClientPort, replies[1].ToBytes()),
		ask,
		frame(other, all, host, net.IPv4bcast, 5353, 5353, make([]byte, 200)),
	}}, nil
}
