package test

import (
	"bytes"
	"net/netip"
	"os"
	"testing"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/lessee/lessee/test/lab"
	"github.com/lessee/lessee/wire/arp"
)

// Rules of RFCs that only a kernel shows; docs/rfc-matrix.md has them all.

// TestARPIsAnswered: RFC 5227 section 2.5: from the first announcement to the end of its
// use an address is answered for, asked for by a probe or otherwise; section 2.6:
// to who asked alone.
func TestARPIsAnswered(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	d, a := h.bound(t)
	address := a.IPv4.Address.Addr()
	h.cap.Await(0, patience, "announcement", func(p lab.Packet) bool {
		return announces(p, address)
	})
	all := [6]byte{255, 255, 255, 255, 255, 255}
	other := [6]byte{2, 0, 0, 0, 9, 9}
	from := newSender(t, h.server, "s0")
	ask := func(sender netip.Addr) {
		p := arp.Packet{Op: arp.OpRequest, SenderHardware: other, Sender: sender, Target: address}
		from.send(frame(all, other, 0x0806, arp.Append(nil, p)))
	}
	for _, sender := range []netip.Addr{addr("0.0.0.0"), addr("10.77.0.201")} {
		mark := h.cap.Mark()
		ask(sender)
		reply, _ := h.cap.Await(mark, patience, "ARP reply", func(p lab.Packet) bool {
			return p.FromStation && p.ARP != nil && p.ARP.Op == uint16(arp.OpReply) && p.ARP.SenderIP == address
		})
		if string(reply.DstMAC) != string(other[:]) {
			t.Errorf("asked from %v, answered to %v", sender, reply.DstMAC)
		}
		h.keeps(t, 0, address) // a question is no conflict
	}
	d.Must(t, "release", "c0")
	mark := h.cap.Mark()
	ask(addr("10.77.0.201"))
	h.cap.Mark()
	if late := h.cap.Select(mark, func(p lab.Packet) bool { return p.FromStation }); len(late) != 0 {
		t.Errorf("answered after the release: %v", late)
	}
}

// TestMachineIdentifier: RFC 4361 section 6.1: with client_id = "duid" option 61 is type 255, an
// IAID of four bytes, and the machine's DUID, which is one for all its adapters
// and the same after a reboot.
func TestMachineIdentifier(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	cap1 := h.net.Attach(h.client, "c1", "02:00:00:00:00:03").Capture()
	// The file is a link to the real one: it is replaced, not written.
	if err := os.Remove(h.client.Path("etc/machine-id")); err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	h.client.Write(t, "etc/machine-id", "0123456789abcdef0123456789abcdef\n")
	run := func() (id0, id1 []byte) {
		t.Helper()
		mark0, mark1 := h.cap.Mark(), cap1.Mark()
		d := h.client.ReadyDaemon(t, lab.Options{Args: []string{"c0", "c1"}, Config: "[defaults]\nclient_id = \"duid\"\n"})
		for _, name := range []string{"c0", "c1"} {
			d.AwaitBound(t, name)
			d.Must(t, "renew", name)
			d.Must(t, "release", name)
			d.Must(t, "renew", name)
		}
		_ = d.Stop(t)
		ids := func(sent []lab.Packet) []byte {
			id := sent[0].DHCP.Options.Get(dhcpv4.OptionClientIdentifier)
			for _, p := range sent {
				if got := p.DHCP.Options.Get(dhcpv4.OptionClientIdentifier); !bytes.Equal(got, id) {
					t.Errorf("client identifier %x, at first %x: %v", got, id, p)
				}
			}
			return id
		}
		// The kernel answers on one adapter for the addresses of another: no conflict.
		for _, c := range []*lab.Capture{h.cap, cap1} {
			if declined := c.Select(0, func(p lab.Packet) bool { return p.Client(dhcpv4.MessageTypeDecline) }); len(declined) != 0 {
				t.Errorf("the adapters take each other for another host: %v", declined)
			}
		}
		return ids(h.cap.SentByClient(mark0)), ids(cap1.SentByClient(mark1))
	}
	id0, id1 := run()
	for _, id := range [][]byte{id0, id1} {
		if len(id) != 1+4+18 || id[0] != 255 || id[5] != 0 || id[6] != 4 {
			t.Fatalf("client identifiers %x and %x", id0, id1)
		}
	}
	if !bytes.Equal(id0[5:], id1[5:]) || bytes.Equal(id0[1:5], id1[1:5]) {
		t.Errorf("the adapters of one machine are %x and %x", id0, id1)
	}
	if again0, again1 := run(); !bytes.Equal(id0, again0) || !bytes.Equal(id1, again1) {
		t.Errorf("they were %x and %x, and are %x and %x", id0, id1, again0, again1)
	}
}
