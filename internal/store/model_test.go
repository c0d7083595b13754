//go:build linux

package store

import (
	"bytes"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
)

// A ledger is a disk in memory that remembers what was done to it, so that the
// state after a crash at any point can be made up: that of a process that died,
// or one of those that a power failure may leave. What was not flushed may then
// be there or not, in any order, and a write in part, by sectors of 512 bytes.
type ledger struct {
	ops   []operation
	names map[string]int // files by name, as the process sees them
	nodes map[int][]byte // contents, as the process sees them
	next  int
	// crashAt ends the process, by a panic, before that operation; -1: never.
	crashAt int
	// fault changes an operation before it is done; nil: none.
	fault func(operation) operation
}

type operation struct {
	kind     opKind
	name, to string
	node     int
	at       int64
	data     []byte
	call     int
}

type opKind uint8

const (
	opNothing   opKind = iota
	opCreate           // name is node, which is empty
	opWrite            // data at an offset of node
	opFlush            // node's contents are on the disk
	opRename           // node, name before, is to now
	opRemove           // node is not name any more
	opSync             // names are on the disk
	opCallBegan        // the call with that number began
	opCallEnded        // and succeeded
)

// crashed is what a ledger panics with at its crashAt.
type crashed struct{}

func newLedger() *ledger {
	return &ledger{names: map[string]int{}, nodes: map[int][]byte{}, crashAt: -1}
}

func (l *ledger) do(o operation) {
	if len(l.ops) == l.crashAt {
		panic(crashed{})
	}
	if l.fault != nil {
		o = l.fault(o)
	}
	l.ops = append(l.ops, o)
	apply(l.names, l.nodes, o, nil)
}

const sector = 512

// apply does an operation; of a write the sectors that are chosen, nil: all.
func apply(names map[string]int, nodes map[int][]byte, o operation, chosen func(sector int) bool) {
	switch o.kind {
	case opCreate:
		names[o.name] = o.node
	case opWrite:
		b := nodes[o.node] // of this ledger only
		for i := 0; i < len(o.data); {
			n := len(o.data)
			if chosen != nil {
				n = min(sector-int(o.at+int64(i))%sector, len(o.data)-i)
			}
			if chosen == nil || chosen(i/sector) {
				if end := int(o.at) + i + n; len(b) < end {
					b = append(b, make([]byte, end-len(b))...)
				}
				copy(b[int(o.at)+i:], o.data[i:i+n])
			}
			i += n
		}
		nodes[o.node] = b
	case opRename:
		if names[o.name] == o.node {
			delete(names, o.name)
		}
		names[o.to] = o.node
	case opRemove:
		if names[o.name] == o.node {
			delete(names, o.name)
		}
	case opNothing, opFlush, opSync, opCallBegan, opCallEnded:
	}
}

// killed returns what a process that dies after n operations leaves; with torn,
// it died in the middle of the last one, if that is a write: at a page's end.
func (l *ledger) killed(n int, torn bool) *ledger {
	after := newLedger()
	for i, o := range l.ops[:n] {
		var chosen func(int) bool
		if torn && i == n-1 {
			chosen = func(s int) bool { return s < 4096/sector }
		}
		apply(after.names, after.nodes, o, chosen)
	}
	after.next = l.next
	return after
}

// A choice says what of that which was not flushed a power failure leaves.
type choice func() bool

// failed returns what a power failure after n operations may leave.
func (l *ledger) failed(n int, keep choice) *ledger {
	flushed, synced := map[int]int{}, 0
	for i, o := range l.ops[:n] {
		switch o.kind {
		case opFlush:
			flushed[o.node] = i
		case opSync:
			synced = i
		default:
		}
	}
	after := newLedger()
	after.next = l.next
	for i, o := range l.ops[:n] {
		safe := i < synced
		if o.kind == opWrite {
			safe = i < flushed[o.node]
		}
		whole := safe || keep()
		switch {
		case whole:
			apply(after.names, after.nodes, o, nil)
		case o.kind == opWrite:
			apply(after.names, after.nodes, o, func(int) bool { return keep() })
		}
	}
	return after
}

func all() bool  { return true }
func none() bool { return false }

func some(r *rand.Rand) choice { return func() bool { return r.IntN(2) == 0 } }

// settled returns a ledger on whose disk everything is for good.
func (l *ledger) settled() *ledger {
	after := newLedger()
	after.names, after.next = maps.Clone(l.names), l.next
	for _, name := range slices.Sorted(maps.Keys(l.names)) {
		node := l.names[name]
		after.nodes[node] = bytes.Clone(l.nodes[node])
		after.ops = append(after.ops,
			operation{kind: opCreate, name: name, node: node},
			operation{kind: opWrite, node: node, data: bytes.Clone(l.nodes[node])},
			operation{kind: opFlush, node: node})
	}
	after.ops = append(after.ops, operation{kind: opSync})
	return after
}

func (l *ledger) node(op, name string) (int, error) {
	n, ok := l.names[name]
	if !ok {
		return 0, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	return n, nil
}

func (l *ledger) read(name string) ([]byte, error) {
	n, err := l.node("read", name)
	return bytes.Clone(l.nodes[n]), err
}

func (l *ledger) create(name string, b []byte, flush bool) error {
	l.next++
	node := l.next
	l.do(operation{kind: opCreate, name: name, node: node})
	l.do(operation{kind: opWrite, node: node, data: bytes.Clone(b)})
	if flush {
		l.do(operation{kind: opFlush, node: node})
	}
	return nil
}

func (l *ledger) overwrite(name string, at int64, b []byte, flush bool) error {
	node, err := l.node("overwrite", name)
	if err != nil {
		return err
	}
	l.do(operation{kind: opWrite, name: name, node: node, at: at, data: bytes.Clone(b)})
	if flush {
		l.do(operation{kind: opFlush, name: name, node: node})
	}
	return nil
}

func (l *ledger) flush(name string) error {
	node, err := l.node("flush", name)
	if err == nil {
		l.do(operation{kind: opFlush, node: node})
	}
	return err
}

func (l *ledger) rename(from, to string) error {
	node, err := l.node("rename", from)
	if err == nil {
		l.do(operation{kind: opRename, name: from, to: to, node: node})
	}
	return err
}

func (l *ledger) remove(name string) error {
	node, err := l.node("remove", name)
	if err == nil {
		l.do(operation{kind: opRemove, name: name, node: node})
	}
	return err
}

func (l *ledger) sync() error {
	l.do(operation{kind: opSync})
	return nil
}

func (l *ledger) list() ([]string, error) { return slices.Sorted(maps.Keys(l.names)), nil }
