//go:build linux

package netlink

import (
	"errors"
	"io"
	"os"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lessee/lessee/internal/linux/syserr"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/mdlayher/socket"
	"golang.org/x/sys/unix"
)

// Watch reports every change of a link from the moment it returns, and what
// others do to addresses and routes ([netconf.Disturbed]). notify is called from
// one goroutine at a time. If the kernel dropped notifications, all links are
// reported anew, or everything may be disturbed. What the kernel reports twice
// without a difference that a [netconf.Link] shows is reported once.
//
// There are two sockets: a flood of routes costs no notification about a link.
func (n *Kernel) Watch(notify func(netconf.Notice)) (io.Closer, error) {
	links, err := n.subscribe(nil, unix.RTNLGRP_LINK)
	if err != nil {
		return nil, syserr.Wrap("", "watch the network interfaces", err)
	}
	others, err := n.subscribe(disturbance(n.change.port),
		unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV6_IFADDR, unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV6_ROUTE)
	if err != nil {
		links.Close()
		return nil, syserr.Wrap("", "watch the addresses and routes", err)
	}
	w := &watch{n: n, links: links, others: others, notify: notify, known: map[int]netconf.Link{}}
	// The list is taken after the subscription: a change in between is told
	// again, none is missed.
	list, losses, err := n.links()
	if err != nil {
		w.Close()
		return nil, err
	}
	w.losses = losses
	for _, l := range list {
		w.known[l.Index] = l
	}
	go w.run()
	go w.watchOthers()
	return w, nil
}

type watch struct {
	n             *Kernel
	links, others *socket.Conn
	closed        atomic.Bool
	calling       sync.Mutex // held while notify is called
	notify        func(netconf.Notice)
	// known is what was reported last; it belongs to run.
	known map[int]netconf.Link
	// losses is how often each link had lost its carrier when last heard of.
	losses map[int]uint32
}

// Close ends the watch. A call of notify that is under way may still finish.
func (w *watch) Close() error {
	if !w.closed.Swap(true) {
		w.links.Close()
		w.others.Close()
	}
	return nil
}

func (w *watch) tell(n netconf.Notice) {
	w.calling.Lock()
	defer w.calling.Unlock()
	if !w.closed.Load() {
		w.notify(n)
	}
}

// relistDelay is how long after a list of all links failed it is tried again.
const relistDelay = time.Second

func (w *watch) run() {
	buf := make([]byte, answerSize)
	for !w.closed.Load() {
		err := hear(w.links, buf, w.take)
		switch {
		case err == nil:
		case w.closed.Load():
			return
		case errors.Is(err, unix.ENOBUFS), errors.Is(err, os.ErrDeadlineExceeded):
			// The kernel dropped notifications, now or before.
			again := time.Time{}
			if w.relist() != nil {
				again = time.Now().Add(relistDelay)
			}
			_ = w.links.SetReadDeadline(again)
		default:
			// The socket is unusable, which takes more than the network to
			// bring about; what can still be told is the present state.
			_ = w.relist()
			return
		}
	}
}

func (w *watch) take(m message) {
	if m.typ != unix.RTM_NEWLINK && m.typ != unix.RTM_DELLINK {
		return
	}
	l, ok := parseLink(m.body)
	switch {
	case !ok || bridgePort(m.body):
	case m.typ == unix.RTM_NEWLINK:
		w.reportFlap(l, carrierLosses(m.body))
		w.changed(l, unlessKnown)
	default:
		w.gone(l)
	}
}

// bridgePort tells the notifications of the bridge code about its ports, whose
// RTM_DELLINK means that the port left the bridge, not that the link is gone.
func bridgePort(m []byte) bool { return m[0] != unix.AF_UNSPEC }

// reportFlap reports a carrier that was lost and is back already: the kernel
// reports only the latest state, but it counts the losses. The link may be in
// another network.
func (w *watch) reportFlap(l netconf.Link, losses uint32) {
	before, counted := w.losses[l.Index]
	w.losses[l.Index] = losses
	if old, ok := w.known[l.Index]; ok && counted && losses != before && old.Carrier && l.Carrier {
		l.Carrier = false
		w.changed(l, unlessKnown)
	}
}

func (w *watch) relist() error {
	links, losses, err := w.n.links()
	if err != nil {
		return err
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
		w.reportFlap(l, losses[l.Index])
		w.changed(l, always)
	}
	return nil
}

// A report says whether a link is told that is known as it is.
type report uint8

const (
	unlessKnown report = iota
	always
)

func (w *watch) changed(l netconf.Link, how report) {
	if old, ok := w.known[l.Index]; ok && how == unlessKnown && reflect.DeepEqual(old, l) {
		return
	}
	w.known[l.Index] = l
	w.tell(netconf.LinkChange{Link: l})
}

func (w *watch) gone(l netconf.Link) {
	if old, ok := w.known[l.Index]; ok {
		l = old // an interface on its way out has lost its alternative names
		delete(w.known, l.Index)
		delete(w.losses, l.Index)
	}
	l.Up, l.Carrier = false, false
	w.tell(netconf.LinkChange{Link: l, Gone: true})
}
