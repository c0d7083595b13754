//go:build linux

package clients

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A snapshot is one look at the machine.
type snapshot struct {
	at      time.Time
	packets []*packet
	ports   []*port
	clients []*process // the known DHCP clients of this network namespace
}

// A packet is a packet socket.
type packet struct {
	inode uint64
	index int      // of the interface it is bound to; 0 if none
	owner *process // nil if not found
}

// A port is a socket with UDP port 68.
type port struct {
	inode uint64
	addr  netip.Addr
	index int // of the interface it is bound to; 0 if none, or not known
	uid   int
	owner *process // nil if not found
}

// A process is one that may be a DHCP client.
type process struct {
	pid      int
	comm     string   // the name the kernel has for it, at most 15 bytes
	client   string   // its name as a manager; empty if it is not a known client
	adapters []string // those its command line names
}

func (p *process) describe(what string) string {
	return fmt.Sprintf("%s, pid %d, %s", p.comm, p.pid, what)
}

// running returns the first process of that manager; nil if there is none.
func (s *snapshot) running(client string) *process {
	for _, p := range s.clients {
		if p.client == client {
			return p
		}
	}
	return nil
}

// take looks at the machine. What cannot be read is not there: processes come
// and go, and without privilege those of others cannot be looked into.
func (f *Finder) take() *snapshot {
	s := &snapshot{packets: f.readPackets(), ports: f.readPorts()}
	known, rest := f.readProcesses()
	s.clients = known

	owners := make(map[uint64]func(*process))
	for _, p := range s.packets {
		owners[p.inode] = func(o *process) { p.owner = o }
	}
	for _, p := range s.ports {
		owners[p.inode] = func(o *process) { p.owner = o }
	}
	for _, p := range known {
		f.claim(p, owners)
	}
	// Who else has a packet socket does not matter, and to find out would be to
	// look at every descriptor of the machine.
	for _, p := range s.packets {
		delete(owners, p.inode)
	}
	for _, p := range rest {
		if len(owners) == 0 {
			break
		}
		f.claim(p, owners)
	}
	return s
}

// claim tells the sockets that p has open who their owner is.
func (f *Finder) claim(p *process, owners map[uint64]func(*process)) {
	if len(owners) == 0 {
		return
	}
	dir := fmt.Sprintf("proc/%d/fd", p.pid)
	fds, err := fs.ReadDir(f.root, dir)
	if err != nil {
		return
	}
	for _, fd := range fds {
		target, err := fs.ReadLink(f.root, path.Join(dir, fd.Name()))
		if err != nil {
			continue
		}
		number, ok := strings.CutPrefix(target, "socket:[")
		if !ok {
			continue
		}
		inode, err := strconv.ParseUint(strings.TrimSuffix(number, "]"), 10, 64)
		if err != nil {
			continue
		}
		if own := owners[inode]; own != nil {
			own(p)
			delete(owners, inode)
		}
	}
}

// The files of the thread, not the process: a network namespace is a thread's.
const self = "proc/thread-self/"

// readPackets reads the packet sockets (proc(5)); their protocol is no help, as
// dhclient asks for all and filters.
func (f *Finder) readPackets() []*packet {
	var out []*packet
	for _, line := range f.lines(self + "net/packet") {
		// sk RefCnt Type Proto Iface R Rmem User Inode
		c := strings.Fields(line)
		if len(c) < 9 {
			continue
		}
		index, err1 := strconv.Atoi(c[4])
		inode, err2 := strconv.ParseUint(c[8], 10, 64)
		if err1 != nil || err2 != nil { // the heading
			continue
		}
		out = append(out, &packet{inode: inode, index: index})
	}
	return out
}

// readPorts reads the sockets with UDP port 68.
func (f *Finder) readPorts() []*port {
	var out []*port
	for _, line := range f.lines(self + "net/udp") {
		// sl local_address rem_address st tx:rx tr:tm retrnsmt uid timeout inode …
		c := strings.Fields(line)
		if len(c) < 10 {
			continue
		}
		hexAddr, hexPort, ok := strings.Cut(c[1], ":")
		if !ok || hexPort != "0044" {
			continue
		}
		raw, err := hex.DecodeString(hexAddr)
		if err != nil || len(raw) != 4 {
			continue
		}
		// The kernel prints the address as a number in the machine's order.
		var b [4]byte
		binary.NativeEndian.PutUint32(b[:], binary.BigEndian.Uint32(raw))
		uid, err1 := strconv.Atoi(c[7])
		inode, err2 := strconv.ParseUint(c[9], 10, 64)
		if err1 != nil || err2 != nil {
			continue
		}
		out = append(out, &port{inode: inode, addr: netip.AddrFrom4(b), uid: uid})
	}
	if len(out) > 0 {
		if bound, ok := f.bound(); ok {
			for _, p := range out {
				p.index = bound[p.inode]
			}
		}
	}
	return out
}

// readProcesses lists the processes: the known DHCP clients of our network
// namespace, and all others but ourselves.
func (f *Finder) readProcesses() (known, rest []*process) {
	entries, err := fs.ReadDir(f.root, "proc")
	if err != nil {
		return nil, nil
	}
	ours, err := f.namespace(self)
	here := func(pid int) bool {
		theirs, err2 := f.namespace(fmt.Sprintf("proc/%d/", pid))
		return err == nil && err2 == nil && theirs == ours
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		comm, err := f.name(pid)
		if err != nil {
			continue
		}
		p := &process{pid: pid, comm: strings.TrimSpace(comm)}
		if pid != f.self && f.recognize(p) && here(pid) {
			known = append(known, p)
		} else {
			p.client = ""
			rest = append(rest, p)
		}
	}
	slices.SortFunc(known, func(a, b *process) int { return a.pid - b.pid })
	return known, rest
}

// namespace identifies the network namespace of a process by a file that there
// is one of in each of them. The link ns/net would do, but it is hidden from a
// service whose capabilities are fewer than the process's.
func (f *Finder) namespace(dir string) (uint64, error) {
	st, err := fs.Stat(f.root, dir+"net/dev")
	if err != nil {
		return 0, err
	}
	sys, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, fs.ErrInvalid
	}
	return sys.Ino, nil
}

// recognize tells by a process's name and command line whether it is a DHCPv4
// client, and for which adapters.
func (f *Finder) recognize(p *process) bool {
	switch p.comm {
	case "NetworkManager":
		p.client = NetworkManager
		return true
	case "systemd-network": // 15 bytes of systemd-networkd
		p.client = Networkd
		return true
	case "dhcpcd":
		p.client = Dhcpcd
	case "dhclient":
		p.client = Dhclient
	case "udhcpc", "busybox":
		p.client = Udhcpc
	default:
		return false
	}
	data, err := fs.ReadFile(f.root, fmt.Sprintf("proc/%d/cmdline", p.pid))
	if err != nil {
		return false
	}
	args := strings.Split(strings.TrimRight(string(data), "\x00"), "\x00")
	if p.comm == "busybox" {
		if len(args) < 2 || args[1] != "udhcpc" {
			return false
		}
		args = args[1:]
	}
	var ok bool
	if p.adapters, ok = adapters(p.client, args); !ok {
		return false
	}
	if p.client == Dhclient && f.childOfNetworkManager(p.pid) {
		p.client = NetworkManager
	}
	return true
}

// childOfNetworkManager reports whether NetworkManager runs the process for itself.
func (f *Finder) childOfNetworkManager(pid int) bool {
	for _, line := range f.lines(fmt.Sprintf("proc/%d/status", pid)) {
		if parent, ok := strings.CutPrefix(line, "PPid:"); ok {
			comm, err := fs.ReadFile(f.root, path.Join("proc", strings.TrimSpace(parent), "comm"))
			return err == nil && strings.TrimSpace(string(comm)) == "NetworkManager"
		}
	}
	return false
}
