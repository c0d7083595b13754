package lab_test

import (
	"flag"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/lessee/lessee/test/lab"
)

func TestMain(m *testing.M) {
	if os.Getenv(threadsEnv) != "" {
		os.Exit(writeInThreads())
	}
	flag.Parse()
	lab.Main(m)
}

const mac = "02:00:00:00:00:02"

// TestServersAndPeers holds the harness to clients that are known to work:
// what the capture sees, what the kernel has and what the server lists agree.
func TestServersAndPeers(t *testing.T) {
	t.Parallel()
	for _, kind := range lab.Kinds {
		for _, peer := range lab.Peers {
			t.Run(kind.Name+"/"+peer.Name, func(t *testing.T) {
				t.Parallel()
				lab.Need(t, append(peer.Programs, kind.Programs...)...)
				l := lab.New(t)
				home := l.Network("home")
				server := home.Host("server", "10.77.0.1/24")
				client := l.Space("client")
				port := home.Attach(client, "c0", mac)
				cap := port.Capture()
				changes := client.WatchAddresses(t)
				dhcp := kind.Start(t, server, lab.Config{Lease: 150 * time.Second, T1: 60 * time.Second, T2: 100 * time.Second})

				p := peer.Start(t, client, "c0")
				ack, mark := cap.AwaitServer(0, 20*time.Second, dhcpv4.MessageTypeAck)
				addr, _ := netip.AddrFromSlice(ack.DHCP.YourIPAddr.To4())
				if got := ack.DHCP.IPAddressLeaseTime(0); got != 150*time.Second {
					t.Errorf("lease time %v", got)
				}
				if got := ack.DHCP.IPAddressRenewalTime(0); got != 60*time.Second {
					t.Errorf("T1 %v", got)
				}
				held := dhcp.AwaitHeld(t, addr)
				if held.MAC != mac {
					t.Errorf("the server's list says %+v", held)
				}
				c, _, ok := changes.Wait(0, 20*time.Second, func(c lab.AddressChange) bool { return c.Prefix.Addr() == addr && !c.Removed })
				if !ok || c.Prefix.Bits() != 24 {
					t.Fatalf("address of the lease not configured: %v %v", c, ok)
				}
				if p.Release == nil || peer.Name == "dhcpcd" {
					return // dhcpcd often hangs if told to release right after the lease
				}
				p.AwaitLine(t, 10*time.Second, peer.Bound) // only now its lease file is written
				p.Release(t)
				rel, _ := cap.AwaitClient(mark, 10*time.Second, dhcpv4.MessageTypeRelease)
				if rel.Src != addr {
					t.Errorf("RELEASE from %s", rel.Src)
				}
				dhcp.AwaitFreed(t, addr)
				client.AwaitNoAddress(t, "c0", 10*time.Second)
			})
		}
	}
}

// TestListSurvivesRestart checks that a server's list stays over a restart,
// can be forgotten, and can be inherited.
func TestListSurvivesRestart(t *testing.T) {
	t.Parallel()
	for _, kind := range lab.Kinds {
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			lab.Need(t, append([]string{"udhcpc"}, kind.Programs...)...)
			l := lab.New(t)
			home := l.Network("home")
			client := l.Space("client")
			home.Attach(client, "c0", mac)
			dhcp := kind.Start(t, home.Host("server", "10.77.0.1/24"), lab.Config{})
			lab.PeerByName("udhcpc").Start(t, client, "c0")
			addr := client.AwaitAddress(t, "c0", 20*time.Second).Prefix.Addr()
			dhcp.AwaitHeld(t, addr)

			dhcp.Stop(t)
			dhcp.Resume(t)
			dhcp.AwaitHeld(t, addr)

			second := kind.Start(t, home.Host("second", "10.77.0.2/24"), lab.Config{})
			second.Stop(t)
			dhcp.Stop(t)
			second.Inherit(t, dhcp)
			second.Resume(t)
			second.AwaitHeld(t, addr)

			dhcp.Forget(t)
			dhcp.Resume(t)
			if dhcp.Holds(t, addr) {
				t.Errorf("%s not forgotten: %v", addr, dhcp.Leases(t))
			}
		})
	}
}

func TestMoveBetweenNetworks(t *testing.T) {
	t.Parallel()
	lab.Need(t, "dnsmasq", "udhcpc")
	l := lab.New(t)
	home, away := l.Network("home"), l.Network("away")
	client := l.Space("client")
	port := home.Attach(client, "c0", mac)
	dnsmasq := lab.KindByName("dnsmasq")
	dnsmasq.Start(t, home.Host("server", "10.77.0.1/24"), lab.Config{})
	dnsmasq.Start(t, away.Host("other", "10.88.0.1/24"), lab.Config{})
	p := lab.PeerByName("udhcpc").Start(t, client, "c0")
	if a := client.AwaitAddress(t, "c0", 20*time.Second); !strings.HasPrefix(a.Prefix.String(), "10.77.0.") {
		t.Fatalf("address %v at home", a)
	}
	port.Move(away)
	p.Release(t) // this client does not watch the carrier
	client.AwaitNoAddress(t, "c0", 10*time.Second)
	p.Renew(t)
	if a := client.AwaitAddress(t, "c0", 20*time.Second); !strings.HasPrefix(a.Prefix.String(), "10.88.0.") {
		t.Fatalf("address %v away", a)
	}
}

// TestPrivateFiles checks that children cannot harm the machine's files.
func TestPrivateFiles(t *testing.T) {
	t.Parallel()
	l := lab.New(t)
	s := l.Space("alone")
	before, _ := os.ReadFile("/etc/resolv.conf")
	s.Run(t, "sh", "-c", "echo nameserver 192.0.2.1 >/etc/resolv.conf; echo x >/run/lab-was-here; echo x >/var/lib/lab-was-here; hostname harmless")
	if after, _ := os.ReadFile("/etc/resolv.conf"); string(after) != string(before) {
		t.Errorf("the machine's resolv.conf was changed")
	}
	if got := s.ResolvConf(); got != "nameserver 192.0.2.1\n" {
		t.Errorf("the space's resolv.conf: %q", got)
	}
	for _, f := range []string{"/run/lab-was-here", "/var/lib/lab-was-here"} {
		if _, err := os.Stat(f); err == nil {
			t.Errorf("%s is there", f)
		}
	}
	if got := s.Run(t, "head", "-c5", "/etc/passwd"); got != "root:" {
		t.Errorf("/etc/passwd in the space begins with %q", got)
	}
}

// recorder is a T that records failures, to test the harness's own.
type recorder struct {
	*testing.T
	errors   []string
	cleanups []func()
}

func (r *recorder) Errorf(format string, args ...any) { r.errors = append(r.errors, format) }
func (r *recorder) Cleanup(f func())                  { r.cleanups = append(r.cleanups, f) }

// cleanup does what the end of the test would do.
func (r *recorder) cleanup() {
	for _, f := range slices.Backward(r.cleanups) {
		f()
	}
}

// TestStrayProcess checks that a process that got away from its parent is
// found, reported and ended.
func TestStrayProcess(t *testing.T) {
	t.Parallel()
	lab.Need(t, "setsid")
	r := &recorder{T: t}
	l := lab.New(r)
	s := l.Space("careless")
	out := s.Run(t, "sh", "-c", "setsid -f sleep 600 >/dev/null 2>&1 </dev/null; pgrep -nx sleep || ps ax | grep '[s]leep 600'")
	if out == "" {
		t.Fatal("no process to be found")
	}
	r.cleanup()
	if len(r.errors) != 1 {
		t.Errorf("reported: %q", r.errors)
	}
}

func TestJournal(t *testing.T) {
	t.Parallel()
	var j lab.Journal[int]
	j.Add(1)
	mark := j.Mark()
	go func() {
		j.Add(2)
		j.Add(3)
		j.Close()
	}()
	if e, next, ok := j.Wait(mark, time.Minute, func(i int) bool { return i > 1 }); !ok || e != 2 || next != 2 {
		t.Errorf("got %d %d %v", e, next, ok)
	}
	if _, _, ok := j.Wait(mark, time.Minute, func(i int) bool { return i == 4 }); ok {
		t.Error("a closed journal has no 4")
	}
	if got := j.Since(mark); len(got) != 2 {
		t.Errorf("since mark: %v", got)
	}
}

func TestProcessEnds(t *testing.T) {
	t.Parallel()
	l := lab.New(t)
	s := l.Space("alone")
	p := s.Start(t, "sh", "-c", "echo ready; read x; exit 3")
	p.AwaitLine(t, 10*time.Second, "^ready$")
	if code := p.Wait(t, 10*time.Second); code != 1 && code != 3 {
		t.Errorf("exit status %d", code)
	}
	q := s.Start(t, "sleep", "600")
	_ = q.Signal(syscall.SIGKILL)
	if code := q.Wait(t, 10*time.Second); code != -1 {
		t.Errorf("exit status %d of a killed process", code)
	}
}
