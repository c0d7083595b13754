package lab

import (
	enc "encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Broadcasts its answers. The list of leases is in its memory; it is written
// when the server is asked to.
var udhcpd = &Kind{
	Name: "udhcpd", Programs: []string{"udhcpd"}, ShortLeases: true, file: "leases",
	lay: func(t T, s *Server) {
		c := s.Config
		var b strings.Builder
		fmt.Fprintf(&b, "interface s0\nstart %s\nend %s\nmax_leases 254\nauto_time 86400\nmin_lease 5\n", c.First, c.Last)
		fmt.Fprintf(&b, "lease_file %s\npidfile %s\n", s.path("leases"), s.path("pid"))
		opt := func(name, value string) { fmt.Fprintf(&b, "option %s %s\n", name, value) }
		opt("lease", fmt.Sprint(seconds(c.Lease)))
		opt("subnet", netmask(s.Address).String())
		if c.T1 > 0 {
			opt("58", fmt.Sprintf("%08x", seconds(c.T1)))
		}
		if c.T2 > 0 {
			opt("59", fmt.Sprintf("%08x", seconds(c.T2)))
		}
		if c.Router.IsValid() {
			opt("router", c.Router.String())
		}
		if len(c.DNS) > 0 {
			opt("dns", join(c.DNS, " ", netip.Addr.String))
		}
		if c.Domain != "" {
			opt("domain", c.Domain)
		}
		if len(c.Search) > 0 {
			opt("search", strings.Join(c.Search, " "))
		}
		if c.MTU > 0 {
			opt("mtu", fmt.Sprint(c.MTU))
		}
		if len(c.Routes) > 0 {
			opt("staticroutes", join(c.Routes, ", ", func(r Route) string {
				return r.Destination.String() + " " + r.Via.String()
			}))
		}
		s.write(t, "conf", b.String())
	},
	run: func(t T, s *Server) *Process {
		// -a: how long it waits for an ARP answer before it offers an address.
		p := s.Space.Start(t, "udhcpd", "-f", "-a", "20", s.path("conf"))
		// "started" is printed before the socket is there.
		if !Eventually(waitLong, func() bool {
			b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/net/udp", p.Pid()))
			return strings.Contains(string(b), ":0043 ")
		}) {
			t.Fatalf("udhcpd: no socket on port 67 after %v", waitLong)
		}
		return p
	},
	leases: func(t T, s *Server) []ServerLease {
		b, err := s.udhcpdList()
		if err != nil {
			t.Fatalf("udhcpd: list of leases: %v", err)
		}
		return parseUDHCPDLeases(b)
	},
}

// udhcpdList makes the running server write its list and waits until it is there.
func (s *Server) udhcpdList() ([]byte, error) {
	if s.proc == nil {
		return os.ReadFile(s.path("leases"))
	}
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	if _, err = unix.InotifyAddWatch(fd, s.path("leases"), unix.IN_CLOSE_WRITE); err != nil {
		return nil, err
	}
	if err = s.proc.Signal(syscall.SIGUSR1); err != nil {
		return nil, err
	}
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(waitShort/time.Millisecond))
		switch {
		case errors.Is(err, unix.EINTR): // the runtime's signals
		case err != nil:
			return nil, err
		case n == 0:
			return nil, fmt.Errorf("not written within %v", waitShort)
		default:
			return os.ReadFile(s.path("leases"))
		}
	}
}

// parseUDHCPDLeases reads udhcpd's list: when it was written (64 bits), then
// records of the seconds left, the address, the hardware address and a name.
func parseUDHCPDLeases(b []byte) []ServerLease {
	const header, record = 8, 36
	if len(b) < header {
		return nil
	}
	written := time.Unix(int64(enc.BigEndian.Uint64(b)), 0)
	var out []ServerLease
	for b = b[header:]; len(b) >= record; b = b[record:] {
		a, _ := netip.AddrFromSlice(b[4:8])
		l := ServerLease{
			Address: a, MAC: net.HardwareAddr(b[8:14]).String(),
			Ends: written.Add(time.Duration(enc.BigEndian.Uint32(b)) * time.Second),
		}
		l.Active = time.Now().Before(l.Ends)
		out = append(out, l)
	}
	return out
}
