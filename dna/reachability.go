package dna

import (
	"bytes"
	"slices"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/wire/arp"
)

// A test is the reachability test of several networks at once.
//
// RFC 4436 section 2: "For a particular network, the host SHOULD use the
// addresses of local routers (preferably default gateways) as its test nodes."
type test struct {
	asked []asked
	sent  int
	next  boottime.Instant
}

// An asked candidate, with its index in Start.
type asked struct {
	Candidate
	index int
}

// startTest begins a test.
//
// RFC 4436 section 2.1: "To provide damping in the case of spurious "Link Up"
// indications, it is RECOMMENDED that the DNAv4 procedure be carried out no more
// than once a second."
func (p *Prober) startTest(now boottime.Instant, in Start) {
	t := &test{next: max(now, p.rest)}
	for i, c := range in.Candidates {
		c.Address, c.Router = c.Address.Unmap(), c.Router.Unmap()
		if len(t.asked) == MaxCandidates {
			break
		}
		if c.usable(p.hardware) && !slices.ContainsFunc(t.asked, func(a asked) bool { return a.Candidate == c }) {
			t.asked = append(t.asked, asked{c, i})
		}
	}
	if p.test = nil; len(t.asked) == 0 {
		p.emit(Silent{})
		return
	}
	p.test = t
	if !now.Before(t.next) {
		p.stepTest(now)
	}
}

// usable reports whether the network can be asked for.
//
// RFC 4436 section 2.3: "A host wishing to reclaim a previously used IPv4
// Link-Local address MUST perform the full probe and announce process required
// by" RFC 3927 "and MUST NOT attempt to use DNAv4 as a shortcut to bypass that
// process."
func (c Candidate) usable(own arp.HardwareAddr) bool {
	return canHold(c.Address) && !c.Address.IsLinkLocalUnicast() && canHold(c.Router) && c.Router != c.Address &&
		isHost(c.RouterLink) && c.RouterLink != own
}

// stepTest asks all routers, again or for the first time, or gives up.
//
// RFC 4436 section 2.1: "It is RECOMMENDED that a DNAv4 implementation
// retransmit no more than twice." We do it once; DHCP asks at the same time.
//
// Section 2.1.1: "The host MUST set the target protocol address (ar$tpa) to the
// IPv4 address of the node being tested, and the sender protocol address field
// (ar$spa) to its own candidate IPv4 address. The ARP Request MUST use the host
// MAC address as the source, and the test node MAC address as the destination.
// The host includes its MAC address in the sender hardware address field
// (ar$sha) and sets the target hardware address field (ar$tha) to 0." A host
// "SHOULD NOT broadcast ARP Requests containing its address" before it knows
// the network.
func (p *Prober) stepTest(now boottime.Instant) {
	t := p.test
	if t.sent == testTries {
		p.test = nil
		p.emit(Silent{})
		return
	}
	if t.sent == 0 {
		p.rest = now.Add(damping)
	}
	for _, c := range t.asked {
		p.ask(c.Address, c.Router, bytes.Clone(c.RouterLink[:]))
	}
	t.sent++
	t.next = now.Add(p.wait)
}

// answerTest looks for the candidate whose router sent a reply.
//
// RFC 4436 section 2.1.1: sender hardware and sender protocol address of the
// reply are matched against those of the node being tested. Section 2.1: "Once a
// valid reachability test response is received, validation is complete, and
// additional responses should be discarded."
func (p *Prober) answerTest(a arp.Packet) {
	if p.test == nil || p.test.sent == 0 {
		return
	}
	for _, c := range p.test.asked {
		if a.Sender == c.Router && a.SenderHardware == c.RouterLink && a.Target == c.Address {
			p.test = nil
			p.emit(Confirmed{c.index})
			return
		}
	}
}
