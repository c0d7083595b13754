package core

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/lessee/lessee/internal/netconf"
)

// TestLinksOf: the iterator yields every link of the namespace and no other, and stops
// when the caller does.
func TestLinksOf(t *testing.T) {
	t.Parallel()
	s := newScene()
	for index := 2; index < 7; index++ {
		for ns := range NS(2) {
			s.tell(LinkChanged{NS: ns, Link: netconf.Link{Index: index, Name: string(rune('a' + index)), HardwareType: 1}})
		}
	}
	for ns := range NS(2) {
		var got []int
		for id, l := range s.core.LinksOf(ns) {
			if id.NS != ns || l.Index != id.Index {
				t.Errorf("%v is %+v", id, l)
			}
			got = append(got, id.Index)
		}
		if slices.Sort(got); !slices.Equal(got, []int{2, 3, 4, 5, 6}) {
			t.Errorf("namespace %d has %v", ns, got)
		}
	}
	all := 0
	for range s.core.Links() {
		all++
	}
	if all != 10 {
		t.Errorf("%d links, want 10", all)
	}
	for enough := 1; enough <= 5; enough++ {
		n := 0
		for range s.core.LinksOf(1) {
			if n++; n == enough {
				break
			}
		}
		for range s.core.Links() {
			if n++; n == 2*enough {
				break
			}
		}
		if n != 2*enough {
			t.Errorf("%d yields, want %d", n, 2*enough)
		}
	}
}

// TestNamesOf: a link's names are yielded in their order, until the caller has enough.
func TestNamesOf(t *testing.T) {
	t.Parallel()
	l := netconf.Link{Name: "eth0", AltNames: []string{"enp1s0", "lan"}}
	all := []string{"eth0", "enp1s0", "lan"}
	for enough := 1; enough <= len(all); enough++ {
		var got []string
		for name := range namesOf(l) {
			if got = append(got, name); len(got) == enough {
				break
			}
		}
		if !slices.Equal(got, all[:enough]) {
			t.Errorf("got %q", got)
		}
	}
	if got := slices.Collect(namesOf(l)); !slices.Equal(got, all) {
		t.Errorf("got %q", got)
	}
}

// TestExpects: a scan takes messages that have its transaction, however short.
func TestExpects(t *testing.T) {
	t.Parallel()
	s := scan{xid: 0x01020304}
	message := binary.BigEndian.AppendUint32([]byte{2, 1, 6, 0}, s.xid)
	for n := range message {
		if s.expects(message[:n]) {
			t.Errorf("%d bytes are expected", n)
		}
	}
	if !s.expects(message) {
		t.Error("a message of its transaction is not expected")
	}
	if message[7]++; s.expects(message) {
		t.Error("a message of another transaction is expected")
	}
	if none := (scan{}); none.expects(make([]byte, 8)) {
		t.Error("a scan that has sent nothing expects something")
	}
}
