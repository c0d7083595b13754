//go:build linux

package host

import (
	"errors"
	"io"
	"reflect"
	"sync/atomic"

	"github.com/lessee/lessee/internal/driver"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Watch implements [driver.Network]. What the kernel reports twice without a
// difference that a [driver.Link] shows is told once.
func (n *Network) Watch(changed func(driver.LinkChange)) (io.Closer, error) {
	var s *nl.NetlinkSocket
	err := n.in(func() (err error) {
		s, err = nl.Subscribe(unix.NETLINK_ROUTE, unix.RTNLGRP_LINK)
		return err
	})
	if err != nil {
		return nil, failed("", "watch the network interfaces", err)
	}
	w := &watch{n: n, s: s, changed: changed, known: map[int]driver.Link{}}
	// The list is taken after the subscription: a change in between is told
	// again, none is missed.
	links, err := n.Links()
	if err != nil {
		s.Close()
		return nil, err
	}
	for _, l := range links {
		w.known[l.Index] = l
	}
	go w.run()
	return w, nil
}

type watch struct {
	n       *Network
	s       *nl.NetlinkSocket
	changed func(driver.LinkChange)
	closed  atomic.Bool
	// known is what was told last; it belongs to run.
	known map[int]driver.Link
}

// Close ends the watch. A call of changed that is under way may still finish.
func (w *watch) Close() error {
	if !w.closed.Swap(true) {
		w.s.Close()
	}
	return nil
}

func (w *watch) run() {
	for !w.closed.Load() {
		msgs, from, err := w.s.Receive()
		switch {
		case w.closed.Load():
			return
		case errors.Is(err, unix.ENOBUFS):
			// The kernel dropped notifications.
			w.relist()
			continue
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN):
			continue
		case err != nil:
			// The socket is unusable, which takes more than the network to
			// bring about; what can still be told is the present state.
			w.relist()
			return
		case from.Pid != nl.PidKernel:
			continue
		}
		for _, m := range msgs {
			if l, ok := parseLink(m.Data); ok && !bridgePort(m.Data) {
				switch m.Header.Type {
				case unix.RTM_NEWLINK:
					w.tell(l, false)
				case unix.RTM_DELLINK:
					w.gone(l)
				}
			}
		}
	}
}

// bridgePort tells the notifications of the bridge code about its ports, whose
// RTM_DELLINK means that the port left the bridge, not that the link is gone.
func bridgePort(m []byte) bool { return m[0] != unix.AF_UNSPEC }

func (w *watch) relist() {
	links, err := w.n.Links()
	if err != nil {
		return // the next notification or overrun tries again
	}
	here := make(map[int]bool, len(links))
	for _, l := range links {
		here[l.Index] = true
	}
	for i, l := range w.known {
		if !here[i] {
			w.gone(l)
		}
	}
	for _, l := range links {
		w.tell(l, true)
	}
}

func (w *watch) tell(l driver.Link, anew bool) {
	if old, ok := w.known[l.Index]; ok && !anew && reflect.DeepEqual(old, l) {
		return
	}
	w.known[l.Index] = l
	if !w.closed.Load() {
		w.changed(driver.LinkChange{Link: l})
	}
}

func (w *watch) gone(l driver.Link) {
	if old, ok := w.known[l.Index]; ok {
		l = old // an interface on its way out has lost its alternative names
		delete(w.known, l.Index)
	}
	l.Up, l.Carrier = false, false
	if !w.closed.Load() {
		w.changed(driver.LinkChange{Link: l, Gone: true})
	}
}
