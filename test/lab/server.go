package lab

import (
	"net/netip"
	"os"
	"strings"
	"time"
)

// A Config says what a DHCP server is to give. Zero fields are left out, but
// for those that have a default.
type Config struct {
	// First and Last bound the pool; default .100 and .150 of the server's subnet.
	First, Last netip.Addr
	// Lease is the lease time; default 2 minutes. dnsmasq raises shorter ones to that.
	Lease time.Duration
	// T1 and T2 are options 58 and 59.
	T1, T2 time.Duration
	Router netip.Addr
	DNS    []netip.Addr
	Domain string
	// Search is option 119.
	Search []string
	// MTU is option 26.
	MTU int
	// Routes is option 121.
	Routes []Route
	// Dnsmasq are further lines of that server's configuration; the others
	// have no use for them.
	Dnsmasq []string
}

// A Route is a classless static route.
type Route struct {
	Destination netip.Prefix
	Via         netip.Addr
}

// A ServerLease is an entry of a server's own list of leases.
type ServerLease struct {
	Address netip.Addr
	MAC     string
	// Active says that the server holds the address for the client: neither
	// released nor expired.
	Active bool
	Ends   time.Time
}

// A Kind is a DHCP server program.
type Kind struct {
	Name string
	// Programs are what must be installed.
	Programs []string
	// ShortLeases says that leases under two minutes are given as configured.
	ShortLeases bool
	// NAKsRenewal says that a unicast renewal of a lease that the server has no
	// record of is refused; where it is false, the server keeps silent.
	NAKsRenewal bool

	// lay writes the configuration and creates an empty list of leases.
	lay func(t T, s *Server)
	// run starts the program and waits until it serves.
	run func(t T, s *Server) *Process
	// leases reads the server's own list.
	leases func(t T, s *Server) []ServerLease
	// file is the list of leases in the server's directory.
	file string
}

// Kinds are the servers that the tests run against.
var Kinds = []*Kind{dnsmasq, iscDHCPD, kea, udhcpd}

// KindByName returns one of [Kinds]; nil if there is none.
func KindByName(name string) *Kind {
	for _, k := range Kinds {
		if k.Name == name {
			return k
		}
	}
	return nil
}

// A Server is a DHCP server that runs in a space, on its interface s0.
type Server struct {
	Kind   *Kind
	Space  *Space
	Config Config
	// Address is the server's address with its prefix.
	Address netip.Prefix

	dir  string
	proc *Process
}

// Start starts a server of this kind in the space and waits until it serves.
func (k *Kind) Start(t T, s *Space, c Config) *Server {
	t.Helper()
	Need(t, k.Programs...)
	addrs := s.Addresses("s0")
	if len(addrs) == 0 {
		t.Fatalf("space %s: s0 has no address to serve from", s.Name)
	}
	srv := &Server{Kind: k, Space: s, Address: addrs[0].Prefix, dir: s.Path(k.Name)}
	if err := os.MkdirAll(srv.dir, 0o755); err != nil {
		t.Fatalf("%s: %v", k.Name, err)
	}
	srv.Configure(c)
	k.lay(t, srv)
	srv.Forget(t)
	srv.proc = k.run(t, srv)
	return srv
}

// Configure sets what the server gives from its next start on.
func (s *Server) Configure(c Config) {
	if !c.First.IsValid() {
		b := s.Address.Addr().As4()
		b[3] = 100
		c.First = netip.AddrFrom4(b)
		b[3] = 150
		c.Last = netip.AddrFrom4(b)
	}
	if c.Lease == 0 {
		c.Lease = 2 * time.Minute
	}
	s.Config = c
}

// Stop stops the server. Its list of leases stays.
func (s *Server) Stop(t T) {
	t.Helper()
	if s.proc != nil {
		_ = s.proc.Stop(t)
		s.proc = nil
	}
}

// Resume starts a stopped server again, with the list of leases it has.
func (s *Server) Resume(t T) {
	t.Helper()
	s.Kind.lay(t, s)
	s.proc = s.Kind.run(t, s)
}

// Forget empties the list of leases of a server that does not run.
func (s *Server) Forget(t T) {
	t.Helper()
	if err := os.WriteFile(s.path(s.Kind.file), nil, 0o644); err != nil {
		t.Fatalf("%s: %v", s.Kind.Name, err)
	}
}

// Inherit gives a stopped server the list of leases of another of its kind,
// as if the two had shared it.
func (s *Server) Inherit(t T, from *Server) {
	t.Helper()
	b, err := os.ReadFile(from.path(from.Kind.file))
	if err == nil {
		err = os.WriteFile(s.path(s.Kind.file), b, 0o644)
	}
	if err != nil {
		t.Fatalf("%s: %v", s.Kind.Name, err)
	}
}

// Leases returns the server's own list of leases.
func (s *Server) Leases(t T) []ServerLease {
	t.Helper()
	return s.Kind.leases(t, s)
}

// Holds reports whether the server's list has an active lease of the address.
func (s *Server) Holds(t T, a netip.Addr) bool {
	t.Helper()
	for _, l := range s.Leases(t) {
		if l.Address == a && l.Active {
			return true
		}
	}
	return false
}

// AwaitHeld waits until the server's list has an active lease of the address.
func (s *Server) AwaitHeld(t T, a netip.Addr) ServerLease {
	t.Helper()
	var held ServerLease
	if !Eventually(waitShort, func() bool {
		for _, l := range s.Leases(t) {
			if l.Address == a && l.Active {
				held = l
				return true
			}
		}
		return false
	}) {
		t.Fatalf("%s: no active lease of %s; its list: %v", s.Kind.Name, a, s.Leases(t))
	}
	return held
}

// AwaitFreed waits until the server's list has no active lease of the address.
func (s *Server) AwaitFreed(t T, a netip.Addr) {
	t.Helper()
	if !Eventually(waitShort, func() bool { return !s.Holds(t, a) }) {
		t.Fatalf("%s: the lease of %s is not freed; its list: %v", s.Kind.Name, a, s.Leases(t))
	}
}

// Process returns the running server; nil if it was stopped.
func (s *Server) Process() *Process { return s.proc }

func (s *Server) path(name string) string { return s.dir + "/" + name }

func (s *Server) write(t T, name, content string) {
	t.Helper()
	if err := os.WriteFile(s.path(name), []byte(content), 0o644); err != nil {
		t.Fatalf("%s: %v", s.Kind.Name, err)
	}
}

func join[E any](list []E, sep string, text func(E) string) string {
	var parts []string
	for _, e := range list {
		parts = append(parts, text(e))
	}
	return strings.Join(parts, sep)
}

func seconds(d time.Duration) int { return int(d / time.Second) }
