//go:build linux

package netlink

import (
	"encoding/binary"
	"errors"
	"io"
	"reflect"
	"sync/atomic"

	"github.com/lessee/lessee/internal/linux/syserr"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Watch implements [driver.Network]. What the kernel reports twice without a
// difference that a [netconf.Link] shows is told once.
func (n *Kernel) Watch(changed func(netconf.LinkChange)) (io.Closer, error) {
	var s *nl.NetlinkSocket
	err := n.space.Do(func() (err error) {
		s, err = nl.Subscribe(unix.NETLINK_ROUTE, unix.RTNLGRP_LINK)
		return err
	})
	if err != nil {
		return nil, syserr.Wrap("", "watch the network interfaces", err)
	}
	w := &watch{n: n, s: s, changed: changed, known: map[int]netconf.Link{}}
	// The list is taken after the subscription: a change in between is told
	// again, none is missed.
	links, losses, err := n.links()
	if err != nil {
		s.Close()
		return nil, err
	}
	w.losses = losses
	for _, l := range links {
		w.known[l.Index] = l
	}
	go w.run()
	return w, nil
}

type watch struct {
	n       *Kernel
	s       *nl.NetlinkSocket
	changed func(netconf.LinkChange)
	closed  atomic.Bool
	// known is what was told last; it belongs to run.
	known map[int]netconf.Link
	// losses is how often each link had lost its carrier when last heard of.
	losses map[int]uint32
	// stale says that a list of all links is owed.
	stale bool
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
		if w.stale {
			w.relist()
		}
		for _, m := range msgs {
			if l, ok := parseLink(m.Data); ok && !bridgePort(m.Data) {
				switch m.Header.Type {
				case unix.RTM_NEWLINK:
					w.blink(l, carrierLosses(m.Data))
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

// blink tells of a carrier that was lost and is back already: the kernel tells
// only what it has come to, but it counts. The link may be in another network.
func (w *watch) blink(l netconf.Link, losses uint32) {
	before, counted := w.losses[l.Index]
	w.losses[l.Index] = losses
	if old, ok := w.known[l.Index]; ok && counted && losses != before && old.Carrier && l.Carrier {
		l.Carrier = false
		w.tell(l, false)
	}
}

// carrierLosses reads from an RTM_NEWLINK message how often the link has lost
// its carrier.
func carrierLosses(m []byte) uint32 {
	for _, a := range attributes(m[unix.SizeofIfInfomsg:]) {
		if a.typ == unix.IFLA_CARRIER_DOWN_COUNT && len(a.value) >= 4 {
			return binary.NativeEndian.Uint32(a.value)
		}
	}
	return 0
}

func (w *watch) relist() {
	links, losses, err := w.n.links()
	w.stale = err != nil
	if err != nil {
		return // the next notification tries again
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
		w.blink(l, losses[l.Index])
		w.tell(l, true)
	}
}

func (w *watch) tell(l netconf.Link, anew bool) {
	if old, ok := w.known[l.Index]; ok && !anew && reflect.DeepEqual(old, l) {
		return
	}
	w.known[l.Index] = l
	if !w.closed.Load() {
		w.changed(netconf.LinkChange{Link: l})
	}
}

func (w *watch) gone(l netconf.Link) {
	if old, ok := w.known[l.Index]; ok {
		l = old // an interface on its way out has lost its alternative names
		delete(w.known, l.Index)
		delete(w.losses, l.Index)
	}
	l.Up, l.Carrier = false, false
	if !w.closed.Load() {
		w.changed(netconf.LinkChange{Link: l, Gone: true})
	}
}
