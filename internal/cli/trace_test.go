//go:build linux

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket/pcapgo"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/golden"
	"github.com/lessee/lessee/wire/arp"
	wire "github.com/lessee/lessee/wire/dhcp4"
	"github.com/lessee/lessee/wire/udp4"
)

var (
	clientMAC = arp.HardwareAddr{2, 0, 0, 0, 0, 2}
	serverMAC = arp.HardwareAddr{2, 0, 0, 0, 0, 1}
	broadcast = netip.MustParseAddr("255.255.255.255")
	nowhere   = netip.MustParseAddr("0.0.0.0")
	theServer = netip.MustParseAddr("10.77.0.1")
	theLease  = netip.MustParseAddr("10.77.0.105")
)

// ethernet makes a frame of a body.
func ethernet(to, from arp.HardwareAddr, etherType uint16, body []byte) []byte {
	f := append(append(append([]byte{}, to[:]...), from[:]...), byte(etherType>>8), byte(etherType))
	return append(f, body...)
}

// frame makes a frame with a message; op tells who sends it.
func frame(t *testing.T, after time.Duration, op wire.Op, m wire.MessageType, edit func(*wire.Builder)) lessee.Frame {
	t.Helper()
	b := wire.NewBuilder(op, 1, clientMAC[:], 0x1a2b3c4d)
	b.AddMessageType(m)
	if edit != nil {
		edit(b)
	}
	d := udp4.Datagram{Source: netip.AddrPortFrom(nowhere, 68), Destination: netip.AddrPortFrom(broadcast, 67), Payload: b.Bytes()}
	to, from := arp.HardwareAddr{255, 255, 255, 255, 255, 255}, clientMAC
	if op == wire.OpReply {
		d.Source, d.Destination = netip.AddrPortFrom(theServer, 67), netip.AddrPortFrom(theLease, 68)
		to, from = clientMAC, serverMAC
	}
	packet, err := udp4.Append(nil, d)
	if err != nil {
		t.Fatal(err)
	}
	f := ethernet(to, from, 0x0800, packet)
	return lessee.Frame{Time: now.Add(after), Outgoing: op == wire.OpRequest, Length: len(f), Data: f}
}

// exchange is what a link may carry.
func exchange(t *testing.T) []lessee.Frame {
	t.Helper()
	us := time.Microsecond
	grant := func(b *wire.Builder) {
		b.SetYourAddr(theLease)
		b.AddAddr(wire.OptionServerID, theServer)
		b.AddUint32(wire.OptionLeaseTime, 120)
		b.AddAddr(wire.OptionSubnetMask, netip.MustParseAddr("255.255.255.0"))
		b.AddAddr(wire.OptionRouter, theServer)
		b.AddAddr(wire.OptionDNS, theServer, netip.MustParseAddr("9.9.9.9"))
	}
	arpFrame := func(after time.Duration, p arp.Packet) lessee.Frame {
		f := ethernet(arp.HardwareAddr{255, 255, 255, 255, 255, 255}, p.SenderHardware, 0x0806, arp.Append(nil, p))
		return lessee.Frame{Time: now.Add(after), Length: len(f), Data: f}
	}
	lost := frame(t, 3*time.Second, wire.OpReply, wire.NAK, func(b *wire.Builder) {
		b.AddAddr(wire.OptionServerID, theServer)
		b.AddText(wire.OptionMessage, "wrong\x1bnetwork")
	})
	lost.Lost = 3
	return []lessee.Frame{
		frame(t, 0, wire.OpRequest, wire.Discover, func(b *wire.Builder) {
			b.AddAddr(wire.OptionRequestedAddress, theLease)
			b.AddText(wire.OptionHostName, "box")
		}),
		frame(t, 512*us, wire.OpReply, wire.Offer, grant),
		frame(t, 730*us, wire.OpRequest, wire.Request, func(b *wire.Builder) {
			b.AddAddr(wire.OptionRequestedAddress, theLease)
			b.AddAddr(wire.OptionServerID, theServer)
		}),
		frame(t, 12*time.Millisecond, wire.OpReply, wire.ACK, grant),
		arpFrame(13*time.Millisecond, arp.Probe(clientMAC, theLease)),
		arpFrame(14*time.Millisecond, arp.Packet{Op: arp.OpReply, SenderHardware: serverMAC, Sender: theLease, TargetHardware: clientMAC, Target: nowhere}),
		arpFrame(15*time.Millisecond, arp.Announcement(clientMAC, theLease)),
		lost,
		frame(t, 4*time.Second, wire.OpReply, wire.ACK, func(b *wire.Builder) {
			b.SetRelay(netip.MustParseAddr("10.1.0.1"))
			b.SetYourAddr(theLease)
			b.AddUint32(wire.OptionLeaseTime, 1<<32-1)
		}),
		frame(t, 5*time.Second, wire.OpRequest, wire.Release, func(b *wire.Builder) {
			b.SetClientAddr(theLease)
			b.AddAddr(wire.OptionServerID, theServer)
		}),
		{Time: now.Add(6 * time.Second), Data: []byte{1, 2, 3}, Length: 3},
		{Time: now.Add(7 * time.Second), Data: ethernet(clientMAC, serverMAC, 0x0800, []byte{0x45}), Length: 15},
	}
}

func TestTraceLadder(t *testing.T) {
	t.Parallel()
	socket := serve(t, &engine{frames: exchange(t), removed: true, adapters: several()})
	for file, edit := range map[string]func(*Env){"trace.txt": nil, "trace.fr.txt": inFrench} {
		r := run(t.Context(), edit, "--socket", socket, "trace", "--arp", "eth0")
		if r.status != 1 || !strings.Contains(r.err, "ERROR_FILE_NOT_FOUND") {
			t.Errorf("the adapter was removed: status %d, %s", r.status, r.err)
		}
		golden.Check(t, file, r.out)
		if strings.Contains(r.out, "\x1b") {
			t.Error("a control character came through")
		}
	}
}

func TestTraceEnds(t *testing.T) {
	t.Parallel()
	socket := serve(t, &engine{frames: exchange(t), adapters: several()})
	r := run(t.Context(), nil, "--socket", socket, "trace", "eth0", "-c", "2")
	if r.status != 0 || r.err != "" || strings.Count(r.out, "\n") != 3 {
		t.Errorf("after 2 packets: status %d\n%s%s", r.status, r.out, r.err)
	}
	r = run(t.Context(), nil, "--socket", socket, "trace", "eth0", "--timeout", "100ms")
	if r.status != 0 || r.err != "" || !strings.Contains(r.out, "RELEASE") {
		t.Errorf("after a time: status %d\n%s%s", r.status, r.out, r.err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	s := &screen{seen: func(text string) {
		if strings.Contains(text, "RELEASE") {
			cancel()
		}
	}}
	if r = run(ctx, func(e *Env) { e.Stdout = s }, "--socket", socket, "trace", "eth0"); r.status != 0 || r.err != "" {
		t.Errorf("interrupted: status %d, %s", r.status, r.err)
	}
}

// What -w writes another implementation reads: the frames, their times and ways.
func TestTraceWrites(t *testing.T) {
	t.Parallel()
	frames := exchange(t)
	socket := serve(t, &engine{frames: frames, adapters: several()})
	file := filepath.Join(t.TempDir(), "x.pcapng")
	count := []string{"--socket", socket, "trace", "eth0", "-c", "12", "-w"}
	r := run(t.Context(), nil, append(count, file)...)
	if r.status != 0 || !strings.Contains(r.out, "DISCOVER") {
		t.Fatalf("status %d\n%s%s", r.status, r.out, r.err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if r = run(t.Context(), nil, append(count, "-")...); r.status != 0 || r.out != string(data) {
		t.Errorf("the standard output differs from the file (status %d)", r.status)
	}
	reader, err := pcapgo.NewNgReader(bytes.NewReader(data), pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	if i, err := reader.Interface(0); err != nil || i.Name != "eth0" {
		t.Errorf("interface %+v, %v", i, err)
	}
	for n, f := range frames {
		got, ci, opts, err := reader.ReadPacketDataWithOptions()
		if err != nil || !bytes.Equal(got, f.Data) || !ci.Timestamp.Equal(f.Time) || (opts.Flags.Direction == pcapgo.NgEpbFlagDirectionOutbound) != f.Outgoing {
			t.Errorf("packet %d: %x, %+v, %v", n, got, ci, err)
		}
		if f.Lost > 0 && (opts.DropCount == nil || *opts.DropCount != f.Lost) {
			t.Errorf("packet %d: %+v frames missing, want %d", n, opts.DropCount, f.Lost)
		}
	}
	if r = run(t.Context(), nil, append(count, filepath.Join(t.TempDir(), "no", "such"))...); r.status != 1 || !strings.Contains(r.err, "no such file") {
		t.Errorf("status %d, %s", r.status, r.err)
	}
}

func discovery() lessee.Discovery {
	second := netip.MustParseAddr("10.77.0.2")
	return lessee.Discovery{
		Adapter: "eth0", Index: 2, Time: now, Sent: 3, Flags: []string{"several-servers", "different-subnets", "duplicate-server", "novel"},
		Offers: []lessee.Offer{
			{
				After: lessee.Duration(812 * time.Microsecond), Server: theServer, From: theServer, MAC: "02:00:00:00:00:01", Address: prefix("10.77.0.105/24"),
				Lease: lessee.Duration(2 * time.Minute), Routers: []netip.Addr{theServer}, DNS: []netip.Addr{theServer, second},
			},
			{
				After: lessee.Duration(time.Second), Server: second, From: theServer, MAC: "02:00:00:00:00:03", Address: prefix("192.0.2.7/24"), Infinite: true,
				Relay: second, Routers: []netip.Addr{theServer},
				Flags: []string{"relay", "private-relay", "foreign-relay", "server-mismatch", "foreign-server", "foreign-router", "other-server", "novel"},
			},
			{MAC: "02:00:00:00:00:04", Refused: "no-server-identifier", Flags: []string{"unusable"}},
		},
	}
}

func TestDiscover(t *testing.T) {
	t.Parallel()
	socket := serve(t, &engine{discovery: discovery()})
	for file, edit := range map[string]func(*Env){"discover.txt": nil, "discover.fr.txt": inFrench} {
		r := run(t.Context(), edit, "--socket", socket, "discover", "eth0", "--timeout", "3s")
		if r.status != 0 || r.err != "" {
			t.Errorf("status %d, %s", r.status, r.err)
		}
		golden.Check(t, file, r.out)
	}
	r := run(t.Context(), inFrench, "--socket", socket, "discover", "eth0", "-o", "json")
	var d lessee.Discovery
	if err := json.Unmarshal([]byte(r.out), &d); err != nil || len(d.Offers) != 3 || d.During != lessee.Duration(5*time.Second) || d.Offers[1].Flags[0] != "relay" {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestDiscoverNobody(t *testing.T) {
	t.Parallel()
	nobody := lessee.Discovery{Adapter: "eth0", Index: 2, Time: now, Sent: 3, Offers: []lessee.Offer{}}
	socket := serve(t, &engine{discovery: nobody, fail: map[string]error{
		"discover eth1": &lessee.Error{Op: "discover", Adapter: "eth1", Code: errno.ERROR_NO_NETWORK},
	}})
	r := run(t.Context(), nil, "--socket", socket, "discover", "eth0")
	if want := "lessee: eth0: discover: no DHCP server answered in 5s (ERROR_SEM_TIMEOUT 121); is it the right network? 'lessee trace eth0' shows the packets\n"; r.status != 1 || r.out != "" || r.err != want {
		t.Errorf("status %d\n%s%s", r.status, r.out, r.err)
	}
	r = run(t.Context(), nil, "--socket", socket, "discover", "eth0", "-o", "json")
	if r.status != 1 || !strings.Contains(r.out, `"offers": []`) {
		t.Errorf("status %d\n%s%s", r.status, r.out, r.err)
	}
	if r = run(t.Context(), nil, "--socket", socket, "discover", "eth1"); r.status != 1 || !strings.Contains(r.err, "ERROR_NO_NETWORK") {
		t.Errorf("status %d\n%s%s", r.status, r.out, r.err)
	}
}

// FuzzLadder: whatever a frame holds, it becomes a line that a terminal can show.
func FuzzLadder(f *testing.F) {
	f.Add([]byte("\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x08\x00E"))
	f.Fuzz(func(t *testing.T, data []byte) {
		l := ladder{speak: englishSpeaker()}
		line := l.line(lessee.Frame{Time: now, Data: data}, time.UTC)
		if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			t.Fatalf("%q", line)
		}
	})
}
