//go:build linux

package cli

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/names"
	"github.com/lessee/lessee/wire/arp"
	wire "github.com/lessee/lessee/wire/dhcp4"
	"github.com/lessee/lessee/wire/udp4"
)

// A ladder writes frames as lines between two columns: clients on the left,
// servers on the right.
type ladder struct {
	speak  speaker
	colour colours
	last   time.Time // of the frame before
	begun  bool
}

// A rung is what a frame is about.
type rung struct {
	client, server string
	message        string
	left           bool // it goes to the client
	arp            bool
	xid            string
	facts          []string
}

const rungWidth = 18

// head names the columns.
func (l *ladder) head() string {
	s := l.speak
	return l.colour.dim(fmt.Sprintf("%-15s  %9s  %-17s  %-*s  %-15s  %-8s  %s",
		s.Text("TIME"), s.Text("AFTER"), s.Text("CLIENT"), rungWidth, s.Text("MESSAGE"), s.Text("SERVER"), s.Text("XID"), s.Text("OPTIONS")))
}

// line describes a frame; the frames that are missing before it have a line of
// their own.
func (l *ladder) line(f lessee.Frame, zone *time.Location) string {
	after := ""
	if l.begun {
		after = "+" + l.speak.took(f.Time.Sub(l.last))
	}
	l.last, l.begun = f.Time, true
	r, err := l.rung(f.Data)
	if err != nil {
		r = rung{message: "?", facts: []string{l.speak.errorText(err)}, left: !f.Outgoing}
	}
	text := fmt.Sprintf("%s  %9s  %-17s  ", f.Time.In(zone).Format("15:04:05.000000"), after, or(clean(r.client)))
	text += l.paint(r, arrow(r)) + fmt.Sprintf("  %-15s  %-8s  %s", or(r.server), or(r.xid), clean(strings.Join(r.facts, ", ")))
	text = strings.TrimRight(text, " ")
	if f.Lost > 0 {
		text = l.colour.yellow(l.speak.Sprintf("%d frames are missing here", f.Lost)) + "\n" + text
	}
	return text
}

// arrow draws a message between the columns.
func arrow(r rung) string {
	room := max(rungWidth-len(r.message)-4, 2)
	before := room / 2
	if r.left {
		return "<" + strings.Repeat("-", before+1) + " " + r.message + " " + strings.Repeat("-", room-before)
	}
	return strings.Repeat("-", before) + " " + r.message + " " + strings.Repeat("-", room-before+1) + ">"
}

func (l *ladder) paint(r rung, text string) string {
	switch r.message {
	case "ACK":
		return l.colour.green(text)
	case "NAK", "DECLINE", "?":
		return l.colour.red(text)
	case "RELEASE":
		return l.colour.yellow(text)
	}
	if r.arp {
		return l.colour.dim(text)
	}
	return text
}

// rung finds out what a frame is about.
func (l *ladder) rung(frame []byte) (rung, error) {
	const header = 14
	if len(frame) < header {
		return rung{}, sentencef("the frame is too short")
	}
	body := frame[header:]
	if binary.BigEndian.Uint16(frame[12:]) == 0x0806 {
		return l.arpRung(body)
	}
	// The sum may be left to the hardware, which a capture comes before.
	d, err := udp4.Parse(body, true)
	if err != nil {
		return rung{}, err
	}
	p, err := wire.Parse(d.Payload)
	if err != nil {
		return rung{client: net.HardwareAddr(frame[6:12]).String(), server: d.Destination.Addr().String()}, err
	}
	r := rung{client: net.HardwareAddr(p.HardwareAddr()).String(), xid: fmt.Sprintf("%08x", p.XID()), message: p.MessageType().String()}
	if r.left = p.Op() == wire.OpReply; r.left {
		r.server = d.Source.Addr().String()
		if id, ok := p.Addr(wire.OptionServerID); ok {
			r.server = id.String()
		}
	} else {
		r.server = d.Destination.Addr().String()
	}
	l.describe(&r, p)
	return r, nil
}

// describe picks what matters in a message.
func (l *ladder) describe(r *rung, p wire.Packet) {
	s := l.speak
	add := func(text string) { r.facts = append(r.facts, text) }
	if relay := p.Relay(); !relay.IsUnspecified() {
		add(s.Sprintf("via %s", relay))
	}
	if r.left {
		if your := p.YourAddr(); !your.IsUnspecified() {
			add(leased(p, your))
		}
		if t, ok := p.Uint32(wire.OptionLeaseTime); ok {
			if t == 1<<32-1 {
				add(s.Text("forever"))
			} else {
				add(s.Sprintf("for %s", time.Duration(t)*time.Second))
			}
		}
		for _, o := range [...]struct {
			code wire.OptionCode
			name string
		}{{wire.OptionRouter, "router"}, {wire.OptionDNS, "dns"}} {
			if list, ok := p.Addrs(o.code); ok {
				add(o.name + " " + first(list))
			}
		}
	} else {
		if have := p.ClientAddr(); !have.IsUnspecified() {
			add(s.Sprintf("has %s", have))
		}
		if want, ok := p.Addr(wire.OptionRequestedAddress); ok {
			add(s.Sprintf("asks for %s", want))
		}
		if of, ok := p.Addr(wire.OptionServerID); ok {
			add(s.Sprintf("server %s", of))
		}
		if name, ok := p.Option(wire.OptionHostName); ok {
			add(s.Sprintf("name %q", names.CleanText(string(name)).String()))
		}
	}
	if text, ok := p.Option(wire.OptionMessage); ok {
		add("\"" + names.CleanText(string(text)).String() + "\"")
	}
}

// leased writes an address with the length of its subnet mask, if there is one.
func leased(p wire.Packet, a netip.Addr) string {
	if mask, ok := p.Addr(wire.OptionSubnetMask); ok {
		four := mask.As4()
		if ones, bits := net.IPMask(four[:]).Size(); bits == 32 {
			return netip.PrefixFrom(a, ones).String()
		}
	}
	return a.String()
}

// arpRung describes an ARP packet of conflict detection.
func (l *ladder) arpRung(body []byte) (rung, error) {
	p, err := arp.Parse(body)
	if err != nil {
		return rung{}, err
	}
	r := rung{client: net.HardwareAddr(p.SenderHardware[:]).String(), server: p.Target.String(), message: "ARP", arp: true}
	switch {
	case p.IsProbe():
		r.facts = append(r.facts, l.speak.Sprintf("probe: who has %s?", p.Target))
	case p.IsAnnouncement():
		r.facts = append(r.facts, l.speak.Sprintf("announcement: %s is mine", p.Sender))
	default:
		r.facts = append(r.facts, l.speak.Sprintf("answer: %s is mine", p.Sender))
	}
	return r, nil
}
