package loop

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/linux/packet"
	"github.com/lessee/lessee/internal/linux/poll"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy/v4"
)

// A Place is where a network namespace is found, other than the one of the process.
type Place struct {
	// Identity distinguishes the namespace from others that exist; it is comparable.
	Identity any
	// ID is what its adapters' records are known by: the container's, as a rule.
	ID string
	// Enter opens what is needed in the namespace. An error that wraps
	// [netconf.ErrNoSpace] says that it does not exist any more.
	Enter func(poll.Loop) (Space, error)
	// Watch calls gone when the namespace cannot be entered any more; both on the loop's
	// goroutine. It holds nothing that keeps the namespace.
	Watch func(gone func()) (io.Closer, error)
}

// A space is a namespace in use. That of the process is always open. Another one is
// open while something is under way in it, and not else: an open socket would keep it
// when its owner is gone.
type space struct {
	Space // the zero Space while it is not open

	ns    core.NS
	place Place
	// links reports changes while the namespace is open, end its end.
	links, end io.Closer
	// neighbours reports link addresses while somebody waits for one, nil otherwise.
	neighbours io.Closer
	waits      int // for a link address
	jobs       int // of the pool that are about it
	// By index: the links where ARP is listened to, the exchanges that are open, and what
	// was refused where something was.
	listening map[int]struct{}
	exchanges map[int]packet.Exchange
	refused   map[int]*Refusals
}

func newSpace(ns core.NS, p Place) *space {
	return &space{ns: ns, place: p, listening: make(map[int]struct{}), exchanges: make(map[int]packet.Exchange), refused: make(map[int]*Refusals)}
}

// refuse counts packets that did not come to a link's client.
func (s *space) refuse(index int, why packet.Refusal, n uint64) {
	if why >= packet.Refusals || n == 0 {
		return
	}
	if s.refused[index] == nil {
		s.refused[index] = new(Refusals)
	}
	s.refused[index][why] += n
}

// close closes a link's exchange.
func (s *space) close(index int) {
	if x := s.exchanges[index]; x != nil {
		delete(s.exchanges, index)
		_ = x.Close()
	}
}

// fallSilent closes what hears of a namespace.
func (s *space) fallSilent() {
	for index := range s.exchanges {
		s.close(index)
	}
	for _, c := range []io.Closer{s.links, s.neighbours} {
		if c != nil {
			_ = c.Close()
		}
	}
	s.links, s.neighbours = nil, nil
}

// Join has the adapters of another namespace managed, by calls. It returns the number
// of the namespace, the same one if it is there already.
func (l *Loop) Join(p Place) (ns core.NS, err error) {
	if !l.Call(func() { ns, err = l.join(p) }) {
		err = ErrEnded
	}
	return ns, err
}

// ErrEnded says that the loop takes nothing any more.
var ErrEnded = errors.New("the loop has ended")

func (l *Loop) join(p Place) (core.NS, error) {
	if s := l.places[p.Identity]; s != nil {
		return s.ns, nil
	}
	if l.records[p.ID] != nil {
		return 0, fmt.Errorf("the records of %q are those of another network namespace", p.ID)
	}
	l.lastNS++
	s := newSpace(l.lastNS, p)
	var err error
	if s.end, err = p.Watch(func() { l.ended(s) }); err != nil {
		return 0, err
	}
	l.spaces[s.ns], l.places[p.Identity], l.records[p.ID] = s, s, s
	if _, err = l.in(s.ns); err != nil {
		l.ended(s)
		return 0, err
	}
	l.list(s)
	return s.ns, nil
}

// abroad is how an adapter is managed in another namespace: nothing is listened for
// while nothing is under way, as an open socket would keep the namespace when its owner
// is gone. Its name servers are its owner's.
func abroad(ns core.NS, cfg v4.Config) v4.Config {
	if ns != core.Home {
		cfg.DHCP4.ForceRenew, cfg.LinkLocal, cfg.Policy.DNS = false, false, false
		cfg.Conflict = cfg.Conflict.Once()
	}
	return cfg
}

// in returns a namespace, which it opens if nobody is in it.
func (l *Loop) in(ns core.NS) (*space, error) {
	s := l.spaces[ns]
	switch {
	case s == nil:
		return nil, netconf.ErrNoSpace
	case s.Kernel != nil:
		return s, nil
	}
	opened, err := s.place.Enter(l)
	if err != nil {
		if errors.Is(err, netconf.ErrNoSpace) {
			l.Do(func() { l.ended(s) })
		}
		return nil, err
	}
	s.Space = opened
	if err := l.watch(s); err != nil {
		l.leave(s)
		return nil, err
	}
	l.visited = append(l.visited, s)
	l.Do(func() { l.list(s) })
	return s, nil
}

// watch has the changes in a namespace told.
func (l *Loop) watch(s *space) error {
	links, err := s.Kernel.Watch(l, func(n netconf.Notice) {
		switch n := n.(type) {
		case netconf.LinkChange:
			l.linkChanged(s.ns, n)
		case netconf.Disturbed:
			l.core.Handle(l.now, core.Disturbed{NS: s.ns, Notice: n})
		}
	})
	s.links = links
	return err
}

// list tells what links a namespace has: what happened while nobody was in it.
func (l *Loop) list(s *space) {
	if s.Kernel == nil {
		return
	}
	links, err := s.Kernel.Links()
	if err != nil {
		return // the watch tells of changes
	}
	var gone []netconf.Link
	for id, known := range l.core.LinksOf(s.ns) {
		if !slices.ContainsFunc(links, func(k netconf.Link) bool { return k.Index == id.Index }) {
			gone = append(gone, known)
		}
	}
	slices.SortFunc(gone, func(a, b netconf.Link) int { return cmp.Compare(a.Index, b.Index) })
	for _, link := range gone {
		l.linkChanged(s.ns, netconf.LinkChange{Link: link, Gone: true})
	}
	for _, link := range links {
		l.core.Handle(l.now, core.LinkChanged{NS: s.ns, Link: link})
	}
}

// leaveIdle leaves the namespaces where nothing is under way any more.
func (l *Loop) leaveIdle() {
	l.visited = slices.DeleteFunc(l.visited, func(s *space) bool {
		if s.Kernel == nil {
			return true
		}
		if s.waits > 0 || s.jobs > 0 || len(s.listening) > 0 || len(s.exchanges) > 0 {
			return false
		}
		l.leave(s)
		return true
	})
}

// leave closes all that is open in a namespace.
func (l *Loop) leave(s *space) {
	s.fallSilent()
	if s.Close != nil {
		s.Close()
	}
	s.Space = Space{}
}

// ended takes the end of a namespace.
func (l *Loop) ended(s *space) {
	if l.spaces[s.ns] != s {
		return
	}
	if s.Kernel != nil {
		l.leave(s)
	}
	_ = s.end.Close()
	delete(l.spaces, s.ns)
	delete(l.places, s.place.Identity)
	delete(l.records, s.place.ID)
	l.core.Handle(l.now, core.Left{NS: s.ns})
}

// separator is between the namespace and the adapter in the name of a record. No
// interface has it in its name.
const separator = "/"

// record is the name of an adapter's record: its own in the namespace of the process,
// that of the container and its own in another.
func (l *Loop) record(ns core.NS, name string) string {
	if s := l.spaces[ns]; s != nil && ns != core.Home {
		return s.place.ID + separator + name
	}
	return name
}

// adapterOf returns whose record has a name; false if the namespace is not there.
func (l *Loop) adapterOf(record string) (ns core.NS, name string, ok bool) {
	id, name, other := strings.Cut(record, separator)
	if !other {
		return core.Home, record, true
	}
	if s := l.records[id]; s != nil {
		return s.ns, name, true
	}
	return 0, "", false
}
