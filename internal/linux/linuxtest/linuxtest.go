//go:build linux

// Package linuxtest makes network namespaces for the tests of the packages in linux.
package linuxtest

import (
	"errors"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// A Lab is a network namespace of a test's own: the adapter c0 and p0, the
// other end of its cable. It vanishes with the test.
type Lab struct {
	T testing.TB
	// H asks and changes the kernel, as another program would.
	H *netlink.Handle
	// Do runs a function on a thread in the namespace.
	Do func(f func())
}

// The hardware addresses of c0 and p0.
var (
	MacC = net.HardwareAddr{2, 0, 0, 0, 0, 2}
	MacP = net.HardwareAddr{2, 0, 0, 0, 0, 1}
)

// New makes a namespace. The test is skipped where it may not.
func New(t testing.TB) *Lab {
	t.Helper()
	work := make(chan func())
	ready := make(chan error)
	go func() {
		// Never unlocked: the thread ends with the goroutine, and with it the namespace.
		runtime.LockOSThread()
		err := unix.Unshare(unix.CLONE_NEWNET)
		ready <- err
		if err != nil {
			return
		}
		for f := range work {
			f()
		}
	}()
	if err := <-ready; errors.Is(err, unix.EPERM) {
		t.Skip("needs CAP_SYS_ADMIN to make a network namespace (try: unshare -Urn go test)")
	} else if err != nil {
		t.Fatal(err)
	}
	l := &Lab{T: t, Do: func(f func()) {
		done := make(chan struct{})
		work <- func() { defer close(done); f() }
		<-done
	}}
	t.Cleanup(func() { close(work) })
	var err error
	l.Do(func() { l.H, err = netlink.NewHandle(unix.NETLINK_ROUTE) })
	l.Must(err)
	t.Cleanup(l.H.Close)
	veth := &netlink.Veth{
		LinkAttrs: netlink.LinkAttrs{Name: "c0", HardwareAddr: MacC, MTU: 1500},
		PeerName:  "p0", PeerHardwareAddr: MacP,
	}
	l.Must(l.H.LinkAdd(veth))
	for _, name := range []string{"lo", "p0", "c0"} {
		l.Must(l.H.LinkSetUp(l.Link(name)))
	}
	l.Await("c0 has a carrier", func() bool { return l.Link("c0").Attrs().RawFlags&unix.IFF_RUNNING != 0 })
	return l
}

// Must fails the test if err is not nil.
func (l *Lab) Must(err error) {
	l.T.Helper()
	if err != nil {
		l.T.Fatal(err)
	}
}

// Link returns the interface of that name.
func (l *Lab) Link(name string) netlink.Link {
	l.T.Helper()
	k, err := l.H.LinkByName(name)
	l.Must(err)
	return k
}

// Subscribe hears what the kernel reports, like `ip monitor`.
func (l *Lab) Subscribe(groups ...uint) *nl.NetlinkSocket {
	l.T.Helper()
	var s *nl.NetlinkSocket
	var err error
	l.Do(func() { s, err = nl.Subscribe(unix.NETLINK_ROUTE, groups...) })
	l.Must(err)
	return s
}

// Await watches the kernel until ok.
func (l *Lab) Await(what string, ok func() bool) {
	l.T.Helper()
	s := l.Subscribe(unix.RTNLGRP_LINK, unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV6_IFADDR, unix.RTNLGRP_IPV6_ROUTE)
	defer s.Close()
	for end := time.Now().Add(10 * time.Second); !ok(); {
		if time.Now().After(end) {
			l.T.Fatalf("did not happen: %s", what)
		}
		tv := unix.NsecToTimeval(int64(100 * time.Millisecond))
		l.Must(s.SetReceiveTimeout(&tv))
		_, _, _ = s.Receive()
	}
}

// IPNet returns a prefix as the netlink library has it.
func IPNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
