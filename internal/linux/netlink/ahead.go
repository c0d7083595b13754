//go:build linux

package netlink

import (
	"slices"
	"sync"

	"github.com/lessee/lessee/internal/linux/clock"
	"github.com/lessee/lessee/internal/netconf"
	"golang.org/x/sys/unix"
)

// An ahead has the states of links that were read ahead: what the next Apply would
// read counts already, unless something has changed since. It is true as long as a
// watch hears of the changes, and takes nothing without one.
type ahead struct {
	mu     sync.Mutex
	states map[int]netconf.State // by index; nil: there is no watch
}

// begin begins with no state, end ends with none.
func (m *ahead) begin() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.states = make(map[int]netconf.State)
}

func (m *ahead) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.states = nil
}

// put keeps the state of a link, if there is a watch.
func (m *ahead) put(s netconf.State) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.states != nil {
		s.Addresses, s.Routes = slices.Clone(s.Addresses), nil
		m.states[s.Link.Index] = s
	}
}

// take returns what counts for a link, which does not count a second time.
func (m *ahead) take(index int) (s netconf.State, counts bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, counts = m.states[index]
	delete(m.states, index)
	return s, counts
}

// outdate forgets what was read of a link, or with 0 of all: something has changed.
func (m *ahead) outdate(index int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if index == 0 {
		clear(m.states)
		return
	}
	delete(m.states, index)
}

// Ahead reads the IPv4 configuration of a link for the next Apply, which is to be
// quick. It counts if a watch is open, and if the link has nothing that is ours: to
// take that away, the kernel is asked anew.
func (n *Kernel) Ahead(link netconf.Link) {
	n.change.lock()
	defer n.change.unlock()
	n.ahead.outdate(link.Index)
	if n.read(link, []uint8{unix.AF_INET}) != nil || len(n.state.Routes) > 0 {
		return
	}
	if !slices.ContainsFunc(n.state.Addresses, func(a netconf.Address) bool { return a.Flags&netconf.NoPrefixRoute != 0 }) {
		n.ahead.put(n.state)
	}
}

// readAhead puts what was read ahead into n.state; false if nothing counts. Its caller
// holds n.change.mu.
func (n *Kernel) readAhead(link netconf.Link, families []uint8) bool {
	s, counts := n.ahead.take(link.Index)
	if !counts || len(families) != 1 || families[0] != unix.AF_INET || s.Link.VRF != link.VRF {
		return false
	}
	s.At, s.Link.MTU, s.Link.Up, s.Link.Carrier = clock.Now(), link.MTU, link.Up, link.Carrier
	s.Addresses = append(n.state.Addresses[:0], s.Addresses...)
	s.Routes = n.state.Routes[:0]
	n.state = s
	return true
}
