//go:build linux

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv4/server4"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// A Server is a DHCP server on the far end of a [Network]. Its methods may be
// called from any goroutine.
type Server struct {
	conn *net.UDPConn
	neig *netlink.Handle
	link int
	done chan struct{}

	mu    sync.Mutex
	table *table
	mute  bool
	seen  []dhcpv4.MessageType
	heard chan struct{} // closed, and made anew, with each message
}

// serve starts a server on the interface called name of a namespace.
func serve(ns netns.NsHandle, name string, conf ServerConfig) (*Server, error) {
	s := &Server{table: newTable(conf, time.Now), done: make(chan struct{}), heard: make(chan struct{})}
	err := inNamespace(ns, func() error {
		ifi, err := net.InterfaceByName(name)
		if err != nil {
			return err
		}
		s.link = ifi.Index
		if s.neig, err = netlink.NewHandle(); err != nil {
			return err
		}
		s.conn, err = server4.NewIPv4UDPConn(name, &net.UDPAddr{Port: dhcpv4.ServerPort})
		return err
	})
	if err != nil {
		if s.neig != nil {
			s.neig.Close()
		}
		return nil, fmt.Errorf("sandbox: DHCP server on %s: %w", name, err)
	}
	go s.run()
	return s, nil
}

// Close ends the server and waits until it has ended.
func (s *Server) Close() error {
	err := s.conn.Close()
	<-s.done
	s.neig.Close()
	return err
}

// Leases returns the server's table, by address.
func (s *Server) Leases() []Lease {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.table.list()
}

// AwaitLeases returns the table once it is as wanted, or as it is when ctx ends:
// a message that has left a client is not yet read.
func (s *Server) AwaitLeases(ctx context.Context, wanted func([]Lease) bool) []Lease {
	for {
		s.mu.Lock()
		list, heard := s.table.list(), s.heard
		s.mu.Unlock()
		if wanted(list) {
			return list
		}
		select {
		case <-heard:
		case <-ctx.Done():
			return list
		}
	}
}

// Lease returns the entry of one address; false if the server knows nothing of it.
func (s *Server) Lease(a netip.Addr) (Lease, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.table.leases[a]; l != nil {
		return *l, true
	}
	return Lease{}, false
}

// Received lists the types of the messages that arrived so far, in order,
// whether answered or not.
func (s *Server) Received() []dhcpv4.MessageType {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

// Mute makes the server fall silent, or answer again. A silent server reads
// no RELEASE either.
func (s *Server) Mute(silent bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mute = silent
}

// Forget empties the server's table, as if it had lost its memory.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.table.leases)
}

// SetTimes changes the times of the leases granted from now on.
func (s *Server) SetTimes(lease, t1, t2 time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.table.conf.LeaseTime, s.table.conf.T1, s.table.conf.T2 = lease, t1, t2
}

// run answers one message after the other: a DISCOVER that follows a RELEASE
// must find the address free.
func (s *Server) run() {
	defer close(s.done)
	buf := make([]byte, 64<<10)
	for {
		n, _, err := s.conn.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // such as an ICMP error that an earlier reply caused
		}
		m, err := dhcpv4.FromBytes(buf[:n])
		if err != nil {
			continue
		}
		if r := s.handle(m); r != nil {
			s.send(m, r)
		}
	}
}

func (s *Server) handle(m *dhcpv4.DHCPv4) *dhcpv4.DHCPv4 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, m.MessageType())
	defer func() {
		close(s.heard)
		s.heard = make(chan struct{})
	}()
	if s.mute {
		return nil
	}
	return s.table.answer(m)
}

// send sends a reply where RFC 2131 section 4.1 wants it.
func (s *Server) send(m, r *dhcpv4.DHCPv4) {
	to, your := destination(m, r)
	if your.IsValid() {
		// The client does not answer ARP for an address that it has not got
		// yet, so the kernel is told its link address. Where that fails a
		// broadcast reaches the client as well.
		err := s.neig.NeighSet(&netlink.Neigh{
			LinkIndex: s.link, Family: netlink.FAMILY_V4, State: netlink.NUD_REACHABLE,
			IP: your.AsSlice(), HardwareAddr: r.ClientHWAddr,
		})
		if err != nil {
			to = netip.AddrPortFrom(broadcast, to.Port())
		}
	}
	// A reply that is lost is asked for again: there is nobody to tell.
	_, _ = s.conn.WriteToUDPAddrPort(r.ToBytes(), to)
}

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// destination returns where the reply r to m goes, RFC 2131 section 4.1. your is valid if
// the receiver does not have that address configured yet.
func destination(m, r *dhcpv4.DHCPv4) (to netip.AddrPort, your netip.Addr) {
	relay, has := addr(m.GatewayIPAddr), addr(m.ClientIPAddr)
	switch {
	case relay.IsValid():
		return netip.AddrPortFrom(relay, dhcpv4.ServerPort), netip.Addr{}
	case r.MessageType() == dhcpv4.MessageTypeNak:
		return netip.AddrPortFrom(broadcast, dhcpv4.ClientPort), netip.Addr{}
	case has.IsValid():
		return netip.AddrPortFrom(has, dhcpv4.ClientPort), netip.Addr{}
	case m.IsBroadcast() || !addr(r.YourIPAddr).IsValid():
		return netip.AddrPortFrom(broadcast, dhcpv4.ClientPort), netip.Addr{}
	default:
		your = addr(r.YourIPAddr)
		return netip.AddrPortFrom(your, dhcpv4.ClientPort), your
	}
}
