package lab

import (
	enc "encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"golang.org/x/sys/unix"
)

// How long tests wait for what is bound to come soon, and for what a server
// or client may take its time for.
const (
	waitShort = 5 * time.Second
	waitLong  = 20 * time.Second
)

// A Packet is a frame seen on a cable. Its DHCP message is read by an
// implementation that shares no code with ours.
type Packet struct {
	// Time is the kernel's time stamp.
	Time time.Time
	// FromStation says that the frame came from the machine, not from the network.
	FromStation      bool
	SrcMAC, DstMAC   net.HardwareAddr
	Src, Dst         netip.Addr
	SrcPort, DstPort uint16
	TTL              uint8
	// BadChecksum says that the IP or UDP checksum is complete and wrong.
	BadChecksum bool
	// DHCP is the message of a datagram between ports 67 and 68, else nil.
	DHCP *dhcpv4.DHCPv4
	// ARP is the message of an ARP frame, else nil.
	ARP *ARP
	Raw []byte
}

// ARP is an ARP message for IPv4 over Ethernet.
type ARP struct {
	Op                   uint16 // 1 request, 2 reply
	SenderMAC, TargetMAC net.HardwareAddr
	SenderIP, TargetIP   netip.Addr
}

// Type returns the DHCP message type; 0 if the packet is no DHCP message.
func (p Packet) Type() dhcpv4.MessageType {
	if p.DHCP == nil {
		return 0
	}
	return p.DHCP.MessageType()
}

// Client reports whether the packet is a DHCP message of that type that the
// station sent.
func (p Packet) Client(t dhcpv4.MessageType) bool { return p.FromStation && p.Type() == t }

// Server reports whether the packet is a DHCP message of that type that came
// to the station.
func (p Packet) Server(t dhcpv4.MessageType) bool { return !p.FromStation && p.Type() == t }

func (p Packet) String() string {
	dir := "<"
	if p.FromStation {
		dir = ">"
	}
	at := p.Time.Format("15:04:05.000000")
	switch {
	case p.ARP != nil:
		return fmt.Sprintf("%s %s ARP op %d %s (%s) asks for %s", at, dir, p.ARP.Op, p.ARP.SenderIP, p.ARP.SenderMAC, p.ARP.TargetIP)
	case p.DHCP != nil:
		d := p.DHCP
		var more strings.Builder
		if d.ClientIPAddr != nil && !d.ClientIPAddr.IsUnspecified() {
			fmt.Fprintf(&more, " ciaddr=%s", d.ClientIPAddr)
		}
		if d.YourIPAddr != nil && !d.YourIPAddr.IsUnspecified() {
			fmt.Fprintf(&more, " yiaddr=%s", d.YourIPAddr)
		}
		if ip := d.RequestedIPAddress(); ip != nil {
			fmt.Fprintf(&more, " requested=%s", ip)
		}
		if ip := d.ServerIdentifier(); ip != nil {
			fmt.Fprintf(&more, " server=%s", ip)
		}
		if lt := d.IPAddressLeaseTime(0); lt != 0 {
			fmt.Fprintf(&more, " lease=%s", lt)
		}
		if id := d.Options.Get(dhcpv4.OptionClientIdentifier); id != nil {
			fmt.Fprintf(&more, " id=%x", id)
		}
		if d.IsBroadcast() {
			more.WriteString(" B")
		}
		if p.BadChecksum {
			more.WriteString(" BAD CHECKSUM")
		}
		return fmt.Sprintf("%s %s %-8s %s:%d %s -> %s:%d %s xid=%s secs=%d%s", at, dir, d.MessageType(),
			p.Src, p.SrcPort, p.SrcMAC, p.Dst, p.DstPort, p.DstMAC, d.TransactionID, d.NumSeconds, more.String())
	default:
		return fmt.Sprintf("%s %s %s -> %s %d bytes", at, dir, p.Src, p.Dst, len(p.Raw))
	}
}

// A Capture records the ARP and DHCP packets of a cable, in both directions.
type Capture struct {
	Journal[Packet]
	t     T
	name  string
	file  *os.File
	space *Space
	index int
	syncs Journal[uint64]
	asked atomic.Uint64
}

// syncProto is the EtherType of the frames by which a capture finds out how
// far it has read: one for local experiments (IEEE 802, 9.2.4).
const syncProto = 0x88b5

// Mark returns the position after the last packet that passed until now, read
// or not.
func (c *Capture) Mark() int {
	n := c.asked.Add(1)
	err := c.space.Do(func() error {
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		f := make([]byte, 60)
		enc.BigEndian.PutUint16(f[12:], syncProto)
		enc.BigEndian.PutUint64(f[14:], n)
		return unix.Sendto(fd, f, 0, &unix.SockaddrLinklayer{Ifindex: c.index, Halen: 6})
	})
	if err == nil { // else the cable is pulled: there is nothing to wait for
		c.syncs.Wait(0, time.Second, func(have uint64) bool { return have == n })
	}
	return c.Journal.Mark()
}

// Select returns the packets from mark on that passed until now, read or not, and
// are those.
func (c *Capture) Select(mark int, is func(Packet) bool) []Packet {
	c.Mark()
	return c.Journal.Select(mark, is)
}

// Capture records what passes the port until the test ends. The packets are
// shown if the test fails.
func (p *Port) Capture() *Capture {
	t := p.lab.t
	t.Helper()
	c, err := OpenCapture(p.lab.wires, p.far.Attrs().Index, false)
	if err != nil {
		t.Fatalf("lab: capture on %s: %v", p.Name, err)
	}
	c.t, c.name = t, p.space.Name+"/"+p.Name
	t.Cleanup(func() {
		_ = c.Close()
		if t.Failed() {
			all := c.Since(0)
			var b strings.Builder
			if len(all) > 300 {
				fmt.Fprintf(&b, "\n\t… %d packets", len(all)-300)
				all = all[len(all)-300:]
			}
			for _, p := range all {
				b.WriteString("\n\t" + p.String())
			}
			t.Logf("packets of %s:%s", c.name, b.String())
		}
	})
	return c
}

// OpenCapture records the packets of an interface of the space; near says
// that the interface is the station's own, not the far end of its cable.
func OpenCapture(s *Space, index int, near bool) (*Capture, error) {
	c := &Capture{space: s, index: index}
	err := s.Do(func() error {
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			return fmt.Errorf("packet socket: %w", err)
		}
		all := uint16(unix.ETH_P_ALL)
		err = errors.Join(
			unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 4<<20),
			unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1),
			unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_AUXDATA, 1),
			unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all<<8 | all>>8, Ifindex: index}))
		if errors.Is(err, unix.EPERM) { // the buffer may not be that large in a user namespace
			err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all<<8 | all>>8, Ifindex: index})
		}
		if err != nil {
			_ = unix.Close(fd)
			return err
		}
		c.file = os.NewFile(uintptr(fd), "capture")
		return nil
	})
	if err != nil {
		return nil, err
	}
	raw, err := c.file.SyscallConn()
	if err != nil {
		return nil, err
	}
	go func() {
		defer c.Journal.Close()
		buf, oob := make([]byte, 65536), make([]byte, 256)
		for {
			var n, oobn int
			var from unix.Sockaddr
			var rerr error
			err := raw.Read(func(fd uintptr) bool {
				n, oobn, _, from, rerr = unix.Recvmsg(int(fd), buf, oob, 0)
				return !errors.Is(rerr, unix.EAGAIN)
			})
			if err != nil {
				return // closed
			}
			if rerr != nil {
				continue // the cable was pulled; it may come back
			}
			if n == 60 && enc.BigEndian.Uint16(buf[12:]) == syncProto {
				c.syncs.Add(enc.BigEndian.Uint64(buf[14:]))
				continue
			}
			p, ok := decode(buf[:n], oob[:oobn])
			if !ok {
				continue
			}
			if ll, is := from.(*unix.SockaddrLinklayer); is {
				outgoing := ll.Pkttype == unix.PACKET_OUTGOING
				p.FromStation = outgoing == near
			}
			c.Add(p)
		}
	}()
	return c, nil
}

// Close ends the recording.
func (c *Capture) Close() error { return c.file.Close() }

// Await waits for a packet at or after mark. what names it in the failure.
func (c *Capture) Await(mark int, patience time.Duration, what string, is func(Packet) bool) (Packet, int) {
	c.t.Helper()
	p, next, ok := c.Wait(mark, patience, is)
	if !ok {
		c.t.Fatalf("%s: no %s within %v", c.name, what, patience)
	}
	return p, next
}

// AwaitClient waits for a DHCP message of that type from the station.
func (c *Capture) AwaitClient(mark int, patience time.Duration, typ dhcpv4.MessageType) (Packet, int) {
	c.t.Helper()
	return c.Await(mark, patience, typ.String()+" from the client", func(p Packet) bool { return p.Client(typ) })
}

// AwaitServer waits for a DHCP message of that type to the station.
func (c *Capture) AwaitServer(mark int, patience time.Duration, typ dhcpv4.MessageType) (Packet, int) {
	c.t.Helper()
	return c.Await(mark, patience, typ.String()+" from a server", func(p Packet) bool { return p.Server(typ) })
}

// SentByClient returns the DHCP messages that the station sent from mark until
// now.
func (c *Capture) SentByClient(mark int) []Packet {
	c.Mark()
	return c.Select(mark, func(p Packet) bool { return p.FromStation && p.DHCP != nil })
}

func decode(frame, oob []byte) (Packet, bool) {
	if len(frame) < 14 {
		return Packet{}, false
	}
	p := Packet{
		Time: time.Now(), Raw: append([]byte(nil), frame...),
		DstMAC: append(net.HardwareAddr(nil), frame[:6]...), SrcMAC: append(net.HardwareAddr(nil), frame[6:12]...),
	}
	partial := false // the checksum is left to the hardware, which is not there
	if msgs, err := unix.ParseSocketControlMessage(oob); err == nil {
		for _, m := range msgs {
			switch {
			case m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SCM_TIMESTAMPNS && len(m.Data) >= 16:
				p.Time = time.Unix(int64(enc.NativeEndian.Uint64(m.Data)), int64(enc.NativeEndian.Uint64(m.Data[8:])))
			case m.Header.Level == unix.SOL_PACKET && m.Header.Type == unix.PACKET_AUXDATA && len(m.Data) >= 4:
				partial = enc.NativeEndian.Uint32(m.Data)&unix.TP_STATUS_CSUMNOTREADY != 0
			}
		}
	}
	body := p.Raw[14:]
	switch enc.BigEndian.Uint16(frame[12:]) {
	case unix.ETH_P_ARP:
		if len(body) < 28 || enc.BigEndian.Uint16(body[2:]) != unix.ETH_P_IP {
			return p, false
		}
		p.ARP = &ARP{Op: enc.BigEndian.Uint16(body[6:]), SenderMAC: body[8:14], TargetMAC: body[18:24]}
		p.ARP.SenderIP, _ = netip.AddrFromSlice(body[14:18])
		p.ARP.TargetIP, _ = netip.AddrFromSlice(body[24:28])
		return p, true
	case unix.ETH_P_IP:
		return p, p.decodeIPv4(body, partial)
	default:
		return p, false
	}
}

// decodeIPv4 reads a datagram between the DHCP ports; it returns false for any other.
func (p *Packet) decodeIPv4(b []byte, partial bool) bool {
	if len(b) < 20 || b[0]>>4 != 4 || b[9] != unix.IPPROTO_UDP {
		return false
	}
	hl, total := int(b[0]&15)*4, int(enc.BigEndian.Uint16(b[2:]))
	if hl < 20 || total < hl+8 || total > len(b) {
		return false
	}
	p.TTL = b[8]
	p.Src, _ = netip.AddrFromSlice(b[12:16])
	p.Dst, _ = netip.AddrFromSlice(b[16:20])
	u := b[hl:total]
	p.SrcPort, p.DstPort = enc.BigEndian.Uint16(u), enc.BigEndian.Uint16(u[2:])
	if p.SrcPort != 67 && p.SrcPort != 68 && p.DstPort != 67 && p.DstPort != 68 {
		return false
	}
	p.BadChecksum = onesSum(0, b[:hl]) != 0xffff
	if enc.BigEndian.Uint16(u[6:]) != 0 && !partial {
		pseudo := append(append([]byte{}, b[12:20]...), 0, unix.IPPROTO_UDP, u[4], u[5])
		p.BadChecksum = p.BadChecksum || onesSum(uint32(onesSum(0, pseudo)), u) != 0xffff
	}
	if d, err := dhcpv4.FromBytes(u[8:]); err == nil {
		p.DHCP = d
	}
	return true
}

func onesSum(sum uint32, b []byte) uint16 {
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(enc.BigEndian.Uint16(b[i:]))
	}
	if len(b)%2 == 1 {
		sum += uint32(b[len(b)-1]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return uint16(sum)
}
