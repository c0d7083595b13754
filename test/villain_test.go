package test

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"golang.org/x/sys/unix"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/test/lab"
	"github.com/lessee/lessee/wire/udp4"
)

// A villain is a machine on the client's link that sends what it likes, and
// that can play the server.
type villain struct {
	t     *testing.T
	space *lab.Space
	index int
	fd    int
	// asks are the messages of the client, the latest first.
	mu   sync.Mutex
	last *ask
	news chan struct{}
	// answer, where set, returns the frames that answer a message.
	answer func(a *ask) [][]byte
}

// An ask is what the client sent.
type ask struct {
	*dhcpv4.DHCPv4
	broadcast bool
}

// state is the state that a client is in that asks so (RFC 2131 section 4.3.2).
func (a *ask) state() string {
	switch {
	case a.MessageType() == discover:
		return "selecting"
	case a.MessageType() != request:
		return ""
	case a.ServerIdentifier() != nil:
		return "requesting"
	case a.RequestedIPAddress() != nil:
		return "rebooting"
	case a.broadcast:
		return "rebinding"
	}
	return "renewing"
}

var (
	villainMAC = net.HardwareAddr{2, 0, 0, 0, 1, 0x42}
	clientMAC  = net.HardwareAddr{2, 0, 0, 0, 0, 2}
	everyone   = net.HardwareAddr{255, 255, 255, 255, 255, 255}
)

// newVillain makes a cable with the client's machine at one end, the villain at
// the other, and nothing between them that would mend or drop a frame.
func newVillain(t *testing.T) (*villain, *lab.Space) {
	t.Helper()
	l := lab.New(t)
	v := &villain{t: t, space: l.Space("villain"), news: make(chan struct{}, 1)}
	client := l.Space("client")
	l.Cable(v.space, "s0", villainMAC.String(), client, "c0", clientMAC.String())
	v.space.AddAddress(t, "s0", "10.77.0.1/24")
	v.open()
	return v, client
}

func (v *villain) open() {
	v.t.Helper()
	link, err := v.space.Net.LinkByName("s0")
	if err == nil {
		v.index = link.Attrs().Index
		err = v.space.Do(func() (err error) {
			v.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
			return err
		})
	}
	if err == nil {
		err = unix.Bind(v.fd, &unix.SockaddrLinklayer{Protocol: htons(unix.ETH_P_IP), Ifindex: v.index})
	}
	if err == nil {
		tv := unix.NsecToTimeval(int64(50 * time.Millisecond))
		err = unix.SetsockoptTimeval(v.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv)
	}
	if err != nil {
		v.t.Fatal(err)
	}
	var stop atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 4096)
		for !stop.Load() {
			n, _, err := unix.Recvfrom(v.fd, buf, 0)
			if err != nil || n < 14+28 {
				continue
			}
			d, err := udp4.Parse(buf[14:n], true)
			if err != nil || d.Destination.Port() != 67 {
				continue
			}
			m, err := dhcpv4.FromBytes(slices.Clone(d.Payload))
			if err != nil {
				v.t.Errorf("the client sent %x: %v", d.Payload, err)
				continue
			}
			a := &ask{m, d.Destination.Addr() == addr("255.255.255.255")}
			v.mu.Lock()
			v.last = a
			answer := v.answer
			v.mu.Unlock()
			if answer != nil {
				for _, f := range answer(a) {
					v.send(f)
				}
			}
			select {
			case v.news <- struct{}{}:
			default:
			}
		}
	}()
	v.t.Cleanup(func() {
		stop.Store(true)
		<-done
		_ = unix.Close(v.fd)
	})
}

// serve has the villain play an honest server, or none.
func (v *villain) serve(yes bool, options ...dhcpv4.Modifier) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.answer = nil
	if yes {
		v.answer = func(a *ask) [][]byte {
			switch a.state() {
			case "":
				return nil
			case "selecting":
				return [][]byte{dhcpFrame(reply(a, offer, options...))}
			}
			return [][]byte{dhcpFrame(reply(a, ack, options...))}
		}
	}
}

func htons(v uint16) uint16 {
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], v)
	return binary.NativeEndian.Uint16(b[:])
}

func (v *villain) latest() *ask {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.last
}

// await waits until the client asks as it does in that state.
func (v *villain) await(state string) *ask {
	v.t.Helper()
	return v.awaitWithin(patience, state)
}

func (v *villain) awaitWithin(most time.Duration, state string) *ask {
	v.t.Helper()
	for end := time.After(most); ; {
		if a := v.latest(); a != nil && a.state() == state {
			return a
		}
		select {
		case <-v.news:
		case <-end:
			v.t.Fatalf("the client does not ask as if %s; it last sent %v", state, v.latest())
		}
	}
}

// plug pulls the cable, or plugs it in.
func (v *villain) plug(in bool) {
	v.t.Helper()
	if err := v.space.SetUp("s0", in); err != nil {
		v.t.Fatal(err)
	}
}

// forget makes await wait for news.
func (v *villain) forget() {
	v.mu.Lock()
	v.last = nil
	v.mu.Unlock()
}

// reply is a good answer of that type.
func reply(a *ask, typ dhcpv4.MessageType, options ...dhcpv4.Modifier) []byte {
	m, err := dhcpv4.NewReplyFromRequest(a.DHCPv4, append([]dhcpv4.Modifier{
		dhcpv4.WithMessageType(typ),
		dhcpv4.WithYourIP(net.IPv4(10, 77, 0, 100)),
		dhcpv4.WithServerIP(net.IPv4(10, 77, 0, 1)),
		dhcpv4.WithOption(dhcpv4.OptServerIdentifier(net.IPv4(10, 77, 0, 1))),
		dhcpv4.WithOption(dhcpv4.OptSubnetMask(net.CIDRMask(24, 32))),
		dhcpv4.WithOption(dhcpv4.OptRouter(net.IPv4(10, 77, 0, 1))),
		dhcpv4.WithOption(dhcpv4.OptDNS(net.IPv4(10, 77, 0, 1))),
		dhcpv4.WithLeaseTime(3600),
	}, options...)...)
	if err != nil {
		panic(err)
	}
	if id := a.Options.Get(dhcpv4.OptionClientIdentifier); id != nil {
		m.UpdateOption(dhcpv4.OptGeneric(dhcpv4.OptionClientIdentifier, id)) // RFC 6842
	}
	return m.ToBytes()
}

// dhcpFrame puts a message into a frame from the villain, as the server 10.77.0.1.
func dhcpFrame(message []byte) []byte { return dhcpFrameFrom("10.77.0.1", clientMAC, message) }

func dhcpFrameFrom(server string, to net.HardwareAddr, message []byte) []byte {
	f := slices.Concat(to, villainMAC, []byte{8, 0})
	f, err := udp4.Append(f, udp4.Datagram{
		Source:      netip.AddrPortFrom(addr(server), 67),
		Destination: netip.MustParseAddrPort("255.255.255.255:68"),
		Payload:     message,
	})
	if err != nil {
		panic(err)
	}
	return f
}

func (v *villain) send(frame []byte) {
	for {
		err := unix.Sendto(v.fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: v.index, Halen: 6})
		if err == nil {
			return
		}
		if err != unix.ENOBUFS && err != unix.EAGAIN && err != unix.EINTR {
			v.t.Errorf("the villain cannot send: %v", err)
			return
		}
	}
}

func show(t *testing.T, d *lab.Daemon) lessee.Adapter {
	t.Helper()
	a, err := d.Client.Adapter(context.Background(), "c0")
	if err != nil {
		t.Fatalf("the daemon does not answer: %v", err)
	}
	return a
}

// usage is what the daemon has used so far.
type usage struct {
	cpu      time.Duration
	rss      int // bytes
	switches int // voluntary: how often it slept and was woken
}

func usageOf(t *testing.T, pid int) usage {
	t.Helper()
	var u usage
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatalf("the daemon is gone: %v", err)
	}
	// pid (name) state ppid ...: utime and stime are fields 14 and 15, in ticks of 10 ms.
	f := strings.Fields(string(stat)[strings.LastIndex(string(stat), ")")+1:])
	for _, at := range []int{11, 12} {
		ticks, err := strconv.Atoi(f[at])
		if err != nil {
			t.Fatalf("/proc/%d/stat: %v", pid, err)
		}
		u.cpu += time.Duration(ticks) * 10 * time.Millisecond
	}
	tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	for _, task := range tasks {
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/status", pid, task.Name()))
		for line := range strings.Lines(string(status)) {
			if n, ok := strings.CutPrefix(line, "voluntary_ctxt_switches:"); ok {
				v, _ := strconv.Atoi(strings.TrimSpace(n))
				u.switches += v
			}
		}
	}
	now, err := lab.UsageOf(pid)
	if err != nil {
		t.Fatal(err)
	}
	u.rss = now.RSS
	return u
}
