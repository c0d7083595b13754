package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/test/lab"
)

// A server answers every client at once, from a packet socket and without a
// disk, so that it is the clients that are measured.
type server struct {
	fd   int
	link *net.Interface
	ip   net.IP

	mu    sync.Mutex
	given map[string]net.IP
	done  chan struct{}
}

// leaseTime is long: nothing is to be renewed unasked.
const leaseTime = time.Hour

// serve starts a server on an interface of the space that has the address
// 10.77.0.1/16. The space's kernel answers ARP; a socket on port 67 keeps it
// from answering unicast datagrams with ICMP errors.
func serve(s *lab.Space, ifname string) (*server, error) {
	v := &server{ip: net.IPv4(10, 77, 0, 1).To4(), given: map[string]net.IP{}, done: make(chan struct{})}
	var udp *net.UDPConn
	err := s.Do(func() (err error) {
		if v.link, err = net.InterfaceByName(ifname); err != nil {
			return err
		}
		if udp, err = net.ListenUDP("udp4", &net.UDPAddr{Port: dhcpv4.ServerPort}); err != nil {
			return err
		}
		v.fd, err = packetSocket(v.link.Index)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	go func() {
		defer close(v.done)
		defer udp.Close()
		v.run()
	}()
	return v, nil
}

// packetSocket returns a socket for the IPv4 frames of an interface.
func packetSocket(index int) (int, error) {
	const proto = unix.ETH_P_IP<<8&0xff00 | unix.ETH_P_IP>>8
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, proto)
	if err != nil {
		return 0, err
	}
	if err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: proto, Ifindex: index}); err != nil {
		_ = unix.Close(fd)
		return 0, err
	}
	return fd, nil
}

func (v *server) run() {
	buf := make([]byte, 2048)
	for {
		n, from, err := unix.Recvfrom(v.fd, buf, 0)
		if errors.Is(err, unix.EINTR) || errors.Is(err, unix.ENETDOWN) {
			continue // an interface that went down comes back
		}
		if err != nil {
			return
		}
		if ll, ok := from.(*unix.SockaddrLinklayer); ok && ll.Pkttype == unix.PACKET_OUTGOING {
			continue
		}
		m := payload(buf[:n], dhcpv4.ServerPort)
		if m == nil || m.OpCode != dhcpv4.OpcodeBootRequest {
			continue
		}
		if r := v.answer(m); r != nil {
			v.send(m, r)
		}
	}
}

func (v *server) answer(m *dhcpv4.DHCPv4) *dhcpv4.DHCPv4 {
	var kind dhcpv4.MessageType
	switch m.MessageType() {
	case dhcpv4.MessageTypeDiscover:
		kind = dhcpv4.MessageTypeOffer
	case dhcpv4.MessageTypeRequest:
		kind = dhcpv4.MessageTypeAck
	default:
		return nil
	}
	r, err := dhcpv4.NewReplyFromRequest(m,
		dhcpv4.WithMessageType(kind), dhcpv4.WithYourIP(v.address(m.ClientHWAddr)), dhcpv4.WithServerIP(v.ip),
		dhcpv4.WithOption(dhcpv4.OptServerIdentifier(v.ip)),
		dhcpv4.WithOption(dhcpv4.OptSubnetMask(net.CIDRMask(16, 32))),
		dhcpv4.WithOption(dhcpv4.OptRouter(v.ip)),
		dhcpv4.WithLeaseTime(uint32(leaseTime/time.Second)))
	if err != nil {
		return nil
	}
	return r
}

// address returns the client's address: always the same one.
func (v *server) address(mac net.HardwareAddr) net.IP {
	v.mu.Lock()
	defer v.mu.Unlock()
	ip, ok := v.given[mac.String()]
	if !ok {
		n := len(v.given) + 256
		ip = net.IPv4(10, 77, byte(n>>8), byte(n)).To4()
		v.given[mac.String()] = ip
	}
	return ip
}

func (v *server) send(m, r *dhcpv4.DHCPv4) {
	to, ip := m.ClientHWAddr, r.YourIPAddr
	if m.IsBroadcast() {
		to, ip = net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, net.IPv4bcast
	}
	f := frame(v.link.HardwareAddr, to, v.ip, ip, dhcpv4.ServerPort, dhcpv4.ClientPort, r.ToBytes())
	_, _ = unix.Write(v.fd, f)
}

// Close ends the server.
func (v *server) Close() {
	_ = unix.Shutdown(v.fd, unix.SHUT_RD)
	_ = unix.Close(v.fd)
}

// frame wraps a DHCP message into UDP, IPv4 and Ethernet.
func frame(src, dst net.HardwareAddr, from, to net.IP, sport, dport uint16, m []byte) []byte {
	f := make([]byte, 14+20+8, 14+20+8+len(m))
	copy(f, dst)
	copy(f[6:], src)
	binary.BigEndian.PutUint16(f[12:], unix.ETH_P_IP)
	ip, udp := f[14:34], f[34:42]
	ip[0], ip[8], ip[9] = 0x45, 64, unix.IPPROTO_UDP
	binary.BigEndian.PutUint16(ip[2:], uint16(28+len(m)))
	copy(ip[12:], from.To4())
	copy(ip[16:], to.To4())
	binary.BigEndian.PutUint16(ip[10:], ^sum(0, ip))
	binary.BigEndian.PutUint16(udp, sport)
	binary.BigEndian.PutUint16(udp[2:], dport)
	binary.BigEndian.PutUint16(udp[4:], uint16(8+len(m)))
	f = append(f, m...)
	pseudo := append(append([]byte{}, f[26:34]...), 0, unix.IPPROTO_UDP, f[38], f[39])
	check := ^sum(uint32(sum(0, pseudo)), f[34:])
	if check == 0 {
		check = 0xffff
	}
	binary.BigEndian.PutUint16(f[40:], check)
	return f
}

func sum(s uint32, b []byte) uint16 {
	for i := 0; i+1 < len(b); i += 2 {
		s += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	if len(b)%2 == 1 {
		s += uint32(b[len(b)-1]) << 8
	}
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return uint16(s)
}

// payload returns the DHCP message for that port in an Ethernet frame; nil if
// it has none.
func payload(f []byte, port uint16) *dhcpv4.DHCPv4 {
	if len(f) < 42 || f[14] != 0x45 || f[23] != unix.IPPROTO_UDP || binary.BigEndian.Uint16(f[36:]) != port {
		return nil
	}
	end := 14 + int(binary.BigEndian.Uint16(f[16:]))
	if end < 42 || end > len(f) {
		return nil
	}
	m, err := dhcpv4.FromBytes(f[42:end])
	if err != nil {
		return nil
	}
	return m
}

// exchange is the floor: DISCOVER to ACK by a client that does nothing else.
func exchange(s *lab.Space, ifname string) (took time.Duration, err error) {
	err = s.Do(func() error {
		link, err := net.InterfaceByName(ifname)
		if err != nil {
			return err
		}
		fd, err := packetSocket(link.Index)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		if err = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 2}); err != nil {
			return err
		}
		disc, err := dhcpv4.NewDiscovery(link.HardwareAddr)
		if err != nil {
			return err
		}
		begin := time.Now()
		offer, err := ask(fd, link, disc)
		if err != nil {
			return err
		}
		req, err := dhcpv4.NewRequestFromOffer(offer)
		if err != nil {
			return err
		}
		if _, err = ask(fd, link, req); err != nil {
			return err
		}
		took = time.Since(begin)
		return nil
	})
	return took, err
}

// ask sends a message and returns the answer.
func ask(fd int, link *net.Interface, m *dhcpv4.DHCPv4) (*dhcpv4.DHCPv4, error) {
	all := net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	if _, err := unix.Write(fd, frame(link.HardwareAddr, all, net.IPv4zero, net.IPv4bcast, dhcpv4.ClientPort, dhcpv4.ServerPort, m.ToBytes())); err != nil {
		return nil, err
	}
	buf := make([]byte, 2048)
	for {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("no answer to a %s: %w", m.MessageType(), err)
		}
		if r := payload(buf[:n], dhcpv4.ClientPort); r != nil && r.TransactionID == m.TransactionID {
			return r, nil
		}
	}
}
