package test

import (
	"context"
	"encoding/binary"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lessee/lessee/test/lab"
)

// A bullet is a frame of a flood. passes says that it is one of those that the
// kernel's filter lets through, because more than a filter can look at is wrong.
type bullet struct {
	frame  []byte
	passes bool
}

// bullets are what is wrong in all ways, but addressed to the client.
func bullets(xid uint32) map[string]bullet {
	m := make([]byte, 300)
	m[0], m[1], m[2] = 2, 1, 6
	binary.BigEndian.PutUint32(m[4:], xid)
	copy(m[16:], []byte{10, 77, 0, 66})
	copy(m[28:], clientMAC)
	copy(m[236:], []byte{0x63, 0x82, 0x53, 0x63, 53, 1, 5, 54, 4, 10, 77, 0, 66, 51, 4, 0, 0, 14, 16, 255})
	good := dhcpFrame(m)
	change := func(f func(b []byte)) []byte {
		b := slices.Clone(good)
		f(b)
		return b
	}
	header := func(f func(ip []byte)) []byte { // with a header checksum that is right
		return change(func(b []byte) {
			f(b[14:34])
			b[24], b[25] = 0, 0
			binary.BigEndian.PutUint16(b[24:], sum16(b[14:34]))
		})
	}
	tagged := func(tag uint16) []byte {
		return slices.Insert(slices.Clone(good), 12, 0x81, 0, byte(tag>>8), byte(tag))
	}
	big := append(slices.Clone(m), make([]byte, 1472-len(m))...)
	other := slices.Clone(m)
	other[33]++
	return map[string]bullet{
		"foreign transaction":        {good, true},
		"as long as the link takes":  {dhcpFrame(big), true},
		"priority tag":               {tagged(3 << 13), true},
		"UDP checksum":               {change(func(b []byte) { b[333-20]++ }), true},
		"header checksum":            {change(func(b []byte) { b[22]-- }), true},
		"truncated":                  {good[:14+28+244], true},
		"UDP longer than the packet": {change(func(b []byte) { b[38]++ }), true},
		"broadcast":                  {dhcpFrameTo(everyone, m), true},
		"another client's":           {dhcpFrame(other), false},
		"VLAN":                       {tagged(5), false},
		"first fragment":             {header(func(ip []byte) { ip[6] = 0x20 }), false},
		"later fragment":             {header(func(ip []byte) { ip[6], ip[7] = 0, 40 }), false},
		"last fragment, large":       {header(func(ip []byte) { ip[6], ip[7] = 0x1f, 0xff }), false},
		"to another port":            {change(func(b []byte) { b[37]++ }), false},
		"to another station":         {dhcpFrameTo(net.HardwareAddr{2, 0, 0, 0, 0, 9}, m), false},
		"cut in the header":          {good[:30], false},
		"no BOOTP":                   {good[:14+28+100], false},
		"ARP of another": {slices.Concat(everyone, villainMAC, []byte{8, 6, 0, 1, 8, 0, 6, 4, 0, 1}, villainMAC,
			[]byte{10, 77, 0, 66, 0, 0, 0, 0, 0, 0, 10, 77, 0, 100}), false},
	}
}

func dhcpFrameTo(to net.HardwareAddr, message []byte) []byte {
	f := dhcpFrame(message)
	copy(f, to)
	return f
}

func sum16(b []byte) uint16 {
	var n uint32
	for i := 0; i+1 < len(b); i += 2 {
		n += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for n > 0xffff {
		n = n>>16 + n&0xffff
	}
	return ^uint16(n)
}

// A flood is on its way.
type flood struct {
	stop, done    chan struct{}
	sent, passing atomic.Uint64
}

// flood sends the frames, one after the other, as fast as the machine can,
// until it is ended.
func (v *villain) flood(ammunition []bullet) *flood {
	f := &flood{stop: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(f.done)
		for {
			for _, b := range ammunition {
				v.send(b.frame)
				f.sent.Add(1)
				if b.passes {
					f.passing.Add(1)
				}
			}
			select {
			case <-f.stop:
				return
			default:
			}
		}
	}()
	return f
}

func (f *flood) end() {
	close(f.stop)
	<-f.done
}

// await waits until that many frames were sent.
func (f *flood) await(t *testing.T, frames uint64) {
	t.Helper()
	if !lab.Eventually(time.Minute, func() bool { return f.sent.Load() >= frames }) {
		t.Fatalf("the flood is a brook: %d frames in a minute", f.sent.Load())
	}
}

// TestHostileFlood floods the client's link. While no answer is awaited, that
// does not even wake it; while one is, every packet is accounted for, and the
// lease is kept and renewed all the same.
func TestHostileFlood(t *testing.T) { //nolint:paralleltest // it takes a processor for itself
	v, client := newVillain(t)
	v.serve(true)
	d := client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}, Quiet: true})
	a := d.AwaitBound(t, "c0")
	kernel := client.WatchAddresses(t)
	var all, foreign []bullet
	for _, b := range bullets(0xbad1dea) {
		all = append(all, b)
		if !b.passes {
			foreign = append(foreign, b)
		}
	}
	during := func(what string, ammunition []bullet, act func(f *flood)) (f *flood, used usage) {
		t.Helper()
		before, begin := usageOf(t, d.Pid()), time.Now()
		f = v.flood(ammunition)
		act(f)
		f.end()
		used = usageOf(t, d.Pid())
		used.cpu -= before.cpu
		used.switches -= before.switches
		took := time.Since(begin)
		t.Logf("%s: %d frames in %v, %d per second, %d pass the filter: %v of CPU, %d MiB, woken %d times", what,
			f.sent.Load(), took, f.sent.Load()*1000/uint64(took.Milliseconds()+1), f.passing.Load(), used.cpu, used.rss>>20, used.switches)
		if used.rss > limit {
			t.Errorf("%s: the daemon has %d MiB", what, used.rss>>20)
		}
		if used.cpu > 3*took/2 {
			t.Errorf("%s: %v of CPU in %v", what, used.cpu, took)
		}
		return f, used
	}
	const frames = 150_000
	quiet := func(what string, ammunition []bullet) {
		t.Helper()
		f, used := during(what, ammunition, func(f *flood) { f.await(t, frames) })
		if used.cpu > 200*time.Millisecond || used.switches > 1000 {
			t.Errorf("%s: %d frames cost %v and woke the daemon %d times", what, f.sent.Load(), used.cpu, used.switches)
		}
	}

	quiet("at rest", all)

	// An answer is awaited, and does not come: until the end of the lease.
	v.serve(true, timers(1, 2)...)
	d.Must(t, "renew", "c0")
	v.serve(false)
	v.await("rebinding")
	d.AwaitState(t, "c0", patience, "rebinding")
	quiet("filtered", foreign)
	before := seen(show(t, d).IPv4.Counters)
	f, _ := during("awaiting", all, func(f *flood) { f.await(t, frames) })
	passing := f.passing.Load()
	// The kernel tells of what it dropped with the next packet that it does not.
	if !lab.Eventually(patience, func() bool {
		v.send(bullets(1)["foreign transaction"].frame)
		passing++
		return seen(show(t, d).IPv4.Counters)-before == passing
	}) {
		t.Errorf("%d packets passed the filter, %d are counted: %v", passing, seen(show(t, d).IPv4.Counters)-before, show(t, d).IPv4.Counters)
	}
	for _, name := range []string{"rejected.ip-checksum", "rejected.ip-length", "rejected.foreign-xid"} {
		if show(t, d).IPv4.Counters[name] == 0 {
			t.Errorf("%s is 0", name)
		}
	}
	// The server answers, in the midst of it.
	v.serve(true)
	const renewals = 20
	during("renewals", all, func(f *flood) {
		for i := range renewals {
			f.await(t, uint64(i)*frames/renewals)
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			if err := d.Client.Renew(ctx, "c0"); err != nil {
				t.Errorf("renewal %d in the flood: %v", i, err)
			}
			cancel()
		}
	})

	// And then it rests.
	at := usageOf(t, d.Pid())
	time.Sleep(500 * time.Millisecond)
	if now := usageOf(t, d.Pid()); now.cpu-at.cpu > 100*time.Millisecond {
		t.Errorf("after the flood it goes on to use %v of CPU in half a second", now.cpu-at.cpu)
	}
	if gone := kernel.Select(0, func(c lab.AddressChange) bool { return c.Removed }); len(gone) > 0 {
		t.Errorf("the address was removed: %v", gone)
	}
	if now := show(t, d); now.IPv4.Address != a.IPv4.Address || now.IPv4.State != "bound" {
		t.Errorf("in the end: %+v", now.IPv4)
	}
}
