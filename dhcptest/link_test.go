package dhcptest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// send sends n frames from one port to another and returns what that one, and
// the sender, got: the number in each frame, or -1 if it is another than any sent.
func send(t *testing.T, seed uint64, f Faults, n int) (got, back []int) {
	t.Helper()
	w := New(seed)
	l := w.NewLink("lan")
	l.SetFaults(f)
	number := func(f Frame) int {
		for i := range n {
			if string(f.Payload) == fmt.Sprintf("frame %03d", i) {
				return i
			}
		}
		return -1
	}
	from := l.Plug(clientLink, func(f Frame) { back = append(back, number(f)) })
	l.Plug(serverLink, func(f Frame) { got = append(got, number(f)) })
	l.Plug(otherLink, func(Frame) { t.Error("a frame for another") })
	for i := range n {
		if err := from.Send(Frame{From: clientLink, To: serverLink, Type: EtherARP, Payload: fmt.Appendf(nil, "frame %03d", i)}); err != nil {
			t.Fatal(err)
		}
		if err := w.Run(time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Run(time.Minute); err != nil {
		t.Fatal(err)
	}
	return got, back
}

func count(got []int) (different, wrong int) {
	seen := map[int]bool{}
	for _, i := range got {
		if i < 0 {
			wrong++
			continue
		}
		seen[i] = true
	}
	return len(seen), wrong
}

func TestFaults(t *testing.T) {
	t.Parallel()
	const n = 400
	for name, c := range map[string]struct {
		faults Faults
		ok     func(got, back []int) bool
	}{
		"none": {Faults{}, func(got, back []int) bool { return len(got) == n && slices.IsSorted(got) && len(back) == 0 }},
		"loss": {Faults{Loss: 0.5}, func(got, _ []int) bool { return len(got) > n/4 && len(got) < n*3/4 && slices.IsSorted(got) }},
		"all":  {Faults{Loss: 1}, func(got, _ []int) bool { return len(got) == 0 }},
		"duplicate": {Faults{Duplicate: 0.5}, func(got, _ []int) bool {
			different, _ := count(got)
			return different == n && len(got) > n*5/4 && len(got) < n*7/4
		}},
		"reorder": {Faults{Reorder: 0.2}, func(got, _ []int) bool {
			different, _ := count(got)
			return different == n && len(got) == n && !slices.IsSorted(got)
		}},
		"mirror": {Faults{Mirror: 0.5}, func(got, back []int) bool { return len(got) == n && len(back) > n/4 && len(back) < n*3/4 }},
		"corrupt": {Faults{Corrupt: 0.5}, func(got, _ []int) bool {
			_, wrong := count(got)
			return len(got) == n && wrong > n/4 && wrong < n*3/4
		}},
		"delay": {Faults{DelayMin: time.Second, DelayMax: 2 * time.Second}, func(got, _ []int) bool { return len(got) == n && !slices.IsSorted(got) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, back := send(t, 1, c.faults, n)
			if !c.ok(got, back) {
				t.Errorf("got %v, back %v", got, back)
			}
			again, _ := send(t, 1, c.faults, n)
			if !slices.Equal(got, again) {
				t.Error("the same seed did not do the same")
			}
		})
	}
	a, _ := send(t, 1, Faults{Loss: 0.5}, n)
	b, _ := send(t, 2, Faults{Loss: 0.5}, n)
	if slices.Equal(a, b) {
		t.Error("another seed did the same")
	}
}

func TestPartition(t *testing.T) {
	t.Parallel()
	w := New(1)
	l := w.NewLink("lan")
	heard := map[string]int{}
	plug := func(name string, i byte) *Port {
		return l.Plug(LinkAddr{2, 0, 0, 0, 0, i}, func(Frame) { heard[name]++ })
	}
	a, b, c, d := plug("a", 1), plug("b", 2), plug("c", 3), plug("d", 4)
	say := func(p *Port) {
		if err := p.Send(Frame{From: p.Addr(), To: LinkBroadcast}); err != nil {
			t.Fatal(err)
		}
		if err := w.Run(time.Second); err != nil {
			t.Fatal(err)
		}
	}
	l.Partition(a, b)
	say(a)
	say(c)
	if heard["a"] != 0 || heard["b"] != 1 || heard["c"] != 0 || heard["d"] != 1 {
		t.Errorf("apart: %v", heard)
	}
	l.Heal()
	say(a)
	if heard["b"] != 2 || heard["c"] != 1 || heard["d"] != 2 {
		t.Errorf("healed: %v", heard)
	}
	// What is on its way to a port that is unplugged is lost.
	if err := a.Send(Frame{From: a.Addr(), To: d.Addr()}); err != nil {
		t.Fatal(err)
	}
	d.Unplug()
	if err := w.Run(time.Second); err != nil {
		t.Fatal(err)
	}
	if heard["d"] != 2 || !errors.Is(d.Send(Frame{}), ErrUnplugged) {
		t.Errorf("unplugged: %v", heard)
	}
}

func TestTraceAndTap(t *testing.T) {
	t.Parallel()
	w := New(1)
	var lines []string
	w.Trace = func(l string) { lines = append(lines, l) }
	l := w.NewLink("lan")
	taps := 0
	l.Tap(func(Frame) { taps++ })
	l.SetFaults(Faults{Loss: 1})
	p := l.Plug(clientLink, nil)
	l.Plug(serverLink, nil)
	if err := p.Send(Frame{From: clientLink, To: LinkBroadcast, Type: 0x86dd}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"1h0m0s lan 02:00:00:00:00:02 > ff:ff:ff:ff:ff:ff: type 86dd, 0 bytes",
		"1h0m0s lan to 02:00:00:00:00:01: lost",
	}
	if !slices.Equal(lines, want) || taps != 1 {
		t.Errorf("%d\n%s", taps, strings.Join(lines, "\n"))
	}
}
