//go:build linux

package netlink

import (
	"encoding/binary"

	"github.com/vishvananda/netlink/nl"
	vnetns "github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// openRaw opens a netlink socket for requests that the netlink library has no
// call for, in the calling thread's namespace.
func openRaw() (*nl.SocketHandle, error) {
	s, err := nl.GetNetlinkSocketAt(vnetns.None(), vnetns.None(), unix.NETLINK_ROUTE)
	if err != nil {
		return nil, err
	}
	tv := unix.NsecToTimeval(patience.Nanoseconds())
	if err := s.SetSendTimeout(&tv); err != nil {
		s.Close()
		return nil, err
	}
	if err := s.SetReceiveTimeout(&tv); err != nil {
		s.Close()
		return nil, err
	}
	_ = unix.SetsockoptInt(s.GetFd(), unix.SOL_NETLINK, unix.NETLINK_GET_STRICT_CHK, 1)
	_ = s.SetExtAck(true)
	return &nl.SocketHandle{Socket: s}, nil
}

// request sends one request and returns the messages of type reply.
func (n *Kernel) request(typ, flags int, reply uint16, data ...nl.NetlinkRequestData) ([][]byte, error) {
	req := nl.NewNetlinkRequest(typ, flags)
	req.Sockets = map[int]*nl.SocketHandle{unix.NETLINK_ROUTE: n.raw}
	for _, d := range data {
		req.AddData(d)
	}
	return req.Execute(unix.NETLINK_ROUTE, reply)
}

// An attribute is one of a netlink message.
type attribute struct {
	typ   uint16
	value []byte
}

// attributes splits b, which the kernel made, into attributes. What does not fit ends it.
func attributes(b []byte) []attribute {
	var list []attribute
	for len(b) >= unix.SizeofRtAttr {
		n := int(binary.NativeEndian.Uint16(b))
		if n < unix.SizeofRtAttr || n > len(b) {
			break
		}
		list = append(list, attribute{
			typ:   binary.NativeEndian.Uint16(b[2:]) &^ (unix.NLA_F_NESTED | unix.NLA_F_NET_BYTEORDER),
			value: b[unix.SizeofRtAttr:n],
		})
		b = b[min((n+unix.NLA_ALIGNTO-1)&^(unix.NLA_ALIGNTO-1), len(b)):]
	}
	return list
}

// find returns the value of the first attribute of the type.
func find(list []attribute, typ uint16) ([]byte, bool) {
	for _, a := range list {
		if a.typ == typ {
			return a.value, true
		}
	}
	return nil, false
}
