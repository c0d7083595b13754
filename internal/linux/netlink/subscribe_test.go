//go:build linux

package netlink

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lessee/lessee/internal/linux/poll"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// linkUp is an RTM_NEWLINK message about an interface with a carrier, as the kernel
// sends it.
func linkUp(index int, losses uint32) []byte {
	m := linkMessage(index)
	m.Type = unix.ARPHRD_ETHER
	m.Flags = unix.IFF_UP | unix.IFF_RUNNING
	info := nl.NewRtAttr(unix.IFLA_LINKINFO, nil)
	info.AddRtAttr(unix.IFLA_INFO_SLAVE_KIND, nl.ZeroTerminated("vrf"))
	info.AddRtAttr(unix.IFLA_INFO_SLAVE_DATA, nl.NewRtAttr(vrfPortTable, nl.Uint32Attr(70)).Serialize())
	names := nl.NewRtAttr(unix.IFLA_PROP_LIST, nil)
	names.AddRtAttr(unix.IFLA_ALT_IFNAME, nl.ZeroTerminated("lan"))
	names.AddRtAttr(unix.IFLA_ALT_IFNAME, nl.ZeroTerminated("uplink"))
	return slices.Concat(m.Serialize(),
		nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated("c0")).Serialize(),
		nl.NewRtAttr(unix.IFLA_MTU, nl.Uint32Attr(1500)).Serialize(),
		nl.NewRtAttr(unix.IFLA_ADDRESS, []byte{2, 0, 0, 0, 0, 2}).Serialize(),
		nl.NewRtAttr(unix.IFLA_CARRIER_DOWN_COUNT, nl.Uint32Attr(losses)).Serialize(),
		names.Serialize(), info.Serialize())
}

// datagram puts a body into a message, as the kernel sends it.
func datagram(typ uint16, body []byte) []byte {
	var m builder
	m.begin(typ, 0, 0)
	m.b = append(m.b, body...)
	m.end()
	clear(m.b[6:8]) // the flags: it is no request
	return m.b
}

// TestDescribes: each field of a link makes a difference.
func TestDescribes(t *testing.T) {
	t.Parallel()
	body := linkUp(9, 3)
	link, ok := parseLink(body)
	if !ok || !describes(body, link) {
		t.Fatalf("%+v, %v is not described by what it was read from", link, ok)
	}
	for i := range reflect.TypeFor[netconf.Link]().NumField() {
		other := link
		f := reflect.ValueOf(&other).Elem().Field(i)
		if f.IsZero() != (reflect.TypeFor[netconf.Link]().Field(i).Name == "Loopback") {
			t.Fatalf("the test's link is %+v", link)
		}
		changed := []reflect.Value{reflect.Zero(f.Type())}
		if f.Kind() == reflect.Slice {
			shorter := f.Slice3(0, f.Len()-1, f.Len()-1)
			changed = append(changed, shorter, reflect.Append(shorter, reflect.Zero(f.Type().Elem())), reflect.AppendSlice(f, f))
		}
		if f.IsZero() {
			changed[0] = reflect.ValueOf(true)
		}
		for _, v := range changed {
			f.Set(v)
			if describes(body, other) {
				t.Errorf("%+v is not told from %+v", other, link)
			}
		}
	}
	prefix := link
	prefix.Name = "c0x"
	if describes(body, prefix) {
		t.Error("c0x is not told from c0")
	}
}

// TestFlap: a carrier that was lost and is back is reported as both; what says
// nothing new is not reported.
func TestFlap(t *testing.T) {
	t.Parallel()
	var told []string
	w := &watch{n: &Kernel{}, known: map[int]countedLink{}, notify: func(n netconf.Notice) {
		c := n.(netconf.LinkChange)
		told = append(told, fmt.Sprintf("%d carrier=%v gone=%v", c.Link.Index, c.Link.Carrier, c.Gone))
	}}
	down := linkUp(9, 5)
	down[8] &^= unix.IFF_RUNNING
	for _, c := range []struct {
		what string
		typ  uint16
		body []byte
		want []string
	}{
		{"new", unix.RTM_NEWLINK, linkUp(9, 3), []string{"9 carrier=true gone=false"}},
		{"the same", unix.RTM_NEWLINK, linkUp(9, 3), nil},
		{"lost and back", unix.RTM_NEWLINK, linkUp(9, 4), []string{"9 carrier=false gone=false", "9 carrier=true gone=false"}},
		{"lost", unix.RTM_NEWLINK, down, []string{"9 carrier=false gone=false"}},
		{"back and lost", unix.RTM_NEWLINK, slices.Replace(slices.Clone(linkUp(9, 6)), 8, 9, down[8]), nil},
		{"back", unix.RTM_NEWLINK, linkUp(9, 6), []string{"9 carrier=true gone=false"}},
		{"not understood", unix.RTM_NEWLINK, linkUp(9, 6)[:8], nil},
		{"out of a bridge", unix.RTM_DELLINK, append([]byte{unix.AF_BRIDGE}, linkUp(9, 6)[1:]...), nil},
		{"gone", unix.RTM_DELLINK, linkUp(9, 6), []string{"9 carrier=false gone=true"}},
		{"another one of its index", unix.RTM_NEWLINK, linkUp(9, 0), []string{"9 carrier=true gone=false"}},
	} {
		told = nil
		w.take(message{typ: c.typ, body: c.body})
		if !slices.Equal(told, c.want) {
			t.Errorf("%s: told %q, want %q", c.what, told, c.want)
		}
	}
}

// A stubLoop counts what is asked of a loop.
type stubLoop struct {
	poll.Loop
	removed int
	do      func(func())
}

func (p *stubLoop) Remove(int)  { p.removed++ }
func (p *stubLoop) Do(f func()) { p.do(f) }

// TestNothingNewAllocatesNothing: a notification that says nothing new, or is dropped.
func TestNothingNewAllocatesNothing(t *testing.T) {
	w := &watch{n: &Kernel{}, known: map[int]countedLink{}, notify: func(netconf.Notice) {}}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[0])
	defer unix.Close(pair[1])
	s := &subscription{fd: pair[0], buf: make([]byte, answerSize), take: w.take}
	known := datagram(unix.RTM_NEWLINK, linkUp(9, 3))
	bridge := datagram(unix.RTM_DELLINK, append([]byte{unix.AF_BRIDGE}, linkUp(9, 3)[1:]...))
	n := testing.AllocsPerRun(100, func() {
		for _, b := range [][]byte{known, bridge, known} {
			if _, err := unix.Write(pair[1], b); err != nil {
				t.Fatal(err)
			}
		}
		s.ready()
	})
	if n != 0 || len(w.known) != 1 {
		t.Errorf("%v allocations, %v known", n, w.known)
	}
}

// TestSubscriptionFails: a socket that cannot be read is closed, which is reported once.
func TestSubscriptionFails(t *testing.T) {
	t.Parallel()
	null, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	loop := &stubLoop{}
	reported := 0
	s := &subscription{loop: loop, fd: null, buf: make([]byte, 8), overrun: func() { reported++ }}
	s.ready()
	s.ready()
	if reported != 1 || loop.removed != 1 || s.fd != -1 {
		t.Errorf("reported %d times, removed %d times, descriptor %d", reported, loop.removed, s.fd)
	}
}

// TestDelayedStops: after stop the loop gets nothing, whenever the delay was over.
func TestDelayedStops(t *testing.T) {
	t.Parallel()
	var stopped atomic.Bool
	loop := &stubLoop{do: func(func()) {
		if stopped.Load() {
			t.Error("called after stop")
		}
	}}
	for i := range 1000 {
		stopped.Store(false)
		d := after(loop, time.Duration(i%20)*time.Microsecond, func() {})
		if i%3 == 0 {
			<-d.done
		}
		d.stop()
		stopped.Store(true)
	}
}

// TestForgedNotifications: what other processes send is not believed. A privileged
// one can send to the kernel's groups.
func TestForgedNotifications(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{})
	changes := make(chan netconf.LinkChange, 256)
	_, w := l.watch(l.n, func(n netconf.Notice) {
		if c, ok := n.(netconf.LinkChange); ok {
			changes <- c
		}
	})
	name, err := unix.Getsockname(w.links.fd)
	l.Must(err)
	port := name.(*unix.SockaddrNetlink).Pid
	var fd int
	l.Do(func() { fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE) })
	l.Must(err)
	defer unix.Close(fd)
	forged := datagram(unix.RTM_DELLINK, linkUp(l.c0().Index, 0))
	err = unix.Sendto(fd, forged, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Pid: port})
	if !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("sent to the port: %v, want ECONNREFUSED", err)
	}
	l.Must(unix.Sendto(fd, forged, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1 << (unix.RTNLGRP_LINK - 1)}))
	l.Must(l.H.LinkSetMTU(l.Link("c0"), 1400))
	for {
		select {
		case c := <-changes:
			if c.Gone {
				t.Errorf("reported %+v", c)
			}
			if c.Link.MTU == 1400 {
				return
			}
		case <-time.After(10 * time.Second):
			t.Fatal("never told of the MTU")
		}
	}
}

// TestCloseInNotify: a watch that its own report closes reports nothing more.
func TestCloseInNotify(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{})
	told := 0
	ready := make(chan *watch)
	closed := make(chan struct{})
	p, w := l.watch(l.n, func(netconf.Notice) {
		if told++; told == 1 {
			_ = (<-ready).Close() // several wait
			close(closed)
		}
	})
	for mtu := 1400; mtu < 1410; mtu++ {
		l.Must(l.H.LinkSetMTU(l.Link("c0"), mtu))
	}
	ready <- w
	<-closed
	p.wait(func() {
		if told != 1 {
			t.Errorf("told %d times", told)
		}
	})
}
