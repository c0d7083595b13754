//go:build linux

package netlink

import (
	"io"
	"time"

	"github.com/lessee/lessee/internal/linux/poll"
	"github.com/lessee/lessee/internal/linux/syserr"
	"github.com/lessee/lessee/internal/netconf"
	"golang.org/x/sys/unix"
)

// Watch reports every change of a link from the moment it returns, and what
// others do to addresses and routes ([netconf.Disturbed]). If the kernel dropped
// notifications, all links are reported anew, or everything may be disturbed. What
// the kernel reports twice without a difference that a [netconf.Link] shows is
// reported once.
//
// Watch and Close are called from the loop's goroutine, and so is notify, which
// may close the watch. After Close nothing is called any more.
//
// There are two sockets: a flood of routes costs no notification about a link.
func (n *Kernel) Watch(loop poll.Loop, notify func(netconf.Notice)) (io.Closer, error) {
	w := &watch{n: n, loop: loop, notify: notify, known: map[int]countedLink{}}
	var err error
	if w.links, err = n.subscribe(loop, nil, w.take, w.overrun, unix.RTNLGRP_LINK); err != nil {
		return nil, syserr.Wrap("", "watch the network interfaces", err)
	}
	w.others, err = n.subscribe(loop, disturbance(n.change.port), w.disturbed, func() { w.tell(netconf.Disturbed{}) },
		unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV6_IFADDR, unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV6_ROUTE)
	if err != nil {
		_ = w.links.Close()
		return nil, syserr.Wrap("", "watch the addresses and routes", err)
	}
	// The list is taken after the subscription: a change in between is told
	// again, none is missed.
	list, err := n.links()
	if err != nil {
		_ = w.Close()
		return nil, err
	}
	for _, l := range list {
		w.known[l.Index] = l
	}
	n.ahead.begin()
	return w, nil
}

type watch struct {
	n             *Kernel
	loop          poll.Loop
	notify        func(netconf.Notice)
	links, others *subscription
	closed        bool
	// known is what was reported last.
	known map[int]countedLink
	retry *delayed // of a list that failed; nil if none did
}

// Close ends the watch.
func (w *watch) Close() error {
	w.closed = true
	w.n.ahead.end()
	w.stopRetry()
	_ = w.links.Close()
	_ = w.others.Close()
	return nil
}

func (w *watch) tell(n netconf.Notice) {
	if d, is := n.(netconf.Disturbed); is && !d.Object.Prefix.Addr().Is6() {
		w.n.ahead.outdate(d.Index)
	}
	if !w.closed {
		w.notify(n)
	}
}

func (w *watch) take(m message) {
	if m.typ != unix.RTM_NEWLINK && m.typ != unix.RTM_DELLINK || len(m.body) < unix.SizeofIfInfomsg || bridgePort(m.body) {
		return
	}
	if m.typ == unix.RTM_DELLINK {
		if l, ok := parseLink(m.body); ok {
			w.gone(l)
		}
		return
	}
	losses := carrierLosses(m.body)
	old, known := w.known[linkIndex(m.body)]
	if known && describes(m.body, old.Link) && (losses == old.losses || !old.Carrier) {
		old.losses = losses
		w.known[old.Index] = old
		return
	}
	if l, ok := parseLink(m.body); ok {
		w.report(countedLink{l, losses})
	}
}

// bridgePort tells the notifications of the bridge code about its ports, whose
// RTM_DELLINK means that the port left the bridge, not that the link is gone.
func bridgePort(m []byte) bool { return m[0] != unix.AF_UNSPEC }

// report reports a link. Before that it reports a carrier that was lost and is back
// already: the kernel reports only the latest state, but it counts the losses. The
// link may be in another network.
func (w *watch) report(l countedLink) {
	old, ok := w.known[l.Index]
	if !ok || l.losses != old.losses || old.Up && !l.Up || old.Carrier && !l.Carrier {
		w.n.ahead.outdate(l.Index) // the kernel drops routes with the link, and says nothing of it
	}
	if ok && l.losses != old.losses && old.Carrier && l.Carrier {
		lost := l.Link
		lost.Carrier = false
		w.tell(netconf.LinkChange{Link: lost})
	}
	w.known[l.Index] = l
	w.tell(netconf.LinkChange{Link: l.Link})
}

func (w *watch) gone(l netconf.Link) {
	if old, ok := w.known[l.Index]; ok {
		l = old.Link // an interface on its way out has lost its alternative names
		delete(w.known, l.Index)
	}
	w.n.ahead.outdate(l.Index)
	l.Up, l.Carrier = false, false
	w.tell(netconf.LinkChange{Link: l, Gone: true})
}

// relistDelay is how long after a list of all links failed it is tried again.
const relistDelay = time.Second

// overrun reports all links anew, first those that are gone.
func (w *watch) overrun() {
	w.stopRetry()
	links, err := w.n.links()
	if err != nil {
		w.retry = after(w.loop, relistDelay, w.listAgain)
		return
	}
	here := make(map[int]bool, len(links))
	for _, l := range links {
		here[l.Index] = true
	}
	for i, l := range w.known {
		if !here[i] {
			w.gone(l.Link)
		}
	}
	for _, l := range links {
		w.report(l)
	}
}

// listAgain is called when the delay of a retry is over.
func (w *watch) listAgain() {
	if w.retry != nil {
		w.overrun()
	}
}

func (w *watch) stopRetry() {
	if w.retry != nil {
		w.retry.stop()
		w.retry = nil
	}
}

// disturbed reports what others did.
func (w *watch) disturbed(m message) {
	for _, d := range disturbed(m) {
		w.tell(d)
	}
}

// A delayed function runs on the loop's goroutine.
type delayed struct {
	timer *time.Timer
	done  chan struct{} // closed when the loop has got the function
}

func after(loop poll.Loop, d time.Duration, f func()) *delayed {
	done := make(chan struct{})
	return &delayed{time.AfterFunc(d, func() {
		loop.Do(f)
		close(done)
	}), done}
}

// stop returns when the loop gets no function any more. It may have got it.
func (d *delayed) stop() {
	if !d.timer.Stop() {
		<-d.done
	}
}
