package lab

import (
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"
)

// Leases shorter than two minutes are raised to that; T1 and T2 can be given
// as options. Answers leave through a UDP socket: their checksums are partial.
var dnsmasq = &Kind{
	Name: "dnsmasq", Programs: []string{"dnsmasq"}, NAKsRenewal: true, file: "leases",
	lay: func(t T, s *Server) {
		c := s.Config
		var b strings.Builder
		fmt.Fprintf(&b, "port=0\ninterface=s0\nbind-interfaces\nexcept-interface=lo\nlog-dhcp\nno-ping\ndhcp-authoritative\n")
		fmt.Fprintf(&b, "dhcp-leasefile=%s\n", s.path("leases"))
		fmt.Fprintf(&b, "dhcp-range=%s,%s,%s,%d\n", c.First, c.Last, netmask(s.Address), seconds(c.Lease))
		opt := func(name, value string) { fmt.Fprintf(&b, "dhcp-option=%s,%s\n", name, value) }
		if c.T1 > 0 {
			opt("option:T1", strconv.Itoa(seconds(c.T1)))
		}
		if c.T2 > 0 {
			opt("option:T2", strconv.Itoa(seconds(c.T2)))
		}
		if c.Router.IsValid() {
			opt("option:router", c.Router.String())
		} else {
			b.WriteString("dhcp-option=option:router\n")
		}
		if len(c.DNS) > 0 {
			opt("option:dns-server", join(c.DNS, ",", netip.Addr.String))
		}
		if c.Domain != "" {
			opt("option:domain-name", c.Domain)
		}
		if len(c.Search) > 0 {
			opt("option:domain-search", strings.Join(c.Search, ","))
		}
		if c.MTU > 0 {
			opt("option:mtu", strconv.Itoa(c.MTU))
		}
		if len(c.Routes) > 0 {
			opt("option:classless-static-route", join(c.Routes, ",", func(r Route) string {
				return r.Destination.String() + "," + r.Via.String()
			}))
		}
		for _, line := range c.Dnsmasq {
			b.WriteString(line + "\n")
		}
		s.write(t, "conf", b.String())
	},
	run: func(t T, s *Server) *Process {
		// -d: stay in the foreground and keep the user id, which a user
		// namespace with a single id could not change.
		p := s.Space.Start(t, "dnsmasq", "-d", "-C", s.path("conf"), "-x", s.path("pid"))
		p.AwaitLine(t, waitLong, "DHCP, sockets bound exclusively to interface s0")
		return p
	},
	leases: func(t T, s *Server) []ServerLease {
		b, err := os.ReadFile(s.path("leases"))
		if err != nil {
			t.Fatalf("dnsmasq: %v", err)
		}
		var out []ServerLease
		for line := range strings.Lines(string(b)) {
			f := strings.Fields(line) // expiry, MAC, address, name, client id
			if len(f) < 4 {
				continue
			}
			a, err := netip.ParseAddr(f[2])
			if err != nil || !a.Is4() {
				continue
			}
			l := ServerLease{Address: a, MAC: f[1], Active: true}
			if sec, err := strconv.ParseInt(f[0], 10, 64); err == nil && sec != 0 {
				l.Ends = time.Unix(sec, 0)
				l.Active = time.Now().Before(l.Ends)
			}
			out = append(out, l)
		}
		return out
	},
}

func netmask(p netip.Prefix) netip.Addr {
	m := ^uint32(0) << (32 - p.Bits())
	return netip.AddrFrom4([4]byte{byte(m >> 24), byte(m >> 16), byte(m >> 8), byte(m)})
}
