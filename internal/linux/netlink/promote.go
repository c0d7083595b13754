//go:build linux

package netlink

import (
	"encoding/binary"

	"github.com/lessee/lessee/internal/netconf"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// promoteSecondaries is IPV4_DEVCONF_PROMOTE_SECONDARIES of linux/ip.h: the
// sysctl net.ipv4.conf.*.promote_secondaries.
const promoteSecondaries = 20

// inetConf is IFLA_INET_CONF of linux/if_link.h.
const inetConf = 1

// promote makes the kernel keep the other addresses of a subnet when its first
// goes, and returns what puts the setting back. It asks by netlink, because
// /proc/sys is read-only in many containers.
func (n *Kernel) promote(link netconf.Link) (restore func(), _ error) {
	m := nl.NewIfInfomsg(unix.AF_UNSPEC)
	m.Index = int32(link.Index)
	msgs, err := n.request(unix.RTM_GETLINK, 0, unix.RTM_NEWLINK, m, extent())
	if err != nil {
		return nil, err
	}
	if len(msgs) == 1 && len(msgs[0]) >= unix.SizeofIfInfomsg && promotes(msgs[0][unix.SizeofIfInfomsg:]) {
		return func() {}, nil
	}
	if err := n.setPromote(link, 1); err != nil {
		return nil, err
	}
	return func() { _ = n.setPromote(link, 0) }, nil
}

// promotes reads the setting from a link's attributes.
func promotes(attrs []byte) bool {
	spec, _ := find(attributes(attrs), unix.IFLA_AF_SPEC)
	inet, _ := find(attributes(spec), unix.AF_INET)
	conf, _ := find(attributes(inet), inetConf)
	const at = (promoteSecondaries - 1) * 4
	return len(conf) >= at+4 && binary.NativeEndian.Uint32(conf[at:]) != 0
}

func (n *Kernel) setPromote(link netconf.Link, value uint32) error {
	m := nl.NewIfInfomsg(unix.AF_UNSPEC)
	m.Index = int32(link.Index)
	spec := nl.NewRtAttr(unix.IFLA_AF_SPEC|unix.NLA_F_NESTED, nil)
	spec.AddRtAttr(unix.AF_INET|unix.NLA_F_NESTED, nil).
		AddRtAttr(inetConf|unix.NLA_F_NESTED, nil).
		AddRtAttr(promoteSecondaries, nl.Uint32Attr(value))
	_, err := n.request(unix.RTM_NEWLINK, unix.NLM_F_ACK, 0, m, spec)
	return err
}
