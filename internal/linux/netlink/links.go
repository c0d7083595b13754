//go:build linux

package netlink

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/lessee/lessee/internal/linux/syserr"
	"github.com/lessee/lessee/internal/netconf"
	"golang.org/x/sys/unix"
)

// Links lists the links.
func (n *Kernel) Links() ([]netconf.Link, error) {
	list, err := n.links()
	if err != nil {
		return nil, err
	}
	links := make([]netconf.Link, 0, len(list))
	for _, l := range list {
		links = append(links, l.Link)
	}
	return links, nil
}

// A countedLink is a link and how often it has lost its carrier.
type countedLink struct {
	netconf.Link
	losses uint32
}

func (n *Kernel) links() (links []countedLink, err error) {
	n.ask.lock()
	defer n.ask.unlock()
	err = dump(func() error {
		links = links[:0]
		m, seq := n.ask.begin(unix.RTM_GETLINK, unix.NLM_F_DUMP)
		linkHeader(m, 0, 0, 0)
		extent(m)
		m.end()
		return n.ask.ask(seq, unix.RTM_NEWLINK, func(body []byte) {
			if l, ok := parseLink(body); ok {
				links = append(links, countedLink{l, carrierLosses(body)})
			}
		})
	})
	if err != nil {
		return nil, syserr.Wrap("", "list the network interfaces", err)
	}
	return links, nil
}

// LinkByName finds a link by its name or an alternative name; the error wraps
// [netconf.ErrNoLink] if there is none.
func (n *Kernel) LinkByName(name string) (netconf.Link, error) {
	op := fmt.Sprintf("find interface %q", name)
	// The kernel cuts nothing off, but a name with a NUL would be asked for
	// without what follows it.
	if name == "" || slices.Contains([]byte(name), 0) {
		return netconf.Link{}, noLink(op)
	}
	// Either attribute finds by name and by alternative name; they differ in the
	// length they allow.
	typ := uint16(unix.IFLA_IFNAME)
	if len(name) >= unix.IFNAMSIZ {
		typ = unix.IFLA_ALT_IFNAME
	}
	return n.getLink(op, 0, func(m *builder) { m.text(typ, name) })
}

// LinkByIndex finds a link by its index; the error wraps [netconf.ErrNoLink] if
// there is none.
func (n *Kernel) LinkByIndex(index int) (netconf.Link, error) {
	op := fmt.Sprintf("find interface %d", index)
	if index <= 0 {
		return netconf.Link{}, noLink(op)
	}
	return n.getLink(op, index, func(*builder) {})
}

func (n *Kernel) getLink(op string, index int, more func(*builder)) (netconf.Link, error) {
	n.ask.lock()
	defer n.ask.unlock()
	m, seq := n.ask.begin(unix.RTM_GETLINK, 0)
	linkHeader(m, index, 0, 0)
	extent(m)
	more(m)
	m.end()
	var l netconf.Link
	understood := false
	err := n.ask.ask(seq, unix.RTM_NEWLINK, func(body []byte) { l, understood = parseLink(body) })
	if err == nil && !understood {
		err = errors.New("the kernel's answer is not understood")
	}
	if err != nil {
		return netconf.Link{}, lookup(op, err)
	}
	return l, nil
}

// SetUp sets the interface administratively up.
func (n *Kernel) SetUp(index int) error {
	n.ask.lock()
	m, seq := n.ask.begin(unix.RTM_NEWLINK, unix.NLM_F_ACK)
	linkHeader(m, index, unix.IFF_UP, unix.IFF_UP)
	m.end()
	err := n.ask.ask(seq, 0, func([]byte) {})
	n.ask.unlock()
	if err != nil {
		return syserr.Wrap(n.nameOf(index), "set up", err)
	}
	return nil
}

// nameOf returns the name for an error text.
func (n *Kernel) nameOf(index int) string {
	if l, err := n.LinkByIndex(index); err == nil {
		return l.Name
	}
	return fmt.Sprintf("interface %d", index)
}

func noLink(op string) error { return &syserr.Error{Op: op, Err: netconf.ErrNoLink} }

// lookup maps the ways in which the kernel says that there is none.
func lookup(op string, err error) error {
	if errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENXIO) || errors.Is(err, unix.ERANGE) {
		return noLink(op)
	}
	return syserr.Wrap("", op, err)
}

// linkHeader appends struct ifinfomsg: family, pad, type, index, flags, change.
func linkHeader(m *builder, index int, flags, change uint32) {
	b := m.zeros(unix.SizeofIfInfomsg)
	binary.NativeEndian.PutUint32(b[4:], uint32(index)) //nolint:gosec // an interface index is positive and 31 bits
	binary.NativeEndian.PutUint32(b[8:], flags)
	binary.NativeEndian.PutUint32(b[12:], change)
}

// skipStats is RTEXT_FILTER_SKIP_STATS of linux/rtnetlink.h.
const skipStats = 1 << 3

// extent asks the kernel to leave out the counters, most of a link's message.
func extent(m *builder) { m.uint32(unix.IFLA_EXT_MASK, skipStats) }

// vrfPortTable is IFLA_VRF_PORT_TABLE of linux/if_link.h.
const vrfPortTable = 1

// vrfOf returns the routing table of the VRF that a link belongs to, from what
// the link's master adds to it (IFLA_LINKINFO); 0 if it is no VRF.
func vrfOf(info []byte) uint32 {
	if !isText(find(info, unix.IFLA_INFO_SLAVE_KIND), "vrf") {
		return 0
	}
	return number(find(find(info, unix.IFLA_INFO_SLAVE_DATA), vrfPortTable))
}

// parseLink reads the body of an RTM_NEWLINK or RTM_DELLINK message.
func parseLink(m []byte) (netconf.Link, bool) {
	if len(m) < unix.SizeofIfInfomsg {
		return netconf.Link{}, false
	}
	var l netconf.Link
	parseLinkState(m, &l)
	for typ, value := range attributes(m[unix.SizeofIfInfomsg:]) {
		switch typ {
		case unix.IFLA_IFNAME:
			l.Name = unix.ByteSliceToString(value)
		case unix.IFLA_ADDRESS:
			l.HardwareAddr = slices.Clone(value)
		case unix.IFLA_PROP_LIST:
			for typ, name := range attributes(value) {
				if typ == unix.IFLA_ALT_IFNAME {
					l.AltNames = append(l.AltNames, unix.ByteSliceToString(name))
				}
			}
		}
	}
	return l, l.Index > 0 && l.Name != ""
}

// describes reports whether the body of an RTM_NEWLINK message says of a link what l
// says. It needs no memory.
func describes(m []byte, l netconf.Link) bool {
	var now netconf.Link
	parseLinkState(m, &now)
	if now.Index != l.Index || now.HardwareType != l.HardwareType || now.MTU != l.MTU || now.VRF != l.VRF ||
		now.Up != l.Up || now.Carrier != l.Carrier || now.Loopback != l.Loopback {
		return false
	}
	var name, hardware []byte
	others, same := 0, true
	for typ, value := range attributes(m[unix.SizeofIfInfomsg:]) {
		switch typ {
		case unix.IFLA_IFNAME:
			name = value
		case unix.IFLA_ADDRESS:
			hardware = value
		case unix.IFLA_PROP_LIST:
			for typ, alt := range attributes(value) {
				if typ == unix.IFLA_ALT_IFNAME {
					same = same && others < len(l.AltNames) && isText(alt, l.AltNames[others])
					others++
				}
			}
		}
	}
	return same && others == len(l.AltNames) && isText(name, l.Name) && bytes.Equal(hardware, l.HardwareAddr)
}

// isText reports whether the value of an attribute, which ends with a NUL, is s.
func isText(value []byte, s string) bool {
	text, _, _ := bytes.Cut(value, []byte{0})
	return string(text) == s
}

// parseLinkState reads of a link what needs no memory: all but its names and
// hardware address.
func parseLinkState(m []byte, l *netconf.Link) {
	// struct ifinfomsg: family, pad, type, index, flags, change.
	flags := binary.NativeEndian.Uint32(m[8:])
	l.HardwareType = binary.NativeEndian.Uint16(m[2:])
	l.Index = linkIndex(m)
	l.Up = flags&unix.IFF_UP != 0
	// RUNNING is a carrier and an operational state of up or unknown. It is
	// not set while an 802.1X port waits for its authentication: the kernel
	// would drop our frames.
	l.Carrier = flags&unix.IFF_UP != 0 && flags&unix.IFF_RUNNING != 0
	l.Loopback = flags&unix.IFF_LOOPBACK != 0
	l.VRF = 0
	for typ, value := range attributes(m[unix.SizeofIfInfomsg:]) {
		switch typ {
		case unix.IFLA_MTU:
			l.MTU = int(number(value))
		case unix.IFLA_LINKINFO:
			l.VRF = vrfOf(value)
		}
	}
}

func linkIndex(m []byte) int { return int(int32(binary.NativeEndian.Uint32(m[4:]))) }

// promoteSecondaries is IPV4_DEVCONF_PROMOTE_SECONDARIES of linux/ip.h: the
// sysctl net.ipv4.conf.*.promote_secondaries.
const promoteSecondaries = 20

// inetConf is IFLA_INET_CONF of linux/if_link.h.
const inetConf = 1

// promotes reads from an RTM_NEWLINK message whether the link promotes
// secondary addresses. It is asked for by netlink, because /proc/sys is
// read-only in many containers.
func promotes(m []byte) bool {
	if len(m) < unix.SizeofIfInfomsg {
		return false
	}
	conf := find(find(find(m[unix.SizeofIfInfomsg:], unix.IFLA_AF_SPEC), unix.AF_INET), inetConf)
	const at = (promoteSecondaries - 1) * 4
	return len(conf) >= at+4 && binary.NativeEndian.Uint32(conf[at:]) != 0
}

// carrierLosses reads from an RTM_NEWLINK message how often the link has lost
// its carrier.
func carrierLosses(m []byte) uint32 {
	return number(find(m[unix.SizeofIfInfomsg:], unix.IFLA_CARRIER_DOWN_COUNT))
}
