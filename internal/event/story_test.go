package event

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lessee/lessee/dhcp4"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// managed is an adapter that this daemon manages, at a second.
func managed(at int, state dhcp4.State, next dhcp4.Timer, in int) Present {
	return Present{
		Now: sec(at), Exists: true, Up: true, Carrier: true, Expected: true, Managed: true, State: state,
		Next: &Next{sec(at + in), next},
	}
}

func lease(at int) *dhcp4.Lease {
	return &dhcp4.Lease{
		Address: netip.PrefixFrom(address, 24), Server: server, Start: sec(at), Duration: time.Hour, T1: 30 * time.Minute, T2: 50 * time.Minute,
	}
}

// Each situation has its verdict, what comes next and its advice.
func TestStories(t *testing.T) {
	t.Parallel()
	discover := sent(wire.Discover, dhcp4.StateSelecting)
	request := sent(wire.Request, dhcp4.StateRequesting)
	renew := Entry{Kind: Sent, Message: wire.Request, State: dhcp4.StateRenewing, Server: server}
	nak := Entry{Kind: Received, Message: wire.NAK, State: dhcp4.StateRequesting, Server: server, Link: link, Detail: "wrong network"}
	taken := Entry{Kind: Conflict, Address: address, Link: link}
	with := func(p Present, edit func(*Present)) Present { edit(&p); return p }
	leased := func(p *Present) { p.Lease = lease(0) }
	for name, tc := range map[string]struct {
		steps   []step
		now     Present
		verdict Code
		next    []Code
		advice  []Code
	}{
		"absent":      {nil, Present{}, VerdictAbsent, nil, []Code{AdviceList}},
		"awaited":     {nil, Present{Expected: true}, VerdictAwaited, []Code{NextAdapter}, nil},
		"unmanaged":   {nil, Present{Exists: true}, VerdictUnmanaged, nil, []Code{AdviceUp}},
		"other":       {nil, Present{Exists: true, Manager: "dhcpcd", Hindrance: "no", Expected: true}, VerdictOther, nil, []Code{AdviceStopOther}},
		"hindered":    {nil, Present{Exists: true, Expected: true, Hindrance: "no"}, VerdictHindered, nil, []Code{AdviceUp}},
		"in use":      {obtained(0), with(managed(9, dhcp4.StateBound, dhcp4.TimerT1, 1791), leased), VerdictBound, []Code{NextRenewal, NextExpiry}, nil},
		"without end": {obtained(0), with(managed(9, dhcp4.StateBound, 0, 0), func(p *Present) { leased(p); p.Lease.Infinite, p.Next = true, nil }), VerdictBound, []Code{NextNothing}, nil},
		"disk full": {
			obtained(0), with(managed(9, dhcp4.StateBound, dhcp4.TimerT1, 9), func(p *Present) { leased(p); p.Problem = "disk full" }),
			VerdictBound,
			[]Code{NextRenewal, NextExpiry},
			[]Code{AdviceProblem},
		},
		"taken away": {
			append(obtained(0), step{5, Entry{Kind: TakenAway, Detail: "packed"}}),
			with(managed(9, dhcp4.StateRequesting, dhcp4.TimerT1, 1791), func(p *Present) { p.TakenAway, p.Problem = true, "packed" }),
			VerdictTakenAway,
			[]Code{NextRenewal},
			[]Code{AdviceRenew, AdviceProblem},
		},
		"no carrier": {
			append(obtained(0), step{5, Entry{Kind: NoCarrier}}),
			with(managed(9, dhcp4.StateInitReboot, dhcp4.TimerExpiry, 3591), func(p *Present) { leased(p); p.Carrier = false }),
			VerdictNoCarrier,
			[]Code{NextCarrier, NextExpiry},
			[]Code{AdviceCable},
		},
		"down":           {nil, with(managed(9, dhcp4.StateInit, 0, 0), func(p *Present) { p.Up, p.Next = false, nil }), VerdictDown, []Code{NextCarrier}, []Code{AdviceSetUp}},
		"asked just now": {[]step{{9, discover}}, managed(9, dhcp4.StateSelecting, dhcp4.TimerRetransmit, 1), VerdictAsking, []Code{NextRetransmit}, nil},
		"no answer":      {[]step{{2, discover}, {3, discover}}, managed(9, dhcp4.StateSelecting, dhcp4.TimerRetransmit, 7), VerdictNoAnswer, []Code{NextRetransmit}, []Code{AdviceNetwork}},
		"unusable offers": {
			[]step{{2, discover}, {2, received(wire.Offer, dhcp4.StateSelecting)}, {2, Entry{Kind: Rejected, Why: dhcp4.RejectNoLeaseTime}}, {3, discover}, {3, Entry{Kind: Rejected, Why: dhcp4.RejectNoLeaseTime}}},
			managed(4, dhcp4.StateSelecting, dhcp4.TimerRetransmit, 7), VerdictUnusable,
			[]Code{NextRetransmit},
			[]Code{AdviceUnusable},
		},
		"offer unconfirmed": {
			[]step{{2, discover}, {2, received(wire.Offer, dhcp4.StateSelecting)}, {2, request}, {3, request}},
			managed(4, dhcp4.StateRequesting, dhcp4.TimerRetransmit, 2), VerdictUnconfirmed,
			[]Code{NextRetransmit},
			[]Code{AdviceServerLog},
		},
		"NAK, then a pause":    {[]step{{2, request}, {2, nak}}, managed(2, dhcp4.StateInit, dhcp4.TimerBegin, 1), VerdictNAK, []Code{NextSearch}, []Code{AdviceNAK}},
		"NAK, then silence":    {[]step{{2, request}, {2, nak}, {3, discover}, {4, discover}}, managed(9, dhcp4.StateSelecting, dhcp4.TimerRetransmit, 1), VerdictNoAnswer, []Code{NextRetransmit}, []Code{AdviceNetwork}},
		"conflict":             {append(obtained(0), step{1, taken}), managed(2, dhcp4.StateInit, dhcp4.TimerBegin, 9), VerdictConflict, []Code{NextSearch}, []Code{AdviceFindHost}},
		"NAK after a conflict": {append(obtained(0), step{1, taken}, step{12, request}, step{12, nak}), managed(12, dhcp4.StateInit, dhcp4.TimerBegin, 1), VerdictNAK, []Code{NextSearch}, []Code{AdviceNAK}},
		"released":             {append(obtained(0), step{5, leasedEntry(Released)}), with(managed(9, dhcp4.StateReleased, 0, 0), func(p *Present) { p.Next = nil }), VerdictReleased, []Code{NextRenew}, []Code{AdviceRenew}},
		"renewing":             {append(obtained(0), step{1800, renew}), with(managed(1800, dhcp4.StateRenewing, dhcp4.TimerRetransmit, 60), leased), VerdictRenewing, []Code{NextRetransmit, NextExpiry}, nil},
		"renewing in vain":     {append(obtained(0), step{1800, renew}), with(managed(1830, dhcp4.StateRenewing, dhcp4.TimerRetransmit, 30), leased), VerdictRenewing, []Code{NextRetransmit, NextExpiry}, []Code{AdviceServerGone}},
		"rebinding": {
			append(obtained(0), step{1800, renew}, step{3000, sent(wire.Request, dhcp4.StateRebinding)}),
			with(managed(3010, dhcp4.StateRebinding, dhcp4.TimerRetransmit, 30), leased), VerdictRebinding,
			[]Code{NextRetransmit, NextExpiry},
			[]Code{AdviceServerGone},
		},
		"verifying":         {[]step{{2, sent(wire.Request, dhcp4.StateRebooting)}}, managed(2, dhcp4.StateRebooting, dhcp4.TimerRetransmit, 1), VerdictVerifying, []Code{NextRetransmit}, nil},
		"no IPv4":           {[]step{{2, discover}, {2, Entry{Kind: IPv6Only}}}, managed(3, dhcp4.StateIPv6Only, dhcp4.TimerBegin, 300), VerdictIPv6Only, []Code{NextSearch}, nil},
		"informing":         {[]step{{2, sent(wire.Inform, dhcp4.StateInforming)}}, managed(2, dhcp4.StateInforming, dhcp4.TimerRetransmit, 2), VerdictInforming, []Code{NextRetransmit}, nil},
		"informing in vain": {[]step{{2, sent(wire.Inform, dhcp4.StateInforming)}}, managed(5, dhcp4.StateInforming, dhcp4.TimerRetransmit, 2), VerdictInforming, []Code{NextRetransmit}, []Code{AdviceNetwork}},
		"informed":          {[]step{{2, Entry{Kind: Informed, Server: server}}}, with(managed(5, dhcp4.StateInformed, 0, 0), func(p *Present) { p.Next = nil }), VerdictInformed, nil, nil},
		"pause":             {nil, managed(2, dhcp4.StateInit, dhcp4.TimerBegin, 5), VerdictPause, []Code{NextSearch}, nil},
		"link-local":        {[]step{{2, discover}, {9, discover}}, with(managed(10, dhcp4.StateSelecting, dhcp4.TimerRetransmit, 5), func(p *Present) { p.LinkLocal = address }), VerdictLinkLocal, []Code{NextRetransmit}, []Code{AdviceNetwork}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := Tell(write(tc.steps...), tc.now)
			if s.Verdict.Code != tc.verdict {
				t.Errorf("verdict %+v, want %q", s.Verdict, tc.verdict)
			}
			if diff := cmp.Diff(tc.next, codesOf(s.Next)); diff != "" {
				t.Errorf("next (-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(tc.advice, codesOf(s.Advice)); diff != "" {
				t.Errorf("advice (-want +got)\n%s", diff)
			}
		})
	}
}

func leasedEntry(k Kind) Entry { return Entry{Kind: k, Server: server, Address: address} }

func codesOf(list []Fact) (codes []Code) {
	for _, f := range list {
		codes = append(codes, f.Code)
	}
	return codes
}

// What has no answer is told as such, with its number and since when.
func TestUnanswered(t *testing.T) {
	t.Parallel()
	discover := sent(wire.Discover, dhcp4.StateSelecting)
	discover.XID = 7
	j := write(step{1, discover}, step{2, discover}, step{4, Entry{Kind: Rejected, Why: dhcp4.RejectForeignXID}}, step{5, discover}, step{8, discover})
	s := Tell(j, managed(20, dhcp4.StateSelecting, dhcp4.TimerRetransmit, 7))
	f := s.Facts[0]
	if f.Code != FactUnanswered || f.Count != 4 || f.When.First != sec(1) || f.When.Last != sec(8) || f.XID != 7 {
		t.Errorf("%+v", f)
	}
	if f := s.Facts[1]; f.Code != "rejected" || f.Why != dhcp4.RejectForeignXID {
		t.Errorf("%+v", f)
	}
	if n := s.Next[0]; n.Message != wire.Discover || n.When.Last != sec(27) {
		t.Errorf("%+v", n)
	}
}
