package test

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"golang.org/x/sys/unix"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/test/lab"
	"github.com/lessee/lessee/wire/arp"
)

const decline = dhcpv4.MessageTypeDecline

// conflictModes are the configurations that look for conflicts.
var conflictModes = []string{"optimistic", "probe"}

func conflictMode(mode string) lab.Options {
	return lab.Options{Args: []string{"c0"}, Config: "[defaults]\nconflict = \"" + mode + "\"\n"}
}

// isProbe and isAnnouncement tell the client's ARP packets about an address
// (RFC 5227 section 1.1).
func isProbe(p lab.Packet, a netip.Addr) bool {
	return p.FromStation && p.ARP != nil && p.ARP.Op == 1 && p.ARP.SenderIP.IsUnspecified() && p.ARP.TargetIP == a
}

func isAnnouncement(p lab.Packet, a netip.Addr) bool {
	return p.FromStation && p.ARP != nil && p.ARP.Op == 1 && p.ARP.SenderIP == a && p.ARP.TargetIP == a
}

// declined awaits the DECLINE of an address and checks what is in it (RFC 2131
// table 5).
func (h *home) declined(t *testing.T, mark int, a netip.Addr) int {
	t.Helper()
	p, next := h.cap.AwaitClient(mark, patience, decline)
	if ip, _ := netip.AddrFromSlice(p.DHCP.RequestedIPAddress().To4()); ip != a || p.DHCP.ServerIdentifier().String() != "10.77.0.1" ||
		!p.DHCP.ClientIPAddr.IsUnspecified() || !p.Src.IsUnspecified() || p.BadChecksum {
		t.Errorf("the DECLINE of %v is %v", a, p)
	}
	return next
}

// TestConflictDeclined has another host take the address that the server is
// going to give: it is declined, and another one obtained.
func TestConflictDeclined(t *testing.T) {
	t.Parallel()
	for _, mode := range conflictModes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			// udhcpd asks the link itself before it gives an address.
			someKinds(t, func(k *lab.Kind) bool { return k.Name != "udhcpd" }, func(t *testing.T, kind *lab.Kind) {
				h := newHome(t, kind, lab.Config{})
				d := h.client.ReadyDaemon(t, conflictMode(mode))
				before := d.AwaitBound(t, "c0").IPv4.Address
				d.Must(t, "release", "c0")
				h.net.Host("other", before.String())

				mark, kernel, events := h.cap.Mark(), h.changes.Mark(), d.Events.Mark()
				r := d.CLI(t, "renew", "c0", "--timeout", "60s")
				if r.Status != 0 {
					t.Fatalf("renew: %s", r.Stderr)
				}
				offered, _ := h.cap.AwaitServer(mark, patience, ack)
				if leased(offered) != before.Addr() {
					t.Fatalf("the server gives %v, not %v again: the test shows nothing", leased(offered), before)
				}
				probe, _ := h.cap.Await(mark, patience, "probe", func(p lab.Packet) bool { return isProbe(p, before.Addr()) })
				if probe.ARP.SenderMAC.String() != mac {
					t.Errorf("the probe is from %v", probe.ARP.SenderMAC)
				}
				h.declined(t, mark, before.Addr())
				e, _ := d.AwaitEvent(t, events, patience, lessee.EventConflict)
				if e.Address != before {
					t.Errorf("the conflict is about %v", e.Address)
				}
				// With "optimistic" the answer may have come after the address was in
				// use, and after the caller was answered: then another one follows.
				now := d.Show(t, "c0")
				lab.Eventually(2*patience, func() bool {
					now = d.Show(t, "c0")
					return now.IPv4.State == "bound" && now.IPv4.Address != before
				})
				if now.IPv4.State != "bound" || now.IPv4.Address.Addr() == before.Addr() || !h.has(now.IPv4.Address.Addr()) || h.has(before.Addr()) {
					t.Errorf("after it: %+v, the kernel has %v", now.IPv4, h.client.Addresses("c0"))
				}
				used := h.changes.Select(kernel, func(c lab.AddressChange) bool { return c.Prefix.Addr() == before.Addr() })
				if mode == "probe" && len(used) > 0 {
					t.Errorf("the address was used: %v", used)
				}
				if len(h.cap.Select(mark, func(p lab.Packet) bool { return p.Client(decline) })) != 1 {
					t.Error("there was more than one DECLINE")
				}
			})
		})
	}
}

// TestConflictOff checks that nobody is asked where that is not wanted.
func TestConflictOff(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	d := h.client.ReadyDaemon(t, conflictMode("off"))
	before := d.AwaitBound(t, "c0").IPv4.Address
	d.Must(t, "release", "c0")
	h.net.Host("other", before.String())
	d.Must(t, "renew", "c0")
	if now := d.Show(t, "c0").IPv4.Address; now != before {
		t.Errorf("obtained %v, want %v as before", now, before)
	}
	h.cap.Mark()
	if arps := h.cap.Select(0, func(p lab.Packet) bool {
		return isProbe(p, before.Addr()) || isAnnouncement(p, before.Addr()) || p.Client(decline)
	}); len(arps) > 0 {
		t.Errorf("sent: %v", arps)
	}
}

// TestConflictOfOnlyAddress checks what a renewal comes to where the server has
// nothing to give but an address that another host uses.
func TestConflictOfOnlyAddress(t *testing.T) {
	t.Parallel()
	for _, mode := range conflictModes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			h := newHome(t, dnsmasq(), lab.Config{First: addr("10.77.0.100"), Last: addr("10.77.0.100")})
			h.net.Host("other", "10.77.0.100/24")
			d := h.client.ReadyDaemon(t, conflictMode(mode))
			events := d.Events.Mark()
			r := d.CLI(t, "renew", "c0", "--timeout", "60s")
			if mode == "optimistic" && r.Status == 0 {
				// The caller was quicker than the host that has the address; it is
				// given up all the same.
				d.AwaitEvent(t, events, patience, lessee.EventConflict)
			} else if r.Status != 1 || !contains(r.Stderr, "ERROR_DHCP_ADDRESS_CONFLICT 4100") || !contains(r.Stderr, "10.77.0.100") {
				t.Errorf("renew: status %d, %q", r.Status, r.Stderr)
			}
			if !lab.Eventually(patience, func() bool { return !h.has(addr("10.77.0.100")) }) {
				t.Errorf("the address is used: %v", h.client.Addresses("c0"))
			}
			h.declined(t, 0, addr("10.77.0.100"))
			// It goes on, but not in haste (RFC 2131 section 3.1, step 5).
			h.cap.Mark()
			if n := len(h.cap.Select(0, func(p lab.Packet) bool { return p.Client(decline) })); n > 4 {
				t.Errorf("%d DECLINEs in %v", n, r.Took)
			}
		})
	}
}

// claim has a host say that it has the address, as one that was just configured.
func claim(t *testing.T, s *lab.Space, hw net.HardwareAddr, a netip.Addr) {
	t.Helper()
	err := s.Do(func() error {
		link, err := s.Net.LinkByName("s0")
		if err != nil {
			return err
		}
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		return unix.Sendto(fd, arp.Append(nil, arp.Announcement(arp.HardwareAddr(hw), a)), 0, &unix.SockaddrLinklayer{
			Protocol: htons(unix.ETH_P_ARP), Ifindex: link.Attrs().Index, Halen: 6, Addr: [8]byte{255, 255, 255, 255, 255, 255},
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestConflictDefended has another host claim an address that is in use: it is
// told once whose it is (RFC 5227 section 2.4). When it insists, the address is
// given up.
func TestConflictDefended(t *testing.T) {
	t.Parallel()
	for _, mode := range conflictModes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			h := newHome(t, dnsmasq(), lab.Config{})
			d := h.client.ReadyDaemon(t, conflictMode(mode))
			before := d.AwaitBound(t, "c0").IPv4.Address
			// Its own announcements are over.
			mark := 0
			for range 2 {
				_, mark = h.cap.Await(mark, patience, "announcement", func(p lab.Packet) bool { return isAnnouncement(p, before.Addr()) })
			}
			other := h.net.Host("other", "10.77.0.77/24")
			hw := net.HardwareAddr{2, 0, 0, 0, 9, 9}
			mark = h.cap.Mark()
			events := d.Events.Mark()
			claim(t, other, hw, before.Addr())
			defence, next := h.cap.Await(mark, patience, "defence", func(p lab.Packet) bool { return isAnnouncement(p, before.Addr()) })
			if defence.DstMAC.String() != everyone.String() {
				t.Errorf("the defence goes to %v", defence.DstMAC)
			}
			d.AwaitEvent(t, events, patience, lessee.EventDefended)
			h.keeps(t, 0, before.Addr())
			if d.Show(t, "c0").IPv4.Address != before {
				t.Error("the address is not shown any more")
			}

			claim(t, other, hw, before.Addr())
			h.declined(t, next, before.Addr())
			d.AwaitEvent(t, events, patience, lessee.EventConflict)
			if _, _, ok := h.changes.Wait(0, patience, func(c lab.AddressChange) bool { return c.Removed && c.Prefix == before }); !ok {
				t.Error("the address is still there")
			}
			// Once its pause is over it finds another.
			now := d.AwaitState(t, "c0", time.Minute, "bound")
			if now.IPv4.Address == before {
				t.Errorf("it has %v again", before)
			}
		})
	}
}

// TestConflictStorm floods the link with claims of the leased address. They are
// defended against once; what is left costs next to nothing.
func TestConflictStorm(t *testing.T) {
	t.Parallel()
	v, client := newVillain(t)
	v.serve(true)
	d := client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}, Quiet: true})
	a := d.AwaitBound(t, "c0").IPv4.Address.Addr()
	claim := append(append(append(net.HardwareAddr{}, everyone...), villainMAC...), 8, 6)
	claim = arp.Append(claim, arp.Announcement(arp.HardwareAddr(villainMAC), a))
	before, begin := usageOf(t, d.Pid()), time.Now()
	f := v.flood([]bullet{{frame: claim}})
	f.await(t, 200_000)
	f.end()
	took, now := time.Since(begin), usageOf(t, d.Pid())
	t.Logf("%d claims in %v: %v of CPU, %d MiB, woken %d times", f.sent.Load(), took, now.cpu-before.cpu, now.rss>>20, now.switches-before.switches)
	if now.cpu-before.cpu > 3*took/2 || now.rss > limit {
		t.Errorf("%v of CPU in %v, %d MiB", now.cpu-before.cpu, took, now.rss>>20)
	}
	if n := show(t, d).IPv4.Counters["sent.decline"]; n == 0 || n > 3 {
		t.Errorf("%d DECLINEs in %v", n, took)
	}
	// When it is over, an address is found again.
	d.AwaitState(t, "c0", time.Minute, "bound")
}
