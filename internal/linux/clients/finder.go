//go:build linux

package clients

import (
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/internal/netconf"
)

// The names of the managers, as in lessee.Adapter.Manager.
const (
	NetworkManager = "networkmanager"
	Networkd       = "networkd"
	Dhcpcd         = "dhcpcd"
	Dhclient       = "dhclient"
	Udhcpc         = "udhcpc"
	// Unknown is a program that is none of these and has the client's port.
	Unknown = "unknown"
)

// fresh is how long one look at the machine serves: listing all adapters asks
// once per adapter.
const fresh = time.Second

// A Finder finds the DHCP clients of its network namespace. It may be used from
// any goroutine.
type Finder struct {
	root  fs.FS
	self  int // our own process
	now   func() time.Time
	addrs func(index int) []netip.Addr  // the IPv4 addresses of an interface
	bound func() (map[uint64]int, bool) // socket inode: the interface it is bound to, 0 if none
	// name returns the name that the kernel has for a process.
	name func(pid int) (string, error)

	mu   sync.Mutex
	last *snapshot
	// early says that last was taken in advance, for the next ManagerNow.
	early bool
}

// New returns a finder for the network namespace of the calling thread.
func New() *Finder {
	return &Finder{
		root: os.DirFS("/"), self: os.Getpid(), now: time.Now,
		addrs: addresses, bound: boundDevices, name: processName,
	}
}

// early is how old a look that was begun in advance may be when it is used.
const early = 100 * time.Millisecond

// Ahead begins to look at the machine for the first ManagerNow, which comes
// when other things have been prepared as well.
func (f *Finder) Ahead() {
	f.mu.Lock()
	go func() {
		defer f.mu.Unlock()
		now := f.now()
		f.last = f.take()
		f.last.at, f.early = now, true
	}()
}

// processName reads the name with three system calls, of which there are as
// many as processes.
func processName(pid int) (string, error) {
	fd, err := unix.Open("/proc/"+strconv.Itoa(pid)+"/comm", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	var b [64]byte // TASK_COMM_LEN is 16; kernel threads have more
	n, err := unix.Read(fd, b[:])
	if err != nil {
		return "", err
	}
	return string(b[:n]), nil
}

// addresses lists the IPv4 addresses of an interface.
func addresses(index int) []netip.Addr {
	link, err := net.InterfaceByIndex(index)
	if err != nil {
		return nil
	}
	list, err := link.Addrs()
	if err != nil {
		return nil
	}
	var out []netip.Addr
	for _, a := range list {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() {
			out = append(out, p.Addr())
		}
	}
	return out
}

// boundDevices asks the kernel which interface each UDP socket is bound to
// (SO_BINDTODEVICE), which /proc/net/udp does not tell. It returns false where
// the kernel has no socket diagnosis.
func boundDevices() (map[uint64]int, bool) {
	list, err := netlink.SocketDiagUDP(unix.AF_INET)
	if err != nil {
		return nil, false
	}
	out := make(map[uint64]int, len(list))
	for _, s := range list {
		out[uint64(s.INode)] = int(s.ID.Interface)
	}
	return out, true
}

// Manager tells which other program manages the link by DHCP, and how that is
// known. ok is false if none does. The answer may be as old as a second.
func (f *Finder) Manager(link netconf.Link) (name, how string, ok bool) {
	s := f.look()
	if name, how, ok = f.bySocket(s, link); ok {
		return name, how, true
	}
	if name, how, ok = byCommand(s, link); ok {
		return name, how, true
	}
	if name, how, ok = f.byNetworkd(s, link); ok {
		return name, how, true
	}
	if name, how, ok = f.byNetworkManager(s, link); ok {
		return name, how, true
	}
	return f.byPort(s, link)
}

// ManagerNow is Manager with a new look at the machine.
func (f *Finder) ManagerNow(link netconf.Link) (name, how string, ok bool) {
	f.mu.Lock() // which a look begun in advance holds until it is done
	if now := f.now(); !f.early || f.last == nil || now.Before(f.last.at) || now.Sub(f.last.at) > early {
		f.last = nil
	}
	f.early = false
	f.mu.Unlock()
	return f.Manager(link)
}

// look returns a snapshot that is fresh enough.
func (f *Finder) look() *snapshot {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	if f.last == nil || now.Sub(f.last.at) >= fresh || now.Before(f.last.at) {
		f.last = f.take()
		f.last.at = now
	}
	return f.last
}

// bySocket finds a known client that listens on the link itself: with a packet
// socket, or on UDP port 68 bound to the link or to its address.
func (f *Finder) bySocket(s *snapshot, link netconf.Link) (name, how string, ok bool) {
	for _, p := range s.packets {
		if p.index == link.Index && p.owner != nil && p.owner.client != "" {
			return p.owner.client, p.owner.describe("listens for DHCP on " + link.Name), true
		}
	}
	for _, u := range s.ports {
		if u.owner != nil && u.owner.client != "" && f.belongs(u, link) {
			return u.owner.client, u.owner.describe("has UDP port 68 open on " + link.Name), true
		}
	}
	return "", "", false
}

// belongs reports whether a socket with port 68 is bound to the link or to one
// of its addresses.
func (f *Finder) belongs(u *port, link netconf.Link) bool {
	if u.index != 0 {
		return u.index == link.Index
	}
	return !u.addr.IsUnspecified() && slices.Contains(f.addrs(link.Index), u.addr)
}

// byCommand finds a client that was told to manage the link. One with a lease
// may have no socket at all.
func byCommand(s *snapshot, link netconf.Link) (name, how string, ok bool) {
	for _, p := range s.clients {
		for _, a := range p.adapters {
			if a == link.Name || slices.Contains(link.AltNames, a) {
				return p.client, p.describe("was started for " + a), true
			}
		}
	}
	return "", "", false
}

// byNetworkd reads what networkd notes about its links. The files outlive it
// and are shared by all network namespaces, so it must run here, too.
func (f *Finder) byNetworkd(s *snapshot, link netconf.Link) (name, how string, ok bool) {
	p := s.running(Networkd)
	if p == nil {
		return "", "", false
	}
	dir := "run/systemd/netif/"
	index := strconv.Itoa(link.Index)
	state := ""
	for _, line := range f.lines(dir + "links/" + index) {
		if v, found := strings.CutPrefix(line, "ADMIN_STATE="); found {
			state = v
		}
	}
	switch state {
	case "configured", "configuring", "degraded", "initialized":
	default: // "unmanaged", "failed", "linger", "pending": it is not using DHCP here
		return "", "", false
	}
	if _, err := fs.Stat(f.root, dir+"leases/"+index); err != nil {
		return "", "", false // managed, but not by DHCP
	}
	return Networkd, p.describe(fmt.Sprintf("says %s is %s and has a DHCP lease (/%sleases/%s)", link.Name, state, dir, index)), true
}

// byNetworkManager reads what NetworkManager notes about its devices.
func (f *Finder) byNetworkManager(s *snapshot, link netconf.Link) (name, how string, ok bool) {
	p := s.running(NetworkManager)
	if p == nil {
		return "", "", false
	}
	file := "run/NetworkManager/devices/" + strconv.Itoa(link.Index)
	managed, dhcp, section := false, false, ""
	for _, line := range f.lines(file) {
		key, value, _ := strings.Cut(line, "=")
		switch {
		case strings.HasPrefix(line, "["):
			section = strings.Trim(line, "[]")
			dhcp = dhcp || section == "dhcp4"
		case section == "device" && strings.TrimSpace(key) == "managed":
			managed = strings.TrimSpace(value) == "true"
		}
	}
	if !managed || !dhcp {
		return "", "", false
	}
	return NetworkManager, p.describe(fmt.Sprintf("manages %s and has a DHCP lease (/%s)", link.Name, file)), true
}

// byPort finds a program that we do not know by its name and that has the DHCP
// client's port, on this link or on all.
func (f *Finder) byPort(s *snapshot, link netconf.Link) (name, how string, ok bool) {
	for _, u := range s.ports {
		if u.owner != nil && (u.owner.client != "" || u.owner.pid == f.self) {
			continue
		}
		var where string
		switch {
		case f.belongs(u, link):
			where = "on " + link.Name
		case u.index == 0 && u.addr.IsUnspecified():
			where = "on all adapters"
		default:
			continue
		}
		how := fmt.Sprintf("a program of uid %d has UDP port 68 open %s", u.uid, where)
		if u.owner != nil {
			how = u.owner.describe("has UDP port 68 open " + where)
		}
		return Unknown, how, true
	}
	return "", "", false
}

// lines returns the trimmed lines of a small file; none if it cannot be read.
func (f *Finder) lines(name string) []string {
	data, err := fs.ReadFile(f.root, name)
	if err != nil {
		return nil
	}
	lines := strings.Split(string(data), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return lines
}
