//go:build linux

package clients

import (
	"encoding/binary"
	"fmt"
	"io/fs"
	"net/netip"
	"path"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/lessee/lessee/internal/netconf"
)

// machine builds a made-up machine's /proc and /run.
type machine struct {
	files fstest.MapFS
	bound map[uint64]int
	packs []string
	udps  []string
}

const ourNamespace = 4026531840

func newMachine() *machine {
	m := &machine{files: fstest.MapFS{}, bound: map[uint64]int{}}
	m.namespace("proc/thread-self", ourNamespace)
	return m
}

func (m *machine) file(name, text string) *machine {
	m.files[name] = &fstest.MapFile{Data: []byte(text)}
	return m
}

// namespace gives the process of that directory its network namespace.
func (m *machine) namespace(dir string, inode uint64) *machine {
	m.files[dir+"/net/dev"] = &fstest.MapFile{Sys: &syscall.Stat_t{Ino: inode}}
	return m
}

func (m *machine) link(name, target string) *machine {
	m.files[name] = &fstest.MapFile{Data: []byte(target), Mode: fs.ModeSymlink}
	return m
}

// proc adds a process in our network namespace with sockets open.
func (m *machine) proc(pid int, comm, cmdline string, sockets ...int) *machine {
	dir := fmt.Sprintf("proc/%d/", pid)
	m.file(dir+"comm", comm+"\n").file(dir+"cmdline", strings.ReplaceAll(cmdline, " ", "\x00")+"\x00")
	m.file(dir+"status", "Name:\tx\nPPid:\t1\n").namespace(path.Clean(dir), ourNamespace).link(dir+"fd/0", "/dev/null")
	for i, s := range sockets {
		m.link(fmt.Sprintf("%sfd/%d", dir, i+3), fmt.Sprintf("socket:[%d]", s))
	}
	return m
}

func (m *machine) elsewhere(pid int) *machine {
	return m.namespace(fmt.Sprintf("proc/%d", pid), 4026532999)
}

func (m *machine) packet(inode, index int) *machine {
	m.packs = append(m.packs, fmt.Sprintf("0000000000000000 3      3    0800   %d     1 0      0      %d", index, inode))
	return m
}

// udp adds a socket; the kernel prints its address as a number in the machine's order.
func (m *machine) udp(inode int, addr string, port, device int) *machine {
	a := netip.MustParseAddr(addr).As4()
	m.udps = append(m.udps, fmt.Sprintf(" 1148: %08X:%04X 00000000:0000 07 00000000:00000000 00:00000000 00000000  1001        0 %d 2 0000000000000000 0",
		binary.NativeEndian.Uint32(a[:]), port, inode))
	m.bound[uint64(inode)] = device
	return m
}

func (m *machine) finder() *Finder {
	m.file("proc/thread-self/net/packet", "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n"+strings.Join(m.packs, "\n")+"\n")
	m.file("proc/thread-self/net/udp", "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n"+
		strings.Join(m.udps, "\n")+"\n")
	return &Finder{
		root: m.files, self: 99, now: time.Now,
		addrs: func(index int) []netip.Addr {
			if index == 2 {
				return []netip.Addr{netip.MustParseAddr("10.77.0.105")}
			}
			return nil
		},
		bound: func() (map[uint64]int, bool) { return m.bound, true },
		name: func(pid int) (string, error) {
			b, err := fs.ReadFile(m.files, fmt.Sprintf("proc/%d/comm", pid))
			return string(b), err
		},
	}
}

// TestAhead: a look begun in advance serves one ManagerNow, and not for long.
func TestAhead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		wait time.Duration
		asks int
		old  bool
	}{
		{"at once", 0, 1, true},
		{"a second time", 0, 2, false},
		{"late", early + time.Millisecond, 1, false},
	} {
		f := newMachine().finder()
		now := time.Unix(1000, 0)
		f.now = func() time.Time { return now }
		f.Ahead()
		f.mu.Lock() // it has looked
		ahead := f.last
		f.mu.Unlock()
		if ahead == nil {
			t.Fatal("nobody looked")
		}
		now = now.Add(c.wait)
		for range c.asks {
			f.ManagerNow(netconf.Link{Index: 2, Name: "eth0"})
		}
		if old := f.last == ahead; old != c.old {
			t.Errorf("%s: the look in advance was used: %v", c.name, old)
		}
	}
}

func TestManager(t *testing.T) {
	t.Parallel()
	const networkdLink = "# This is private data. Do not parse.\nADMIN_STATE=%s\nOPER_STATE=routable\n"
	nm := func(managed, rest string) string {
		return "[device]\nmanaged=" + managed + "\nconnection-uuid=1\n" + rest
	}
	for _, tc := range []struct {
		name string
		m    *machine
		want string // the manager; empty: none
		how  string
	}{
		{"an empty machine", newMachine(), "", ""},
		{"dhclient listens", newMachine().proc(10, "dhclient", "dhclient eth0", 5).packet(5, 2), Dhclient, "dhclient, pid 10, listens for DHCP on eth0"},
		{"dhclient listens elsewhere", newMachine().proc(10, "dhclient", "dhclient eth1", 5).packet(5, 3), "", ""},
		{"dhclient for all adapters", newMachine().proc(10, "dhclient", "dhclient", 5).packet(5, 2), Dhclient, "listens"},
		{"dhclient, stopped listening", newMachine().proc(10, "dhclient", "dhclient -lf /l -pf eth1 eth0"), Dhclient, "was started for eth0"},
		{"dhclient for an alternative name", newMachine().proc(10, "dhclient", "dhclient uplink"), Dhclient, "was started for uplink"},
		{"the name as an option's value", newMachine().proc(10, "dhclient", "dhclient -H eth0 eth1"), "", ""},
		{"dhclient for IPv6", newMachine().proc(10, "dhclient", "dhclient -6 eth0"), "", ""},
		{"dhclient in another namespace", newMachine().proc(10, "dhclient", "dhclient eth0").elsewhere(10), "", ""},
		{"dhclient for NetworkManager", newMachine().proc(9, "NetworkManager", "NetworkManager").proc(10, "dhclient", "dhclient -d eth0").
			file("proc/10/status", "Name:\tdhclient\nPPid:\t9\n"), NetworkManager, "dhclient, pid 10"},
		{"udhcpc with a lease", newMachine().proc(10, "udhcpc", "udhcpc -f -i eth0 -s /x"), Udhcpc, "was started for eth0"},
		{"udhcpc, option and value in one", newMachine().proc(10, "udhcpc", "udhcpc -fqieth0"), Udhcpc, "was started"},
		{"udhcpc, long option", newMachine().proc(10, "udhcpc", "udhcpc --interface=eth0"), Udhcpc, "was started"},
		{"udhcpc, long option and value", newMachine().proc(10, "udhcpc", "udhcpc --interface eth0"), Udhcpc, "was started"},
		{"udhcpc's default", newMachine().proc(10, "udhcpc", "udhcpc -f"), Udhcpc, "was started"},
		{"udhcpc on another adapter", newMachine().proc(10, "udhcpc", "udhcpc -i eth1"), "", ""},
		{"busybox udhcpc", newMachine().proc(10, "busybox", "busybox udhcpc -i eth0"), Udhcpc, "busybox, pid 10"},
		{"another busybox", newMachine().proc(10, "busybox", "busybox httpd -i eth0"), "", ""},
		{"dhcpcd with an address", newMachine().proc(10, "dhcpcd", "dhcpcd", 5).udp(5, "10.77.0.105", 68, 0), Dhcpcd, "has UDP port 68 open on eth0"},
		{"dhcpcd with another address", newMachine().proc(10, "dhcpcd", "dhcpcd", 5).udp(5, "10.77.0.106", 68, 0), "", ""},
		{"dhcpcd's title", func() *machine {
			m := newMachine().proc(10, "dhcpcd", "")
			return m.file("proc/10/cmdline", "dhcpcd: eth0 [ip4]\x00\x00\x00")
		}(), Dhcpcd, "was started for eth0"},
		{"dhcpcd's title, IPv6", func() *machine {
			m := newMachine().proc(10, "dhcpcd", "")
			return m.file("proc/10/cmdline", "dhcpcd: eth0 [ip6]\x00")
		}(), "", ""},
		{"dhcpcd, options", newMachine().proc(10, "dhcpcd", "dhcpcd -Bdf /etc/c eth0"), Dhcpcd, "was started"},
		{"dhcpcd for IPv6", newMachine().proc(10, "dhcpcd", "dhcpcd -6 eth0"), "", ""},
		{"networkd's socket", newMachine().proc(10, "systemd-network", "networkd", 5).udp(5, "0.0.0.0", 68, 2), Networkd, "has UDP port 68 open on eth0"},
		{"networkd's socket on another adapter", newMachine().proc(10, "systemd-network", "networkd", 5).udp(5, "0.0.0.0", 68, 3), "", ""},
		{"networkd's notes", newMachine().proc(10, "systemd-network", "networkd").file("run/systemd/netif/links/2", fmt.Sprintf(networkdLink, "configured")).
			file("run/systemd/netif/leases/2", "ADDRESS=10.77.0.105\n"), Networkd, "configured and has a DHCP lease"},
		{"networkd, a fixed address", newMachine().proc(10, "systemd-network", "networkd").file("run/systemd/netif/links/2", fmt.Sprintf(networkdLink, "configured")), "", ""},
		{"networkd, not managed", newMachine().proc(10, "systemd-network", "networkd").file("run/systemd/netif/links/2", fmt.Sprintf(networkdLink, "unmanaged")).
			file("run/systemd/netif/leases/2", ""), "", ""},
		{"networkd has ended", newMachine().file("run/systemd/netif/links/2", fmt.Sprintf(networkdLink, "configured")).file("run/systemd/netif/leases/2", ""), "", ""},
		{"networkd of another namespace", newMachine().proc(10, "systemd-network", "networkd").elsewhere(10).
			file("run/systemd/netif/links/2", fmt.Sprintf(networkdLink, "configured")).file("run/systemd/netif/leases/2", ""), "", ""},
		{
			"NetworkManager by DHCP", newMachine().proc(10, "NetworkManager", "NetworkManager").file("run/NetworkManager/devices/2", nm("true", "\n[dhcp4]\nip_address=1\n")),
			NetworkManager, "NetworkManager, pid 10, manages eth0",
		},
		{"NetworkManager, a fixed address", newMachine().proc(10, "NetworkManager", "NetworkManager").file("run/NetworkManager/devices/2", nm("true", "")), "", ""},
		{"NetworkManager, not managed", newMachine().proc(10, "NetworkManager", "NetworkManager").file("run/NetworkManager/devices/2", nm("false", "[dhcp4]\n")), "", ""},
		{"NetworkManager has ended", newMachine().file("run/NetworkManager/devices/2", nm("true", "[dhcp4]\n")), "", ""},
		{"a stranger on all adapters", newMachine().proc(10, "weird", "weird", 5).udp(5, "0.0.0.0", 68, 0), Unknown, "weird, pid 10, has UDP port 68 open on all adapters"},
		{"a stranger on this adapter", newMachine().proc(10, "weird", "weird", 5).udp(5, "0.0.0.0", 68, 2), Unknown, "on eth0"},
		{"a stranger on another adapter", newMachine().proc(10, "weird", "weird", 5).udp(5, "0.0.0.0", 68, 3), "", ""},
		{"a stranger who cannot be seen", newMachine().udp(5, "0.0.0.0", 68, 0), Unknown, "a program of uid 1001"},
		{"a server's port", newMachine().proc(10, "dnsmasq", "dnsmasq", 5).udp(5, "0.0.0.0", 67, 0), "", ""},
		{"ourselves", newMachine().proc(99, "dhclient", "dhclient eth0", 5, 6).packet(5, 2).udp(6, "0.0.0.0", 68, 0), "", ""},
		{"tcpdump", newMachine().proc(10, "tcpdump", "tcpdump -i eth0", 5).packet(5, 2), "", ""},
		{"files that make no sense", newMachine().proc(10, "dhclient", "").file("proc/11/comm", "").link("proc/10/fd/9", "socket:[x").
			file("run/systemd/netif/links/2", "\x00").file("run/NetworkManager/devices/2", "=\n[\n"), "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := tc.m.finder()
			name, how, ok := f.Manager(netconf.Link{Index: 2, Name: "eth0", AltNames: []string{"uplink"}})
			if ok != (tc.want != "") || name != tc.want || !strings.Contains(how, tc.how) {
				t.Errorf("got %q, %q, %t; want %q, %q", name, how, ok, tc.want, tc.how)
			}
		})
	}
}

// TestWithoutDiagnosis: where the kernel does not tell which adapter a socket is
// bound to, a stranger's socket on all addresses counts for all adapters.
func TestWithoutDiagnosis(t *testing.T) {
	t.Parallel()
	f := newMachine().proc(10, "weird", "weird", 5).udp(5, "0.0.0.0", 68, 3).finder()
	f.bound = func() (map[uint64]int, bool) { return nil, false }
	if name, _, _ := f.Manager(netconf.Link{Index: 2, Name: "eth0"}); name != Unknown {
		t.Errorf("got %q", name)
	}
}

// counted counts how often the list of processes is read.
type counted struct {
	fstest.MapFS
	n int
}

func (c *counted) ReadDir(name string) ([]fs.DirEntry, error) {
	if name == "proc" {
		c.n++
	}
	return c.MapFS.ReadDir(name)
}

func TestOneLookServesASecond(t *testing.T) {
	t.Parallel()
	m := newMachine().proc(10, "udhcpc", "udhcpc -i eth0")
	f := m.finder()
	root := &counted{MapFS: m.files}
	now := time.Unix(1000, 0)
	f.root, f.now = root, func() time.Time { return now }
	for i := range 100 {
		f.Manager(netconf.Link{Index: i, Name: fmt.Sprint("eth", i)})
	}
	if root.n != 1 {
		t.Errorf("100 questions took %d looks", root.n)
	}
	now = now.Add(fresh)
	f.Manager(netconf.Link{Index: 2, Name: "eth0"})
	now = now.Add(-time.Hour) // the clock was set back
	f.Manager(netconf.Link{Index: 2, Name: "eth0"})
	if root.n != 3 {
		t.Errorf("%d looks, want 3", root.n)
	}
}

// TestThisMachine: the real files are read without trouble.
func TestThisMachine(t *testing.T) {
	t.Parallel()
	f := New()
	if name, how, ok := f.Manager(netconf.Link{Index: 1 << 30, Name: "no-such-link"}); ok && name != Unknown {
		t.Errorf("got %q, %q", name, how)
	}
}

func FuzzFiles(f *testing.F) {
	f.Add("1148: 64004D0A:0044 00000000:0000 07 0:0 0:0 0 0 0 75421", "dhclient", "dhclient -4 eth0")
	f.Add("0000 3 3 0003 2 1 0 0 5", "dhcpcd", "dhcpcd: eth0 [ip4]")
	f.Add("", "busybox", "busybox")
	f.Fuzz(func(t *testing.T, table, comm, cmdline string) {
		m := newMachine().proc(10, comm, cmdline, 5)
		finder := m.finder()
		m.file("proc/thread-self/net/udp", table).file("proc/thread-self/net/packet", table)
		m.file("run/systemd/netif/links/2", table).file("run/NetworkManager/devices/2", table)
		name, how, ok := finder.Manager(netconf.Link{Index: 2, Name: "eth0"})
		if ok != (name != "") || ok != (how != "") {
			t.Errorf("got %q, %q, %t", name, how, ok)
		}
	})
}
