//go:build linux

package packet

import (
	"bytes"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/wire/arp"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// framed puts a body behind an Ethernet header.
func framed(to, from net.HardwareAddr, etherType uint16, body []byte) []byte {
	return append(slices.Concat([]byte(to), []byte(from), []byte{byte(etherType >> 8), byte(etherType)}), body...)
}

// The filter passes DHCP from and to all, and of ARP what concerns conflicts.
func TestCaptureFilter(t *testing.T) {
	t.Parallel()
	ip := func(src, dst string) []byte {
		return framed(broadcastMAC, macP, unix.ETH_P_IP, packetOf(src, dst, make([]byte, 240)))
	}
	change := func(f []byte, edit func(ip []byte)) []byte {
		f = slices.Clone(f)
		edit(f[etherHeader:])
		return f
	}
	discover := ip("0.0.0.0:68", "255.255.255.255:67")
	options := change(discover, func(b []byte) { b[0] = 0x46 })
	options = slices.Insert(options, etherHeader+20, 1, 1, 1, 0)
	question := func(sender, target string) []byte {
		p := arp.Probe(arp.HardwareAddr(macP), netip.MustParseAddr(target))
		p.Sender = netip.MustParseAddr(sender)
		return framed(broadcastMAC, macP, unix.ETH_P_ARP, arp.Append(nil, p))
	}
	for name, tc := range map[string]struct {
		frame          []byte
		passes, always bool // with ARP; without, too
	}{
		"a client's message":      {discover, true, true},
		"a server's message":      {ip("10.0.0.1:67", "10.0.0.9:68"), true, true},
		"to a relay":              {ip("10.0.0.1:67", "10.0.0.254:67"), true, true},
		"from another port":       {ip("10.0.0.1:1067", "10.0.0.9:68"), true, true},
		"to another port":         {ip("10.0.0.1:67", "10.0.0.9:1068"), true, true},
		"IP options":              {options, true, true},
		"a first fragment":        {change(discover, func(b []byte) { b[6] |= 0x20 }), true, true},
		"a later fragment":        {change(discover, func(b []byte) { b[7] = 9 }), false, false},
		"other ports":             {ip("10.0.0.1:53", "10.0.0.9:5353"), false, false},
		"TCP":                     {change(discover, func(b []byte) { b[9] = unix.IPPROTO_TCP }), false, false},
		"IPv6":                    {framed(broadcastMAC, macP, unix.ETH_P_IPV6, make([]byte, 60)), false, false},
		"too short":               {discover[:20], false, false},
		"a probe":                 {question("0.0.0.0", "10.0.0.9"), true, false},
		"an announcement":         {question("10.0.0.9", "10.0.0.9"), true, false},
		"an answer to a probe":    {question("10.0.0.9", "0.0.0.0"), true, false},
		"a neighbour's question":  {question("10.0.0.1", "10.0.0.9"), false, false},
		"an ARP packet too short": {question("0.0.0.0", "10.0.0.9")[:30], false, false},
	} {
		for _, withARP := range []bool{false, true} {
			raw, err := captureFilter(withARP)
			if err != nil {
				t.Fatal(err)
			}
			program, _ := bpf.Disassemble(raw)
			vm, err := bpf.NewVM(program)
			if err != nil {
				t.Fatal(err)
			}
			n, err := vm.Run(tc.frame)
			if want := tc.always || tc.passes && withARP; err != nil || (n > 0) != want {
				t.Errorf("%s (ARP %v): passes %v, %v", name, withARP, n > 0, err)
			}
		}
	}
}

// A capture sees what passes in both directions, with the kernel's time stamps,
// and nothing once it is closed.
func TestCapture(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	got := make(chan Frame, 64)
	x, err := l.n.Capture(l.c0(), true, func(f Frame) { got <- f })
	l.Must(err)
	s := l.station()
	next := func() Frame {
		t.Helper()
		select {
		case f := <-got:
			return f
		case <-time.After(10 * time.Second):
			t.Fatal("nothing was captured")
			return Frame{}
		}
	}
	began := time.Now()
	offer := packetOf("10.77.0.1:67", "255.255.255.255:68", reply(macC, 1))
	s.send(packetOf("10.77.0.1:53", "255.255.255.255:53", make([]byte, 300)), broadcastMAC) // of no interest
	s.send(offer, broadcastMAC)
	f := next()
	if want := framed(broadcastMAC, macP, unix.ETH_P_IP, offer); !bytes.Equal(f.Data, want) || f.Length != len(want) || f.Outgoing || f.Dropped != 0 {
		t.Errorf("arrived: %+v", f)
	}
	if f.Time.Before(began.Add(-time.Second)) || f.Time.After(time.Now().Add(time.Second)) {
		t.Errorf("at %v, it is %v", f.Time, time.Now())
	}
	l.Must(l.sendARP(l.c0(), arp.Append(nil, arp.Probe(arp.HardwareAddr(macC), netip.MustParseAddr("10.77.0.9"))), nil))
	if f = next(); !f.Outgoing || len(f.Data) < 42 || !bytes.Equal(f.Data[6:12], macC) {
		t.Errorf("sent: %+v", f)
	}

	// Without ARP, and a frame as long as the link carries.
	l.Must(x.Close())
	l.Must(x.Close())
	x, err = l.n.Capture(l.c0(), false, func(f Frame) { got <- f })
	l.Must(err)
	t.Cleanup(func() { _ = x.Close() })
	l.Must(l.sendARP(l.c0(), arp.Append(nil, arp.Probe(arp.HardwareAddr(macC), netip.MustParseAddr("10.77.0.9"))), nil))
	long := packetOf("10.77.0.1:67", "255.255.255.255:68", append(reply(macC, 2), make([]byte, 1100)...))
	s.send(long, broadcastMAC)
	if f = next(); !bytes.Equal(f.Data, framed(broadcastMAC, macP, unix.ETH_P_IP, long)) || f.Length != len(f.Data) {
		t.Errorf("a long one: %d of %d bytes", len(f.Data), f.Length)
	}
	select {
	case f := <-got:
		t.Errorf("more than was asked for: %+v", f)
	default:
	}
}

// A capture's socket is asked for before anything is received: an interface
// that is not there is an error.
func TestCaptureWithoutInterface(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	if _, err := l.n.Capture(netconf.Link{Index: 99, Name: "c9"}, false, func(Frame) {}); err == nil {
		t.Error("no error")
	}
}
