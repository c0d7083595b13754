package recording

import (
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/wire/arp"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// describe says what an input is. Link returns the name of a link, adapter that of an
// adapter.
func describe(in core.Input, link func(core.ID) string, adapter func(core.Number) string) string {
	switch in := in.(type) {
	case core.LinkChanged:
		if in.Gone {
			return fmt.Sprintf("link %d %s gone%s", in.Link.Index, in.Link.Name, space(in.NS))
		}
		return "link " + linkText(in.Link) + space(in.NS)
	case core.Disturbed:
		text := "disturbed"
		if in.Notice.Index != 0 {
			text += " " + link(core.ID{NS: in.NS, Index: in.Notice.Index})
		}
		if in.Notice.Object != (netconf.Object{}) {
			text += ": " + in.Notice.Object.String()
		}
		return text + space(in.NS)
	case core.Datagram:
		text := fmt.Sprintf("datagram on %s from %v", link(in.ID), in.What.From)
		if in.What.Link != nil {
			text += " at " + mac(in.What.Link)
		}
		p, err := wire.Parse(in.What.Message)
		if err != nil {
			return fmt.Sprintf("%s: %d bytes, %v", text, len(in.What.Message), err)
		}
		return fmt.Sprintf("%s: %v, %s", text, p.MessageType(), message(p))
	case core.ARP:
		return fmt.Sprintf("ARP on %s from %s: %s", link(in.ID), mac(in.From), arpText(in.Packet))
	case core.Neighbour:
		if !in.Host.IsValid() {
			return "neighbours may be known" + space(in.NS)
		}
		return fmt.Sprintf("neighbour on %s: %v is at %s", link(in.ID), in.Host, mac(in.Link))
	case core.Manage:
		return fmt.Sprintf("call %d: manage %s%s", in.Call, in.Name, space(in.NS))
	case core.Up:
		return fmt.Sprintf("call %d: up link %s%s", in.Call, linkText(in.Link), space(in.NS))
	case core.Call:
		return fmt.Sprintf("call %d: %v %s%s", in.Call, in.Verb, in.Name, space(in.NS))
	case core.Discover:
		return fmt.Sprintf("call %d: discover %s for %v%s", in.Call, in.Name, in.During, space(in.NS))
	case core.Cancel:
		return fmt.Sprintf("cancel call %d", in.Call)
	case core.Prepared:
		return fmt.Sprintf("prepared %s %s", numbered(adapter(in.Of), in.Of, in.Turn), preparedText(in))
	case core.Applied:
		return fmt.Sprintf("applied %s%s", numbered(adapter(in.Of), in.Of, in.Turn), answer{Applied: &in.What})
	case core.Inspected:
		return fmt.Sprintf("inspected %s%s", numbered(adapter(in.Of), in.Of, in.Turn), answer{Inspected: &in.What})
	case core.Persisted:
		return "persisted " + in.Name + space(in.NS) + answer{Err: in.Err}.String()
	case core.Resolved:
		return "resolved " + numbered(adapter(in.Of), in.Of, in.Turn) + answer{Err: in.Err}.String()
	case core.ResolverChanged:
		if in.File == "" {
			return "resolver ours again"
		}
		return "resolver changed " + in.File
	case core.Left:
		return fmt.Sprintf("namespace @%d left", in.NS)
	case core.Timeout:
		return "timeout"
	}
	return fmt.Sprintf("%T", in)
}

// String returns what a transcript says of an answer, after the call.
func (a answer) String() string {
	switch {
	case a.Err != nil:
		return " -> " + a.Err.Error()
	case a.Applied != nil && a.Applied.Err != nil:
		text := " -> " + strings.ReplaceAll(a.Applied.Err.Error(), "\n", "; ")
		if len(a.Applied.Refused) > 0 {
			text += ", refused: " + objects(a.Applied.Refused)
		}
		return text
	case a.Inspected != nil && a.Inspected.Err != nil:
		return " -> " + a.Inspected.Err.Error()
	case a.Inspected != nil && len(a.Inspected.Missing) > 0:
		text := " -> missing: " + objects(a.Inspected.Missing)
		if a.Inspected.Manager != "" {
			text += ", managed by " + a.Inspected.Manager
		}
		return text
	}
	return ""
}

func objects(list []netconf.Object) string {
	names := make([]string, len(list))
	for i, o := range list {
		names[i] = o.String()
	}
	return strings.Join(names, ", ")
}

func preparedText(in core.Prepared) string {
	text := onRecord(in.Record)
	if len(in.Configured) > 0 {
		text += fmt.Sprintf(", configured %v", in.Configured)
	}
	if in.Unreadable != nil {
		text += ", record unreadable: " + in.Unreadable.Error()
	}
	if in.Refusal != (core.Refusal{}) {
		text += ", refused: " + refusal(in.Refusal)
	}
	return text
}

func linkText(l netconf.Link) string {
	text := fmt.Sprintf("%d %s %s", l.Index, l.Name, mac(l.HardwareAddr))
	for _, p := range [...]struct {
		is   bool
		name string
	}{{l.Up, " up"}, {l.Carrier, " carrier"}, {l.Loopback, " loopback"}} {
		if p.is {
			text += p.name
		}
	}
	return fmt.Sprintf("%s mtu %d", text, l.MTU)
}

func numbered(name string, of core.Number, turn core.Turn) string {
	return fmt.Sprintf("%s#%d.%d", name, of, turn)
}

// space names a namespace that is not the process's own.
func space(ns core.NS) string {
	if ns == core.Home {
		return ""
	}
	return fmt.Sprintf(" @%d", ns)
}

func mac(b []byte) string { return net.HardwareAddr(b).String() }

func arpText(b []byte) string {
	p, err := arp.Parse(b)
	if err != nil {
		return err.Error()
	}
	switch {
	case p.IsProbe():
		return "probe for " + p.Target.String()
	case p.IsAnnouncement():
		return "announcement of " + p.Sender.String()
	case p.Op == arp.OpRequest:
		return fmt.Sprintf("who has %v, tell %v", p.Target, p.Sender)
	}
	return fmt.Sprintf("%v is at %s, to %v", p.Sender, mac(p.SenderHardware[:]), valid(p.Target))
}

func valid(a netip.Addr) string {
	if !a.IsValid() {
		return "all"
	}
	return a.String()
}
