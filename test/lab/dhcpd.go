package lab

import (
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"time"
)

// Without dhcp-cache-threshold 0 an early renewal is answered with what is
// left of the old lease.
var iscDHCPD = &Kind{
	Name: "dhcpd", Programs: []string{"dhcpd"}, ShortLeases: true, file: "leases",
	lay: func(t T, s *Server) {
		c := s.Config
		var b strings.Builder
		fmt.Fprintf(&b, "dhcp-cache-threshold 0; authoritative; ddns-update-style none; ping-check false;\n")
		fmt.Fprintf(&b, "default-lease-time %[1]d; max-lease-time %[1]d; min-lease-time %[1]d;\n", seconds(c.Lease))
		b.WriteString("option classless-routes code 121 = array of integer 8;\n")
		opt := func(name, value string) { fmt.Fprintf(&b, "option %s %s;\n", name, value) }
		if c.T1 > 0 {
			opt("dhcp-renewal-time", fmt.Sprint(seconds(c.T1)))
		}
		if c.T2 > 0 {
			opt("dhcp-rebinding-time", fmt.Sprint(seconds(c.T2)))
		}
		if c.Router.IsValid() {
			opt("routers", c.Router.String())
		}
		if len(c.DNS) > 0 {
			opt("domain-name-servers", join(c.DNS, ", ", netip.Addr.String))
		}
		if c.Domain != "" {
			opt("domain-name", fmt.Sprintf("%q", c.Domain))
		}
		if len(c.Search) > 0 {
			opt("domain-search", join(c.Search, ", ", func(d string) string { return fmt.Sprintf("%q", d) }))
		}
		if c.MTU > 0 {
			opt("interface-mtu", fmt.Sprint(c.MTU))
		}
		if len(c.Routes) > 0 {
			opt("classless-routes", join(classless(c.Routes), ", ", func(b byte) string { return fmt.Sprint(b) }))
		}
		fmt.Fprintf(&b, "subnet %s netmask %s { range %s %s; }\n", s.Address.Masked().Addr(), netmask(s.Address), c.First, c.Last)
		s.write(t, "conf", b.String())
	},
	run: func(t T, s *Server) *Process {
		p := s.Space.Start(t, "dhcpd", "-4", "-f", "-d", "--no-pid", "-cf", s.path("conf"), "-lf", s.path("leases"), "s0")
		p.AwaitLine(t, waitLong, "Server starting service")
		return p
	},
	leases: func(t T, s *Server) []ServerLease {
		b, err := os.ReadFile(s.path("leases"))
		if err != nil {
			t.Fatalf("dhcpd: %v", err)
		}
		return parseDHCPDLeases(string(b))
	},
}

var (
	dhcpdLease = regexp.MustCompile(`(?ms)^lease (\S+) \{(.*?)^\}`)
	dhcpdState = regexp.MustCompile(`(?m)^\s*binding state (\w+);`)
	dhcpdMAC   = regexp.MustCompile(`(?m)^\s*hardware ethernet (\S+);`)
	dhcpdEnds  = regexp.MustCompile(`(?m)^\s*ends \d (\S+ \S+);`)
)

// parseDHCPDLeases reads dhcpd.leases, where the last entry of an address counts.
func parseDHCPDLeases(text string) []ServerLease {
	first := func(re *regexp.Regexp, in string) string {
		if m := re.FindStringSubmatch(in); m != nil {
			return m[1]
		}
		return ""
	}
	var out []ServerLease
	at := map[netip.Addr]int{}
	for _, m := range dhcpdLease.FindAllStringSubmatch(text, -1) {
		a, err := netip.ParseAddr(m[1])
		if err != nil {
			continue
		}
		l := ServerLease{Address: a, MAC: first(dhcpdMAC, m[2]), Active: first(dhcpdState, m[2]) == "active"}
		if ends, err := time.Parse("2006/01/02 15:04:05", first(dhcpdEnds, m[2])); err == nil {
			l.Ends = ends
			l.Active = l.Active && time.Now().Before(ends)
		}
		if i, seen := at[a]; seen {
			out[i] = l
			continue
		}
		at[a] = len(out)
		out = append(out, l)
	}
	return out
}

// classless encodes option 121 as RFC 3442 has it.
func classless(routes []Route) []byte {
	var b []byte
	for _, r := range routes {
		d, v := r.Destination.Addr().As4(), r.Via.As4()
		b = append(b, byte(r.Destination.Bits()))
		b = append(b, d[:(r.Destination.Bits()+7)/8]...)
		b = append(b, v[:]...)
	}
	return b
}
