//go:build linux

package netlink

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/lessee/lessee/internal/linux/syserr"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Links implements [driver.Network].
func (n *Kernel) Links() ([]netconf.Link, error) {
	links, _, err := n.links()
	return links, err
}

// links returns the links, and for each how often it has lost its carrier.
func (n *Kernel) links() ([]netconf.Link, map[int]uint32, error) {
	var losses map[int]uint32
	links, err := dump(func() ([]netconf.Link, error) {
		msgs, err := n.request(unix.RTM_GETLINK, unix.NLM_F_DUMP, unix.RTM_NEWLINK, nl.NewIfInfomsg(unix.AF_UNSPEC), extent())
		links := make([]netconf.Link, 0, len(msgs))
		losses = make(map[int]uint32, len(msgs))
		for _, m := range msgs {
			if l, ok := parseLink(m); ok {
				links = append(links, l)
				losses[l.Index] = carrierLosses(m)
			}
		}
		return links, err
	})
	if err != nil {
		return nil, nil, syserr.Wrap("", "list the network interfaces", err)
	}
	return links, losses, nil
}

// LinkByName implements [driver.Network].
func (n *Kernel) LinkByName(name string) (netconf.Link, error) {
	// The kernel cuts nothing off, but a name with a NUL would be asked for
	// without what follows it.
	for i := range len(name) {
		if name[i] == 0 {
			return netconf.Link{}, noLink(fmt.Sprintf("find interface %q", name))
		}
	}
	if name == "" {
		return netconf.Link{}, noLink(`find interface ""`)
	}
	// Either attribute finds by name and by alternative name; they differ in the
	// length they allow.
	typ := unix.IFLA_IFNAME
	if len(name) >= unix.IFNAMSIZ {
		typ = unix.IFLA_ALT_IFNAME
	}
	return n.getLink(fmt.Sprintf("find interface %q", name), nl.NewIfInfomsg(unix.AF_UNSPEC), extent(),
		nl.NewRtAttr(typ, nl.ZeroTerminated(name)))
}

// LinkByIndex implements [driver.Network].
func (n *Kernel) LinkByIndex(index int) (netconf.Link, error) {
	op := fmt.Sprintf("find interface %d", index)
	if index <= 0 {
		return netconf.Link{}, noLink(op)
	}
	m := nl.NewIfInfomsg(unix.AF_UNSPEC)
	m.Index = int32(index)
	return n.getLink(op, m, extent())
}

func (n *Kernel) getLink(op string, data ...nl.NetlinkRequestData) (netconf.Link, error) {
	msgs, err := n.request(unix.RTM_GETLINK, 0, unix.RTM_NEWLINK, data...)
	if err != nil {
		return netconf.Link{}, lookup(op, err)
	}
	if len(msgs) == 1 {
		if l, ok := parseLink(msgs[0]); ok {
			return l, nil
		}
	}
	return netconf.Link{}, syserr.Wrap("", op, errors.New("the kernel's answer is not understood"))
}

// SetUp implements [driver.Network].
func (n *Kernel) SetUp(index int) error {
	l := &netlink.GenericLink{LinkAttrs: netlink.LinkAttrs{Index: index}}
	if err := n.link.LinkSetUp(l); err != nil {
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

// skipStats is RTEXT_FILTER_SKIP_STATS of linux/rtnetlink.h.
const skipStats = 1 << 3

// extent asks the kernel to leave out the counters, most of a link's message.
func extent() nl.NetlinkRequestData {
	return nl.NewRtAttr(unix.IFLA_EXT_MASK, nl.Uint32Attr(skipStats))
}

// vrfPortTable is IFLA_VRF_PORT_TABLE of linux/if_link.h.
const vrfPortTable = 1

// vrfOf returns the routing table of the VRF that a link belongs to, from what
// the link's master adds to it; 0 if it is no VRF.
func vrfOf(info []attribute) uint32 {
	kind, _ := find(info, unix.IFLA_INFO_SLAVE_KIND)
	data, _ := find(info, unix.IFLA_INFO_SLAVE_DATA)
	table, _ := find(attributes(data), vrfPortTable)
	if unix.ByteSliceToString(kind) != "vrf" || len(table) < 4 {
		return 0
	}
	return binary.NativeEndian.Uint32(table)
}

// parseLink reads the body of an RTM_NEWLINK or RTM_DELLINK message.
func parseLink(m []byte) (netconf.Link, bool) {
	if len(m) < unix.SizeofIfInfomsg {
		return netconf.Link{}, false
	}
	// struct ifinfomsg: family, pad, type, index, flags, change.
	flags := binary.NativeEndian.Uint32(m[8:])
	l := netconf.Link{
		HardwareType: binary.NativeEndian.Uint16(m[2:]),
		Index:        int(int32(binary.NativeEndian.Uint32(m[4:]))),
		Up:           flags&unix.IFF_UP != 0,
		// RUNNING is a carrier and an operational state of up or unknown. It is
		// not set while an 802.1X port waits for its authentication: the kernel
		// would drop our frames.
		Carrier:  flags&unix.IFF_UP != 0 && flags&unix.IFF_RUNNING != 0,
		Loopback: flags&unix.IFF_LOOPBACK != 0,
	}
	for _, a := range attributes(m[unix.SizeofIfInfomsg:]) {
		switch a.typ {
		case unix.IFLA_IFNAME:
			l.Name = unix.ByteSliceToString(a.value)
		case unix.IFLA_ADDRESS:
			l.HardwareAddr = slices.Clone(a.value)
		case unix.IFLA_MTU:
			if len(a.value) >= 4 {
				l.MTU = int(binary.NativeEndian.Uint32(a.value))
			}
		case unix.IFLA_LINKINFO:
			l.VRF = vrfOf(attributes(a.value))
		case unix.IFLA_PROP_LIST:
			for _, p := range attributes(a.value) {
				if p.typ == unix.IFLA_ALT_IFNAME {
					l.AltNames = append(l.AltNames, unix.ByteSliceToString(p.value))
				}
			}
		}
	}
	return l, l.Index > 0 && l.Name != ""
}
