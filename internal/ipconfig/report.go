package ipconfig

import (
	"cmp"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lessee/lessee/internal/text"
)

// A report is the text that ipconfig prints, under way.
type report struct {
	*text.Printer
	strings.Builder
	// zone is where the times of leases are told.
	zone *time.Location
	// colon is the column of the colons.
	colon int
}

func newReport(p *text.Printer, zone *time.Location) *report {
	r := &report{Printer: p, zone: zone}
	r.colon, _ = strconv.Atoi(p.Text("column|37")) // a test reads it in every language
	return r
}

// head writes the first lines.
func (r *report) head(h Host) {
	fmt.Fprintf(r, "\n%s\n\n", r.Sprintf("%s IP Configuration", h.System))
}

// line writes a fact. Its dots lead to the colon; they stand in odd columns, so
// that those of all lines are below each other.
func (r *report) line(label, value string) {
	text := "   " + label
	for n := utf8.RuneCountInString(text); n < r.colon; n++ {
		if n%2 == 1 && n < r.colon-1 {
			text += "."
		} else {
			text += " "
		}
	}
	fmt.Fprintf(r, "%s: %s\n", text, clean(value))
}

// lines writes a fact with several values, one below the other.
func (r *report) lines(label string, values []string) {
	for i, v := range values {
		if i == 0 {
			r.line(label, v)
			continue
		}
		fmt.Fprintf(r, "%s%s\n", strings.Repeat(" ", r.colon+2), clean(v))
	}
}

func (r *report) addresses(label string, list []netip.Addr) {
	var values []string
	for _, a := range list {
		values = append(values, a.String())
	}
	r.lines(label, values)
}

func (r *report) yes(b bool) string {
	if b {
		return r.Text("Yes")
	}
	return r.Text("No")
}

// host writes what /all tells of the machine.
func (r *report) host(h Host) {
	r.line(r.Text("Host Name"), h.Name)
	r.line(r.Text("Primary Dns Suffix "), h.Suffix)
	if h.RoutingKnown {
		r.line(r.Text("IP Routing Enabled"), r.yes(h.Routing))
	}
	r.lines(r.Text("DNS Suffix Search List"), h.Search)
	r.WriteByte('\n')
}

// adapter writes what is known of one: all of it, or its addresses.
func (r *report) adapter(a Adapter, all bool) {
	fmt.Fprintf(r, "%s\n\n", r.title(a))
	if !a.Connected {
		r.line(r.Text("Media State"), r.Text("Media disconnected"))
	}
	r.line(r.Text("Connection-specific DNS Suffix "), a.Suffix)
	if all {
		r.line(r.Text("Description"), cmp.Or(a.Description, a.Name))
		if len(a.Hardware) > 0 {
			r.line(r.Text("Physical Address"), physical(a.Hardware))
		}
		r.line(r.Text("DHCP Enabled"), r.yes(a.DHCP))
	}
	if a.Connected {
		r.network(a, all)
	}
	r.WriteByte('\n')
}

// network writes the addresses of an adapter that is connected.
func (r *report) network(a Adapter, all bool) {
	preferred := ""
	if all {
		preferred = r.Text("(Preferred)")
	}
	for _, ip := range a.IPv6 {
		if ip.IsLinkLocalUnicast() {
			r.line(r.Text("Link-local IPv6 Address"), ip.WithZone(strconv.Itoa(a.Index)).String()+preferred)
		} else {
			r.line(r.Text("IPv6 Address"), ip.String()+preferred)
		}
	}
	for _, p := range a.IPv4 {
		label := r.Text("IPv4 Address")
		if p.Addr().IsLinkLocalUnicast() {
			label = r.Text("Autoconfiguration IPv4 Address")
		}
		r.line(label, p.Addr().String()+preferred)
		r.line(r.Text("Subnet Mask"), mask(p))
	}
	if all && a.DHCP {
		if !a.Obtained.IsZero() {
			r.line(r.Text("Lease Obtained"), r.LongMoment(a.Obtained.In(r.zone)))
		}
		switch {
		case a.Infinite:
			r.line(r.Text("Lease Expires"), r.Text("never"))
		case !a.Expires.IsZero():
			r.line(r.Text("Lease Expires"), r.LongMoment(a.Expires.In(r.zone)))
		}
	}
	if len(a.Gateways) > 0 {
		r.addresses(r.Text("Default Gateway"), a.Gateways)
	} else {
		r.line(r.Text("Default Gateway"), "")
	}
	if !all {
		return
	}
	if a.DHCP && a.Server.IsValid() && !a.Server.IsUnspecified() {
		r.line(r.Text("DHCP Server"), a.Server.String())
	}
	r.addresses(r.Text("DNS Servers"), a.DNS)
	if len(a.WINS) > 0 {
		r.line(r.Text("Primary WINS Server"), a.WINS[0].String())
		r.addresses(r.Text("Secondary WINS Server"), a.WINS[1:])
	}
}

func (r *report) title(a Adapter) string {
	name := clean(a.Name)
	switch a.Medium {
	case Ethernet:
		return r.Sprintf("Ethernet adapter %s:", name)
	case Wireless:
		return r.Sprintf("Wireless LAN adapter %s:", name)
	case PPP:
		return r.Sprintf("PPP adapter %s:", name)
	case Tunnel:
		return r.Sprintf("Tunnel adapter %s:", name)
	case Other:
	}
	return r.Sprintf("Unknown adapter %s:", name)
}

// physical writes a hardware address with dashes.
func physical(b []byte) string {
	parts := make([]string, len(b))
	for i, x := range b {
		parts[i] = fmt.Sprintf("%02X", x)
	}
	return strings.Join(parts, "-")
}

// mask writes a prefix length as a mask.
func mask(p netip.Prefix) string {
	m := ^uint32(0) << (32 - uint(p.Bits())) //nolint:gosec // 0 to 32
	return netip.AddrFrom4([4]byte{byte(m >> 24), byte(m >> 16), byte(m >> 8), byte(m)}).String()
}
