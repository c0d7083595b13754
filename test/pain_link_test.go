package test

import (
	"encoding/binary"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/test/lab"
	"github.com/lessee/lessee/wire/arp"
	"github.com/lessee/lessee/wire/udp4"
)

// frame returns an Ethernet frame.
func frame(to, from [6]byte, etherType uint16, payload []byte) []byte {
	f := append(append(make([]byte, 0, 14+len(payload)), to[:]...), from[:]...)
	return append(binary.BigEndian.AppendUint16(f, etherType), payload...)
}

// A sender sends frames from a machine's interface.
type sender struct {
	t  *testing.T
	fd int
	to *unix.SockaddrLinklayer
}

func newSender(t *testing.T, s *lab.Space, ifname string) *sender {
	t.Helper()
	link, err := s.Net.LinkByName(ifname)
	if err != nil {
		t.Fatal(err)
	}
	x := &sender{t: t, to: &unix.SockaddrLinklayer{Ifindex: link.Attrs().Index, Halen: 6}}
	if err := s.Do(func() (err error) {
		x.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(x.fd) })
	return x
}

func (x *sender) send(frames ...[]byte) {
	x.t.Helper()
	for _, f := range frames {
		if err := unix.Sendto(x.fd, f, 0, x.to); err != nil {
			x.t.Fatal(err)
		}
	}
}

// wakeups returns how often the threads of a process went to sleep until now:
// each time they had been woken up.
func wakeups(t *testing.T, pid int) int {
	t.Helper()
	tasks, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/status")
	if err != nil || len(tasks) == 0 {
		t.Fatalf("threads of %d: %v", pid, err)
	}
	sum := 0
	for _, name := range tasks {
		b, err := os.ReadFile(name)
		if err != nil {
			continue // the thread has ended
		}
		n, err := strconv.Atoi(field(b, "voluntary_ctxt_switches"))
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	return sum
}

// TestPain_insomniacslk576_ForeignTraffic checks that other hosts' traffic does not wake the daemon up,
// neither while it awaits an answer nor while it holds a lease and listens for
// conflicts (insomniacslk#576, incus#3382).
func TestPain_insomniacslk576_ForeignTraffic(t *testing.T) {
	t.Parallel()
	const rounds = 2_000
	h := newLink(t)
	all := [6]byte{255, 255, 255, 255, 255, 255}
	other := [6]byte{2, 0, 0, 0, 9, 9}
	us := [6]byte(h.port.MAC)
	// Whole packets: bridges drop those that are not.
	ip4, err := udp4.Append(nil, udp4.Datagram{
		Source: netip.MustParseAddrPort("192.0.2.1:53"), Destination: netip.MustParseAddrPort("192.0.2.2:5353"), Payload: make([]byte, 64),
	})
	if err != nil {
		t.Fatal(err)
	}
	ip6 := make([]byte, 40) // no next header
	ip6[0], ip6[6], ip6[7], ip6[8], ip6[24], ip6[39] = 0x60, 59, 64, 0xfe, 0xff, 1
	foreign := [][]byte{
		frame(all, other, 0x0800, ip4), frame(us, other, 0x0800, ip4), frame(us, other, 0x86dd, ip6),
		frame(us, other, 0x88b6, ip4), frame(all, other, 0x88b6, ip4),
	}
	from := newSender(t, h.server, "s0")
	asker := addr("10.99.0.0")
	flood := func(d *lab.Daemon, when string) {
		t.Helper()
		before := wakeups(t, d.Pid())
		mark := h.cap.Mark()
		at := mark
		for range rounds {
			// The last one tells that all have arrived; who was woken up goes to sleep again.
			asker = asker.Next()
			last := arp.Append(nil, arp.Packet{Op: arp.OpRequest, SenderHardware: other, Sender: asker, Target: addr("10.99.255.1")})
			from.send(append(slices.Clone(foreign), frame(us, other, 0x0806, last), frame(all, other, 0x0806, last))...)
			_, at = h.cap.Await(at, patience, "last foreign frame", func(p lab.Packet) bool { return p.ARP != nil && p.ARP.SenderIP == asker })
		}
		// What it does meanwhile on its own: timers, and the packets that it sends.
		own := rounds/4 + 50*len(h.cap.SentByClient(mark))
		if woken := wakeups(t, d.Pid()) - before; woken > own {
			t.Errorf("%s: %d rounds of foreign frames woke it up %d times", when, rounds, woken)
		}
	}
	d := h.client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}})
	h.cap.AwaitClient(0, patience, discover)
	flood(d, "while it awaits an offer")
	h.serve(t, dnsmasq(), lab.Config{})
	d.AwaitBound(t, "c0")
	flood(d, "with a lease")
}

// TestPain_turnkeylinux2103_NotDelayed checks that conflict detection, which is on by default,
// delays nothing: the address is used when the server has acknowledged it, and
// the link is asked at the same time (turnkeylinux#2103: 4 s at each boot).
func TestPain_turnkeylinux2103_NotDelayed(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	d, a := h.bound(t)
	address := a.IPv4.Address.Addr()
	granted, mark := h.cap.AwaitServer(0, patience, ack)
	has, _, ok := h.changes.Wait(0, patience, func(c lab.AddressChange) bool { return c.Prefix.Addr() == address && !c.Removed })
	if !ok {
		t.Fatal("no address")
	}
	if took := has.Time.Sub(granted.Time); took > time.Second {
		t.Errorf("the address was there %v after the ACK", took)
	}
	probe, _ := h.cap.Await(mark-1, patience, "probe", func(p lab.Packet) bool {
		return p.FromStation && p.ARP != nil && p.ARP.SenderIP == addr("0.0.0.0") && p.ARP.TargetIP == address
	})
	h.cap.Await(mark-1, patience, "announcement", func(p lab.Packet) bool {
		return announces(p, address)
	})
	if probe.Time.Before(granted.Time) {
		t.Errorf("the address was asked about at %v, granted at %v", probe.Time, granted.Time)
	}
	// Who has it already keeps it, all the same.
	old := h.net.Host("squatter", "10.77.0.250/24")
	d.Must(t, "release", "c0")
	old.AddAddress(t, "s0", address.String()+"/24")
	mark = h.cap.Mark()
	d.Must(t, "renew", "c0")
	declined, _ := h.cap.AwaitClient(mark, patience, dhcpv4.MessageTypeDecline)
	if got, _ := netip.AddrFromSlice(declined.DHCP.RequestedIPAddress().To4()); got != address {
		t.Errorf("declined: %v", declined)
	}
	if now := d.AwaitState(t, "c0", time.Minute, "bound"); now.IPv4.Address.Addr() == address {
		t.Errorf("still %v", now.IPv4)
	}
}

// announces reports whether the client announces the address.
func announces(p lab.Packet, address netip.Addr) bool {
	return p.FromStation && p.ARP != nil && p.ARP.Op == uint16(arp.OpRequest) && p.ARP.SenderIP == address && p.ARP.TargetIP == address
}
