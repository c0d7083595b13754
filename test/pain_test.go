package test

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/test/lab"
)

// What users of other clients suffered from on real kernels and servers, as far
// as no other file of this package is about the same thing. docs/pains.md has
// the list.

// TestPain_systemd10820_ReleaseLeavesFirst checks that, whichever way a lease is given back, the
// RELEASE is on the wire before the address is gone (systemd#10820, #39299),
// also when the daemon is told to stop in the same instant: then the caller's
// answer is what happened.
func TestPain_systemd10820_ReleaseLeavesFirst(t *testing.T) {
	t.Parallel()
	order := func(t *testing.T, h *home, mark, kernel int, address netip.Addr) {
		t.Helper()
		rel, _ := h.cap.AwaitClient(mark, patience, release)
		checkRelease(t, h, rel, address)
		gone, _, ok := h.changes.Wait(kernel, patience, func(c lab.AddressChange) bool { return c.Removed })
		if !ok || rel.Time.After(gone.Time) {
			t.Errorf("the RELEASE left at %v, the address went with %v", rel.Time, gone)
		}
		h.dhcp.AwaitFreed(t, address)
	}
	for _, verb := range []string{"release", "down"} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			h := newHome(t, dnsmasq(), lab.Config{})
			d, a := h.bound(t)
			mark, kernel := h.cap.Mark(), h.changes.Mark()
			d.Must(t, verb, "c0")
			order(t, h, mark, kernel, a.IPv4.Address.Addr())
		})
	}
	t.Run("stop at the same time", func(t *testing.T) {
		t.Parallel()
		h := newHome(t, dnsmasq(), lab.Config{})
		for range 10 {
			d, a := h.bound(t)
			mark, kernel := h.cap.Mark(), h.changes.Mark()
			answer := make(chan error)
			go func() { answer <- d.Client.Release(context.Background(), "c0") }()
			if err := d.Stop(t); err != nil {
				t.Errorf("SIGTERM: %v", err)
			}
			err := <-answer
			if err == nil || h.cap.Mark() > mark && len(h.cap.SentByClient(mark)) > 0 {
				// It is done, whole, even if its caller heard that the daemon stopped.
				order(t, h, mark, kernel, a.IPv4.Address.Addr())
				h.takeBack(t)
				continue
			}
			if !errors.Is(err, errno.ERROR_PROC_NOT_FOUND) {
				t.Errorf("release: %v", err)
			}
			h.keeps(t, kernel, a.IPv4.Address.Addr()) // nothing happened
		}
	})
}

// takeBack takes a lease after a release, and leaves the address to the next daemon.
func (h *home) takeBack(t *testing.T) {
	t.Helper()
	d := h.client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}})
	d.Must(t, "renew", "c0")
	_ = d.Stop(t)
}

// TestPain_systemd1546_RebootKeepsTheLease checks that a machine that reboots asks for the address
// that it had, and gets it (systemd#1546, #37876, plugins#767: a new lease
// after each restart).
func TestPain_systemd1546_RebootKeepsTheLease(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{Router: addr("10.77.0.1")})
	d, a := h.bound(t)
	for i := range 3 {
		awaitPersisted(t, d)
		d.Crash()
		// What a reboot is to the daemon: no address, and another boot id.
		h.client.Run(t, "ip", "addr", "flush", "dev", "c0", "scope", "global")
		h.client.AwaitNoAddress(t, "c0", patience)
		id := h.client.Write(t, "boot-id", "00000000-0000-4000-8000-00000000000"+string(rune('1'+i))+"\n")
		if err := h.client.Do(func() error {
			return unix.Mount(id, "/proc/sys/kernel/random/boot_id", "", unix.MS_BIND, "")
		}); err != nil {
			t.Fatal(err)
		}
		mark := h.cap.Mark()
		d = h.client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}})
		again := d.AwaitBound(t, "c0")
		first := h.cap.SentByClient(mark)[0]
		if !first.Client(request) || !first.DHCP.RequestedIPAddress().Equal(a.IPv4.Address.Addr().AsSlice()) {
			t.Errorf("reboot %d: the first message is %v", i, first)
		}
		if again.IPv4.Address != a.IPv4.Address {
			t.Errorf("reboot %d: was %v, is %v", i, a.IPv4.Address, again.IPv4.Address)
		}
	}
	active := 0
	for _, l := range h.dhcp.Leases(t) {
		if l.Active {
			active++
		}
	}
	if active != 1 {
		t.Errorf("the server has %d leases for one machine: %v", active, h.dhcp.Leases(t))
	}
}

// TestPain_dhcpcd440_RoutesStay checks that no route is taken away, not even for an instant, when a
// lease is renewed at T1, rebound at T2, and renewed by call (dhcpcd#440,
// odhcp6c#157).
func TestPain_dhcpcd440_RoutesStay(t *testing.T) {
	t.Parallel()
	c := short
	c.Routes = []lab.Route{
		{Destination: prefix("0.0.0.0/0"), Via: addr("10.77.0.1")}, {Destination: prefix("10.99.0.0/16"), Via: addr("10.77.0.1")},
	}
	h := newHome(t, dnsmasq(), c)
	second := dnsmasq().Start(t, h.net.Host("second", "10.77.0.2/24"), c)
	second.Stop(t)
	d, _ := h.bound(t)
	routes := h.client.Routes("c0")
	if len(routes) != 3 {
		t.Fatalf("routes: %q", routes)
	}
	monitor := h.client.Start(t, "ip", "-4", "-o", "monitor", "route")
	awaitMonitor(t, h, monitor)
	_, mark := h.cap.AwaitServer(h.cap.Mark(), patience, ack) // T1
	h.dhcp.Stop(t)
	second.Inherit(t, h.dhcp)
	second.Resume(t)
	_, next := h.cap.Await(mark, patience, "broadcast REQUEST", func(p lab.Packet) bool {
		return p.Client(request) && p.Dst == addr("255.255.255.255")
	})
	h.cap.AwaitServer(next, patience, ack) // T2
	d.Must(t, "renew", "c0")
	awaitMonitor(t, h, monitor) // all is read
	for _, line := range monitor.Lines.Since(0) {
		if strings.HasPrefix(line, "Deleted") && strings.Contains(line, "c0") {
			t.Errorf("a route went: %s", line)
		}
	}
	if now := h.client.Routes("c0"); !equal(now, routes) {
		t.Errorf("routes were %q and are %q", routes, now)
	}
}

// awaitMonitor waits until `ip monitor` has told of a route that is made now.
func awaitMonitor(t *testing.T, h *home, monitor *lab.Process) {
	t.Helper()
	mark := monitor.Lines.Mark()
	if !lab.Eventually(patience, func() bool {
		h.client.Run(t, "ip", "route", "replace", "198.51.100.0/24", "dev", "lo")
		h.client.Run(t, "ip", "route", "del", "198.51.100.0/24", "dev", "lo")
		return len(monitor.Lines.Select(mark, func(l string) bool { return strings.HasPrefix(l, "Deleted 198.51.100.0/24") })) > 0
	}) {
		t.Fatal("ip monitor tells nothing")
	}
}

// TestPain_kubevirt2163_LinkStaysUp checks that an adapter whose lease cannot be renewed loses its
// address, and nothing else: nobody sets it down (kubevirt#2163).
func TestPain_kubevirt2163_LinkStaysUp(t *testing.T) {
	t.Parallel()
	h := newHome(t, lab.KindByName("kea"), lab.Config{Lease: 4 * time.Second, T1: time.Second, T2: 2 * time.Second})
	d, _ := h.bound(t)
	monitor := h.client.Start(t, "ip", "-o", "monitor", "link")
	h.dhcp.Stop(t)
	d.AwaitEvent(t, 0, patience, lessee.EventExpired)
	mark := h.cap.Mark()
	h.cap.AwaitClient(mark, patience, discover)
	if a := d.Show(t, "c0"); !a.Up || !a.Carrier || a.Manager != "lessee" {
		t.Errorf("%+v", a)
	}
	// A change of our own shows that the monitor has told all before it.
	_, _ = monitor.Lines.Mark(), h.client.SetUp("lo", false)
	monitor.AwaitLine(t, patience, ` lo: <LOOPBACK> `)
	for _, line := range monitor.Lines.Since(0) {
		if strings.Contains(line, "c0") && !strings.Contains(line, ",UP") {
			t.Errorf("somebody set it down: %s", line)
		}
	}
}

// TestPain_raspberrypi4092_OtherDefaultRouteStays checks that a default route that somebody else made is still
// there, and still goes first if its metric is lower (raspberrypi#4092,
// dhcpcd#90, #531).
func TestPain_raspberrypi4092_OtherDefaultRouteStays(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{Router: addr("10.77.0.1")})
	h.Network("uplink").Attach(h.client, "up0", "02:00:00:00:00:09")
	h.client.AddAddress(t, "up0", "192.0.2.2/24")
	h.client.Run(t, "ip", "route", "add", "default", "via", "192.0.2.1", "dev", "up0", "metric", "100")
	before := h.client.Routes("up0")
	d, _ := h.bound(t)
	d.Must(t, "renew", "c0")
	if got := bare(h.client.Routes("c0")); !equal(got, []string{"10.77.0.0/24", "default via 10.77.0.1"}) {
		t.Errorf("routes of c0: %q", got)
	}
	if out := h.client.Run(t, "ip", "route", "get", "203.0.113.9"); !strings.Contains(out, "dev up0") {
		t.Errorf("the way out is now %s", out)
	}
	d.Must(t, "release", "c0")
	if after := h.client.Routes("up0"); !equal(before, after) {
		t.Errorf("routes of up0 were %q and are %q", before, after)
	}
}

// TestPain_pipework104_NamespaceLeavesResolvConf checks that a client in a network namespace does not write the
// resolv.conf that it sees: it is the machine's (pipework#104, bitnami#1056).
func TestPain_pipework104_NamespaceLeavesResolvConf(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{DNS: []netip.Addr{addr("10.77.0.1")}, Domain: "lab.test"})
	path := h.client.Path("etc/resolv.conf")
	before := h.client.ResolvConf()
	was, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	d := h.client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}, Config: "[dns]\nmode = \"file\"\n"})
	if a := d.AwaitBound(t, "c0"); !slices.Equal(a.IPv4.DNS, []netip.Addr{addr("10.77.0.1")}) {
		t.Errorf("the lease has name servers %v", a.IPv4.DNS)
	}
	for _, verb := range []string{"renew", "release", "renew", "down"} {
		d.Must(t, verb, "c0")
		if is, err := os.Stat(path); err != nil || !os.SameFile(was, is) || !is.ModTime().Equal(was.ModTime()) || h.client.ResolvConf() != before {
			t.Fatalf("after %s: %v\n%s", verb, err, h.client.ResolvConf())
		}
	}
}

// TestPain_lxd7180_ClonesGetTwoAddresses checks that a machine that was cloned together with its
// leases, and that got a new link address, gets an address of its own
// (lxd#7180, systemd#9609).
func TestPain_lxd7180_ClonesGetTwoAddresses(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	d, a := h.bound(t)
	_ = d.Stop(t)
	clone := h.Space("clone")
	h.net.Attach(clone, "c0", "02:00:00:00:00:33")
	clone.Run(t, "cp", "-a", d.State, clone.Path("state"))
	d2 := clone.ReadyDaemon(t, lab.Options{Args: []string{"c0"}})
	d, a2 := h.client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}}), d2.AwaitBound(t, "c0")
	again := d.AwaitBound(t, "c0")
	if a2.IPv4.Address == a.IPv4.Address || again.IPv4.Address != a.IPv4.Address || a2.IPv4.ClientID == a.IPv4.ClientID {
		t.Errorf("the first machine had %v as %s and has %v, its clone %v as %s",
			a.IPv4.Address, a.IPv4.ClientID, again.IPv4.Address, a2.IPv4.Address, a2.IPv4.ClientID)
	}
	for _, address := range []netip.Prefix{a.IPv4.Address, a2.IPv4.Address} {
		h.dhcp.AwaitHeld(t, address.Addr())
	}
}

// TestPain_dhcpcd241_NamespacesSideBySide checks that adapters of one name in several network namespaces
// need nothing but a socket and a state directory each (dhcpcd#241,
// singularity#2925).
func TestPain_dhcpcd241_NamespacesSideBySide(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	const machines = 4
	var daemons [machines]*lab.Daemon
	var leases [machines]netip.Addr
	seen := map[netip.Addr]bool{}
	for i := range machines {
		s := h.Space("blue" + string(rune('a'+i)))
		h.net.Attach(s, "c0", "02:00:00:00:02:0"+string(rune('0'+i)))
		daemons[i] = s.ReadyDaemon(t, lab.Options{Args: []string{"c0"}})
		leases[i] = daemons[i].AwaitBound(t, "c0").IPv4.Address.Addr()
		if seen[leases[i]] {
			t.Fatalf("%v is there twice", leases[i])
		}
		seen[leases[i]] = true
	}
	daemons[0].Must(t, "release", "c0")
	h.dhcp.AwaitFreed(t, leases[0])
	daemons[1].Must(t, "renew", "c0")
	for i, d := range daemons[1:] {
		if a := d.Show(t, "c0"); a.IPv4.State != "bound" || a.IPv4.Address.Addr() != leases[i+1] {
			t.Errorf("machine %d: %+v", i+1, a.IPv4)
		}
	}
}

// TestPain_CVE_2024_3661_RoutesAreOurs checks that a server's classless routes have no effect where the
// adapter's policy says so (TunnelVision).
func TestPain_CVE_2024_3661_RoutesAreOurs(t *testing.T) {
	t.Parallel()
	rogue := lab.Config{Router: addr("10.77.0.1"), Routes: []lab.Route{
		{Destination: prefix("0.0.0.0/1"), Via: addr("10.77.0.66")}, {Destination: prefix("128.0.0.0/1"), Via: addr("10.77.0.66")},
	}}
	for policy, want := range map[string][]string{
		"all":          {"0.0.0.0/1 via 10.77.0.66", "10.77.0.0/24", "128.0.0.0/1 via 10.77.0.66"},
		"no-classless": {"10.77.0.0/24", "default via 10.77.0.1"},
		"gateway":      {"10.77.0.0/24"},
		"none":         {"10.77.0.0/24"},
	} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			h := newHome(t, dnsmasq(), rogue)
			d := h.client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}, Config: "[adapter.c0]\nroutes = \"" + policy + "\"\n"})
			d.AwaitState(t, "c0", patience, "bound")
			d.Must(t, "renew", "c0") // its answer comes when all is in place
			if got := bare(h.client.Routes("c0")); !equal(got, want) {
				t.Errorf("routes: %q, want %q", got, want)
			}
		})
	}
}

// TestPain_dhcpcd421_NoSyscallList checks that the daemon has no list of system calls of its own:
// what a new libc or kernel does instead of an old call does not kill it
// (dhcpcd#421, #450, #497). The unit file confines it by groups of calls, and
// lets those that are not in them fail.
func TestPain_dhcpcd421_NoSyscallList(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	d, _ := h.bound(t)
	own, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	status, err := os.ReadFile("/proc/" + strconv.Itoa(d.Pid()) + "/status")
	if err != nil {
		t.Fatal(err)
	}
	if was, is := field(own, "Seccomp"), field(status, "Seccomp"); was != is || is == "" {
		t.Errorf("it confined itself: seccomp %q, its parent has %q", is, was)
	}
	unit, err := os.ReadFile("../packaging/systemd/lessee.service")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(unit)) {
		if list, ok := strings.CutPrefix(strings.TrimSpace(line), "SystemCallFilter="); ok {
			for _, word := range strings.Fields(list) {
				if !strings.HasPrefix(word, "@") && !strings.HasPrefix(word, "~@") {
					t.Errorf("the unit file lists the system call %s", word)
				}
			}
		}
	}
	if !strings.Contains(string(unit), "\nSystemCallErrorNumber=EPERM\n") {
		t.Error("the unit file has calls kill the daemon")
	}
}

// field returns a field of /proc/PID/status.
func field(status []byte, name string) string {
	for line := range strings.Lines(string(status)) {
		if v, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// TestPain_networkd_NoReleaseThere checks that where networkd manages an adapter, which can renew but not
// release, we say so and send nothing.
func TestPain_networkd_NoReleaseThere(t *testing.T) {
	t.Parallel()
	const networkd = "/lib/systemd/systemd-networkd"
	lab.Need(t, networkd)
	h := newHome(t, dnsmasq(), lab.Config{})
	h.client.Write(t, "network/10-c.network", "[Match]\nName=c0\n[Network]\nDHCP=ipv4\nIPv6AcceptRA=no\nLinkLocalAddressing=no\n")
	if err := h.client.Do(func() error {
		if err := os.MkdirAll("/etc/systemd/network", 0o755); err != nil {
			return err
		}
		return unix.Mount(h.client.Path("network"), "/etc/systemd/network", "", unix.MS_BIND, "")
	}); err != nil {
		t.Fatal(err)
	}
	h.client.Run(t, "sh", "-c", "mkdir -p /run/systemd/netif/links /run/systemd/netif/leases /run/systemd/netif/lldp && chown -R systemd-network: /run/systemd/netif")
	cmd := h.client.Command(t, networkd)
	cmd.Env = append(cmd.Environ(), "SYSTEMD_LOG_TARGET=console")
	h.client.StartCmd(t, cmd)
	a := h.client.AwaitAddress(t, "c0", patience)
	if !lab.Eventually(patience, func() bool { name, _ := manager(t, h.client, "c0"); return name == "networkd" }) {
		t.Fatal("networkd is not found")
	}
	mark := h.cap.Mark()
	d := h.client.ReadyDaemon(t, lab.Options{})
	for _, verb := range []string{"release", "renew"} {
		r := d.CLI(t, verb, "c0")
		if r.Status != 1 || !contains(r.Stderr, errno.ERROR_NOT_SUPPORTED.Name()+" 50") || !contains(r.Stderr, "networkd") {
			t.Errorf("%s: status %d, %q", verb, r.Status, r.Stderr)
		}
	}
	if sent := h.cap.Select(mark, func(p lab.Packet) bool { return p.Client(release) }); len(sent) != 0 {
		t.Errorf("sent: %v", sent)
	}
	if have := h.client.Addresses("c0"); len(have) != 1 || have[0].Prefix != a.Prefix {
		t.Errorf("it had %v and has %v", a, have)
	}
	for _, l := range d.List(t) {
		if l.Name == "c0" && l.Manager != "networkd" {
			t.Errorf("%+v", l)
		}
	}
}
