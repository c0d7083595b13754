package event

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

var (
	server  = netip.MustParseAddr("10.0.0.1")
	address = netip.MustParseAddr("10.0.0.9")
	link    = []byte{2, 0, 0, 0, 0, 7}
)

func sec(s int) boottime.Instant { return boottime.Instant(time.Duration(s) * time.Second) }

// A step is one entry and when it is made.
type step struct {
	at int // seconds
	e  Entry
}

func sent(m wire.MessageType, s dhcp4.State) Entry { return Entry{Kind: Sent, Message: m, State: s} }

func received(m wire.MessageType, s dhcp4.State) Entry {
	return Entry{Kind: Received, Message: m, State: s, Server: server, Address: address, Link: link}
}

func leased(k Kind) Entry {
	return Entry{Kind: k, State: dhcp4.StateBound, Server: server, Address: address}
}

// obtained are the entries of a lease obtained at a second.
func obtained(at int) []step {
	return []step{
		{at, Entry{Kind: Managed}},
		{at, sent(wire.Discover, dhcp4.StateSelecting)},
		{at, received(wire.Offer, dhcp4.StateSelecting)},
		{at, sent(wire.Request, dhcp4.StateRequesting)},
		{at, received(wire.ACK, dhcp4.StateRequesting)},
		{at, leased(Bound)},
	}
}

func renewal(at int) []step {
	return []step{
		{at, sent(wire.Request, dhcp4.StateRenewing)},
		{at, received(wire.ACK, dhcp4.StateRenewing)},
		{at, leased(Renewed)},
	}
}

func write(steps ...step) *Journal {
	j := &Journal{}
	for _, s := range steps {
		j.Add(sec(s.at), s.e)
	}
	return j
}

func TestEntriesComeBack(t *testing.T) {
	t.Parallel()
	all := []Entry{
		{Kind: Managed},
		{Kind: Sent, State: dhcp4.StateSelecting, Message: wire.Discover, XID: 0xfedcba98},
		{Kind: Received, State: dhcp4.StateRequesting, Message: wire.NAK, Server: server, Link: link, Detail: "wrong network"},
		{Kind: Rejected, Why: dhcp4.RejectBadSubnetMask, Link: link},
		{Kind: Bound, State: dhcp4.StateBound, Server: server, Address: address},
		{Kind: Conflict, Address: address, Link: []byte{1, 2, 3, 4, 5, 6, 7, 8}, XID: 1, Detail: "é"},
	}
	j := &Journal{}
	for i, e := range all {
		j.Add(sec(i), e)
		all[i].First, all[i].Last, all[i].Count = sec(i), sec(i), 1
	}
	if diff := cmp.Diff(all, j.Entries(), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	other := j.Clone()
	other.Add(sec(9), Entry{Kind: Carrier})
	other.Add(sec(9), all[3])
	if diff := cmp.Diff(all, j.Entries(), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Errorf("changed with its clone (-want +got)\n%s", diff)
	}
}

func TestWhatIsNoEntryIsLeftOut(t *testing.T) {
	t.Parallel()
	j := write(step{0, Entry{}}, step{0, Entry{Kind: kinds}}, step{0, Entry{Kind: 255}})
	if n := len(j.Entries()); n != 0 {
		t.Errorf("%d entries", n)
	}
}

func TestRepetitionsAreCounted(t *testing.T) {
	t.Parallel()
	discover := sent(wire.Discover, dhcp4.StateSelecting)
	discover.XID = 1
	again := discover
	again.XID = 2
	foreign := Entry{Kind: Rejected, Why: dhcp4.RejectForeignXID}
	type brief struct {
		Kind        Kind
		First, Last int
		Count       uint32
		XID         uint32
	}
	for name, tc := range map[string]struct {
		steps []step
		want  []brief
	}{
		"of a message, with the last transaction": {
			[]step{{1, discover}, {3, discover}, {7, again}},
			[]brief{{Sent, 1, 7, 3, 2}},
		},
		"with packets in between": {
			[]step{{1, discover}, {2, foreign}, {3, discover}, {4, foreign}},
			[]brief{{Sent, 1, 3, 2, 1}, {Rejected, 2, 4, 2, 0}},
		},
		"not across something else": {
			[]step{{1, discover}, {2, Entry{Kind: NoCarrier}}, {3, discover}},
			[]brief{{Sent, 1, 1, 1, 1}, {NoCarrier, 2, 2, 1, 0}, {Sent, 3, 3, 1, 1}},
		},
		"of packets, across all": {
			[]step{{1, foreign}, {2, Entry{Kind: NoCarrier}}, {3, foreign}},
			[]brief{{Rejected, 1, 3, 2, 0}, {NoCarrier, 2, 2, 1, 0}},
		},
		"not of another state": {
			[]step{{1, sent(wire.Request, dhcp4.StateRenewing)}, {3, sent(wire.Request, dhcp4.StateRebinding)}},
			[]brief{{Sent, 1, 1, 1, 0}, {Sent, 3, 3, 1, 0}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []brief
			for _, e := range write(tc.steps...).Entries() {
				got = append(got, brief{e.Kind, int(e.First / 1e9), int(e.Last / 1e9), e.Count, e.XID})
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// A lease that is renewed for years has a journal of a few bytes, and it still
// tells how it began.
func TestIdleLeaseIsSmall(t *testing.T) {
	t.Parallel()
	j := write(obtained(10)...)
	if n := j.Size(); n > IdleSize {
		t.Errorf("%d bytes after the first lease", n)
	}
	for i := 1; i < 10000; i++ {
		for _, s := range renewal(10 + 1800*i) {
			j.Add(sec(s.at), s.e)
		}
	}
	all := j.Entries()
	if n := j.Size(); n > IdleSize {
		t.Errorf("%d bytes", n)
	}
	last := all[len(all)-1]
	if all[0].Kind != Managed || last.Kind != Renewed || last.Count != 9999 || last.First != sec(1810) || last.Last != sec(10+1800*9999) {
		t.Errorf("the journal is %+v", all)
	}
}

func TestRenewalWithTroubleIsKept(t *testing.T) {
	t.Parallel()
	steps := append(obtained(0), renewal(1800)...)
	steps = append(steps, step{3600, sent(wire.Request, dhcp4.StateRenewing)})
	steps = append(steps, renewal(3660)...)
	all := write(steps...).Entries()
	last := all[len(all)-1]
	if last.Count != 1 || all[len(all)-3].Count != 2 {
		t.Errorf("the second REQUEST is not told: %+v", all)
	}
}

// Whatever happens, a journal stays within its bounds, and the newest is there.
func TestTroubleIsBounded(t *testing.T) {
	t.Parallel()
	j := &Journal{}
	for i := range 5000 {
		e := Entry{Kind: Problem, Detail: strings.Repeat("long ", i%40)}
		if i%3 == 0 {
			e = received(wire.NAK, dhcp4.StateRequesting)
			e.Server = netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
		}
		j.Add(sec(i), e)
		all := j.Entries()
		if len(all) > MaxEntries || j.Size() > MaxSize+headSize {
			t.Fatalf("%d entries in %d bytes", len(all), j.Size())
		}
		newest := boottime.Instant(0)
		for _, a := range all {
			newest = max(newest, a.Last)
		}
		if newest != sec(i) {
			t.Fatalf("the newest of %d is missing", i)
		}
	}
	for _, s := range renewal(6000) {
		j.Add(sec(s.at), s.e)
	}
	if n := j.Size(); n > IdleSize {
		t.Errorf("%d bytes when all is well again", n)
	}
}

func TestCountersSaturate(t *testing.T) {
	t.Parallel()
	e := Entry{Kind: Rejected, Why: dhcp4.RejectForeignXID}
	j := write(step{0, e})
	putUint(j.buf[atCount:headSize], maxCount)
	j.Add(boottime.Instant(200*24*time.Hour), e)
	got := j.Entries()[0]
	if got.Count != maxCount || got.Last != boottime.Instant(200*24*time.Hour) || got.First > got.Last {
		t.Errorf("%+v", got)
	}
	// A clock that stands or goes back does no harm.
	j.Add(0, e)
	if got := j.Entries()[0]; got.First > got.Last {
		t.Errorf("%+v", got)
	}
}

func TestDetailIsCutBetweenLetters(t *testing.T) {
	t.Parallel()
	j := write(step{0, Entry{Kind: Problem, Detail: strings.Repeat("é", 60)}})
	if got := j.Entries()[0].Detail; got != strings.Repeat("é", maxDetail/2) {
		t.Errorf("%q", got)
	}
}

// A flood of packets that are not used costs no memory.
func TestFloodAllocatesNothing(t *testing.T) {
	j := write(obtained(0)...)
	e := Entry{Kind: Rejected, Why: dhcp4.RejectForeignXID, Link: link}
	j.Add(0, e)
	now := sec(1)
	if n := testing.AllocsPerRun(100, func() { now++; j.Add(now, e) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzJournal: whatever is entered in whatever order, the journal holds
// together and stays within its bounds.
func FuzzJournal(f *testing.F) {
	f.Add([]byte("\x01\x04\x08\x05\x0f\x06"), "wrong network")
	f.Fuzz(func(t *testing.T, script []byte, text string) {
		j := &Journal{}
		now := boottime.Instant(0)
		for i := 0; i+5 < len(script); i += 6 {
			s := script[i:]
			now = now.Add(time.Duration(s[0]) * time.Millisecond)
			e := Entry{Kind: Kind(s[1]), State: dhcp4.State(s[2]), Message: wire.MessageType(s[3]), Why: dhcp4.Rejection(s[3])}
			if s[4]&1 != 0 {
				e.Server = netip.AddrFrom4([4]byte{10, 0, 0, s[5]})
			}
			if s[4]&2 != 0 {
				e.Link = s[:s[5]%6]
			}
			if s[4]&4 != 0 {
				e.XID = uint32(s[5])
			}
			if s[4]&8 != 0 {
				e.Detail = text
			}
			if s[4]&16 != 0 {
				e.Address = netip.AddrFrom16([16]byte{1})
			}
			j.Add(now, e)
			var total uint32
			for _, e := range j.Entries() {
				if e.Count == 0 || e.First > e.Last || e.Last > now || e.Kind.Row().Fact == "" {
					t.Fatalf("entry %+v at %d", e, now)
				}
				total += e.Count
			}
			if n := len(j.Entries()); n > MaxEntries || len(j.buf) > MaxSize {
				t.Fatalf("%d entries, %d bytes", n, len(j.buf))
			}
			// A story can be told of any of them.
			_ = Tell(j, Present{Now: now, Exists: true, Up: s[0]&1 == 0, Carrier: s[0]&2 == 0, Managed: s[0]&4 == 0, State: e.State})
		}
	})
}
