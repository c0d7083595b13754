package main

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// measureStrangers sends frames that are not for the client past one with a
// lease, and counts how often it was woken up. They are what a busy network
// broadcasts: DHCP of other hosts in both directions, ARP for other hosts, other
// UDP.
func (b *bench) measureStrangers(t *trial, c *client) {
	s := newScene(t)
	c.prepare(t, s.client, []string{"c0"})
	p := c.start(t, s.client, []string{"c0"})
	s.addressAfter(0)
	p.bound()
	// Whoever probes its new address does so for some seconds.
	time.Sleep(8 * time.Second)
	_ = s.packets.Close() // the observer would see them all
	before := wakeUps(s.client.Processes())
	began := time.Now()
	err := s.server.Do(func() error { return strangers(b.frames) })
	if err != nil {
		t.Fatalf("%v", err)
	}
	took := time.Since(began)
	idle := wakeUps(s.client.Processes()) - before
	b.strangers.add(c.name, float64(idle)/float64(b.frames)*1e6)
	t.Logf("%d frames in %v", b.frames, took)
}

// strangers sends n frames from s0.
func strangers(n int) error {
	link, err := net.InterfaceByName("s0")
	if err != nil {
		return err
	}
	fd, err := packetSocket(link.Index)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	all := net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	other := net.HardwareAddr{2, 0, 0, 0, 0, 0x77}
	server, host := net.IPv4(10, 77, 0, 1), net.IPv4(10, 77, 200, 1)
	discover, err := dhcpv4.NewDiscovery(other)
	if err != nil {
		return err
	}
	offer, err := dhcpv4.NewReplyFromRequest(discover, dhcpv4.WithMessageType(dhcpv4.MessageTypeOffer),
		dhcpv4.WithYourIP(host), dhcpv4.WithServerIP(server))
	if err != nil {
		return err
	}
	ask := append(append(append([]byte{}, all...), other...), 8, 6, 0, 1, 8, 0, 6, 4, 0, 1)
	ask = append(append(ask, other...), host.To4()...)
	ask = append(append(ask, make([]byte, 6)...), net.IPv4(10, 77, 200, 2).To4()...)
	frames := [][]byte{
		frame(other, all, net.IPv4zero, net.IPv4bcast, dhcpv4.ClientPort, dhcpv4.ServerPort, discover.ToBytes()),
		frame(link.HardwareAddr, all, server, net.IPv4bcast, dhcpv4.ServerPort, dhcpv4.ClientPort, offer.ToBytes()),
		ask,
		frame(other, all, host, net.IPv4bcast, 5353, 5353, make([]byte, 200)),
	}
	for i := range n {
		if _, err := unix.Write(fd, frames[i%len(frames)]); err != nil {
			return fmt.Errorf("send a frame: %w", err)
		}
	}
	return nil
}

// wakeUps returns how often the threads of the processes went to sleep, which
// is as often as they were woken up.
func wakeUps(pids []int) int {
	sum := 0
	for _, pid := range pids {
		threads, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
		for _, th := range threads {
			b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/status", pid, th.Name()))
			for line := range strings.Lines(string(b)) {
				if v, ok := strings.CutPrefix(line, "voluntary_ctxt_switches:"); ok {
					n, _ := strconv.Atoi(strings.TrimSpace(v))
					sum += n
				}
			}
		}
	}
	return sum
}
