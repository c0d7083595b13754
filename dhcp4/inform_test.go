package dhcp4

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	wire "github.com/lessee/lessee/wire/dhcp4"
)

// TestInform: nothing of a lease is asked for or taken, and no address that is
// not a host's is told to anybody.
func TestInform(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.tell(LinkUp{})
	for _, bad := range []netip.Prefix{
		{},
		netip.PrefixFrom(unspecified, 24), netip.PrefixFrom(broadcast, 24),
		netip.PrefixFrom(testAddr, 0), netip.MustParsePrefix("fe80::1/64"),
	} {
		if outs := w.tell(StartInform{bad}); len(outs) != 0 || !w.c.stopped() {
			t.Errorf("%v: %v", bad, outs)
		}
	}
	w.tell(StartInform{netip.PrefixFrom(testAddr, 24)})
	p, err := wire.Parse(w.sent()[0].Message)
	if err != nil {
		t.Fatal(err)
	}
	list, _ := p.Option(wire.OptionParameterList)
	for _, no := range []wire.OptionCode{wire.OptionLeaseTime, wire.OptionT1, wire.OptionT2} {
		if slices.Contains(list, byte(no)) {
			t.Errorf("an INFORM asks for option %v", no)
		}
	}
	if !slices.Contains(list, byte(wire.OptionDNS)) {
		t.Errorf("an INFORM does not ask for name servers: %v", list)
	}
	r := w.newReply(wire.ACK)
	r.lease = 2
	f, ok := find[Informed](w.reply(r))
	if !ok || !f.Lease.Infinite || f.Lease.Address != netip.PrefixFrom(testAddr, 24) {
		t.Fatalf("%+v", w.out)
	}
	if _, ends := f.Lease.Expires(); ends {
		t.Error("what an INFORM brought runs out")
	}
	if _, held := w.c.Lease(); held {
		t.Error("an INFORM brought a lease")
	}
	if _, _, timed := w.c.Deadline(); timed {
		t.Error("an informed client waits for something")
	}
	if n := w.c.Counters().Sent(wire.Inform); n != 1 {
		t.Errorf("%d INFORMs are counted", n)
	}
}

// TestScheduleInform: the waits are those between DISCOVERs, without an end.
func TestScheduleInform(t *testing.T) {
	t.Parallel()
	checkWaits(t, nil, func(w *world) {
		w.tell(LinkUp{})
		w.tell(StartInform{netip.PrefixFrom(testAddr, 24)})
	}, []span{
		seconds(1, 1.25), seconds(1.5, 2.5), seconds(3, 5), seconds(7, 9),
		seconds(15, 17), seconds(31, 33), seconds(63, 65), seconds(63, 65),
	})
	w := newWorld(t, strict)
	w.tell(LinkUp{})
	w.tell(StartInform{netip.PrefixFrom(testAddr, 24)})
	if at, _, ok := w.c.Deadline(); !ok || at.Sub(w.now) < 3*time.Second {
		t.Errorf("a strict client sends the next INFORM after %v", at.Sub(w.now))
	}
}
