//go:build linux

package packet

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/lessee/lessee/internal/linux/syserr"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/mdlayher/socket"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Capture delivers the DHCP frames of the link as the kernel sees them, both
// directions and all clients', and with arp the packets of conflict detection
// too, from one goroutine, until it is closed. It has a socket of its own: what
// others receive is not touched.
func (n *Transport) Capture(link netconf.Link, arp bool, deliver func(Frame)) (io.Closer, error) {
	var c *socket.Conn
	err := n.space.Do(func() (err error) {
		c, err = socket.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0, "packet", nil)
		return err
	})
	if err != nil {
		return nil, syserr.Wrap(link.Name, "open a packet socket", err)
	}
	if err := listenForFrames(c, link, arp); err != nil {
		c.Close()
		return nil, syserr.Wrap(link.Name, "open a packet socket", err)
	}
	x := &capture{link: link, c: c, deliver: deliver}
	go x.run()
	return x, nil
}

// captureBuffer is what the kernel holds for a reader that is late, in bytes.
const captureBuffer = 1 << 20

// listenForFrames filters c and lets it receive from the link, in this order.
func listenForFrames(c *socket.Conn, link netconf.Link, arp bool) error {
	f, err := captureFilter(arp)
	if err != nil {
		return fmt.Errorf("assemble the packet filter: %w", err)
	}
	if err := c.SetBPF(f); err != nil {
		return fmt.Errorf("set the packet filter: %w", err)
	}
	if err := c.SetsockoptInt(unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1); err != nil {
		return fmt.Errorf("ask for time stamps: %w", err)
	}
	if err := c.SetsockoptInt(unix.SOL_PACKET, unix.PACKET_AUXDATA, 1); err != nil {
		return fmt.Errorf("ask for the VLAN: %w", err)
	}
	// It is as large as the system allows where this is too much.
	_ = c.SetsockoptInt(unix.SOL_SOCKET, unix.SO_RCVBUF, captureBuffer)
	if err := c.Bind(&unix.SockaddrLinklayer{Protocol: networkOrder(unix.ETH_P_ALL), Ifindex: link.Index}); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	return nil
}

// networkOrder is a protocol as sockaddr_ll wants it.
func networkOrder(v uint16) uint16 {
	if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 {
		return v
	}
	return bits.ReverseBytes16(v)
}

// Where the capture's filter looks: the frame begins with the Ethernet header.
const (
	atEtherType    = 12
	etherHeader    = 14
	atSenderIP     = etherHeader + 14
	atTargetIP     = etherHeader + 24
	fragmentOffset = 0x1fff
)

// captureFilter passes UDP over IPv4 from or to port 67 or 68, all but the
// later fragments, and with arp the packets of conflict detection (RFC 5227):
// probes, the answers to them, and announcements.
func captureFilter(arp bool) ([]bpf.RawInstruction, error) {
	const accept, drop = 255, 254 // jumps to the end, filled in below
	f := []bpf.Instruction{
		bpf.LoadAbsolute{Off: atEtherType, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.ETH_P_IP, SkipFalse: 12},
		bpf.LoadAbsolute{Off: etherHeader + atProtocol, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.IPPROTO_UDP, SkipFalse: drop},
		bpf.LoadAbsolute{Off: etherHeader + atFragment, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpBitsNotSet, Val: fragmentOffset, SkipFalse: drop},
		bpf.LoadMemShift{Off: etherHeader},
		bpf.LoadIndirect{Off: etherHeader, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: serverPort, SkipTrue: accept},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: clientPort, SkipTrue: accept},
		bpf.LoadIndirect{Off: etherHeader + atDestPort, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: serverPort, SkipTrue: accept},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: clientPort, SkipTrue: accept},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 1 << 16, SkipTrue: accept, SkipFalse: drop}, // never equal
	}
	if arp {
		f = append(f,
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.ETH_P_ARP, SkipFalse: drop},
			bpf.LoadAbsolute{Off: atSenderIP, Size: 4},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: accept},
			bpf.TAX{},
			bpf.LoadAbsolute{Off: atTargetIP, Size: 4},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: accept},
			bpf.JumpIfX{Cond: bpf.JumpEqual, SkipTrue: accept, SkipFalse: drop},
		)
	}
	f = append(f, bpf.RetConstant{Val: 0}, bpf.RetConstant{Val: allBytes})
	end := func(at int, skip uint8) uint8 {
		switch skip {
		case accept:
			return uint8(len(f) - 1 - at - 1) //nolint:gosec // a short program
		case drop:
			return uint8(len(f) - 2 - at - 1) //nolint:gosec // a short program
		}
		return skip
	}
	for i, ins := range f {
		switch j := ins.(type) {
		case bpf.JumpIf:
			j.SkipTrue, j.SkipFalse = end(i, j.SkipTrue), end(i, j.SkipFalse)
			f[i] = j
		case bpf.JumpIfX:
			j.SkipTrue, j.SkipFalse = end(i, j.SkipTrue), end(i, j.SkipFalse)
			f[i] = j
		}
	}
	return bpf.Assemble(f)
}

// A capture is a socket and the goroutine that reads it.
type capture struct {
	link    netconf.Link
	c       *socket.Conn
	deliver func(Frame)

	mu     sync.Mutex
	closed bool
}

// Close ends the delivery; one that is under way may still finish. The reading
// goroutine closes the socket, because that waits for the kernel.
func (x *capture) Close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return nil
	}
	x.closed = true
	return x.c.SetReadDeadline(time.Unix(1, 0)) // in the past: wakes the reader for good
}

func (x *capture) open() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return !x.closed
}

func (x *capture) run() {
	defer x.c.Close()
	buf := make([]byte, max(x.link.MTU+etherHeader, 2048))
	oob := make([]byte, unix.CmsgSpace(sizeofAuxdata)+unix.CmsgSpace(sizeofTimespec))
	for {
		n, oobn, _, from, err := x.c.Recvmsg(context.Background(), buf, oob, unix.MSG_TRUNC)
		if !x.open() {
			return
		}
		switch {
		case err == nil:
		case errors.Is(err, os.ErrClosed), errors.Is(err, unix.EBADF):
			return
		default:
			continue // the link went down; the socket lives on
		}
		if parseAuxdata(oob[:oobn]).vlan() {
			continue // of another link
		}
		f := Frame{Time: stamp(oob[:oobn]), Length: n, Data: slices.Clone(buf[:min(n, len(buf))]), Dropped: x.dropped()}
		if ll, ok := from.(*unix.SockaddrLinklayer); ok {
			f.Outgoing = ll.Pkttype == unix.PACKET_OUTGOING
		}
		x.deliver(f)
	}
}

// sizeofTimespec is the size of struct timespec.
const sizeofTimespec = 16

// stamp returns the kernel's time stamp, or the present time without one.
func stamp(oob []byte) time.Time {
	msgs, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return time.Now()
	}
	for _, m := range msgs {
		if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SCM_TIMESTAMPNS && len(m.Data) >= sizeofTimespec {
			return time.Unix(int64(binary.NativeEndian.Uint64(m.Data)), int64(binary.NativeEndian.Uint64(m.Data[8:]))) //nolint:gosec // as the kernel has them
		}
	}
	return time.Now()
}

// dropped returns how many frames the kernel had no room for since the last call.
func (x *capture) dropped() uint64 {
	rc, err := x.c.SyscallConn()
	if err != nil {
		return 0
	}
	var n uint64
	_ = rc.Control(func(fd uintptr) {
		if s, err := unix.GetsockoptTpacketStats(int(fd), unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
			n = uint64(s.Drops)
		}
	})
	return n
}
