package acd

import (
	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/wire/arp"
)

// A round is a series of probes and the silence after the last.
type round struct {
	sent int
	next boottime.Instant
	last bool // all probes are sent
}

func (r round) timer() (boottime.Instant, Timer, bool) {
	if r.last {
		return r.next, TimerClear, true
	}
	return r.next, TimerProbe, true
}

// step sends the next probe, or reports true if the silence is over: nobody
// has the address.
//
// RFC 5227 section 2.1.1: "should then send PROBE_NUM probe packets, each of
// these probe packets spaced randomly and uniformly, PROBE_MIN to PROBE_MAX
// seconds apart." "If, by ANNOUNCE_WAIT seconds after the transmission of the
// last ARP Probe no conflicting ARP Reply or ARP Probe has been received, then
// the host has successfully determined that the desired address may be used
// safely."
func (r round) step(d *Detector, now boottime.Instant) (round, bool) {
	if r.last {
		return r, true
	}
	d.transmit(now, KindProbe)
	r.sent++
	r.last = r.sent == d.timing.ProbeNum
	if r.last {
		r.next = now.Add(d.timing.AnnounceWait)
	} else {
		r.next = now.Add(d.within(d.timing.ProbeMin, d.timing.ProbeMax))
	}
	return r, false
}

// claimed ends the round: another host has the address.
//
// RFC 5227 section 2.1.1: "If during this period, from the beginning of the
// probing process until ANNOUNCE_WAIT seconds after the last probe packet is
// sent, the host receives any ARP packet (Request *or* Reply) on the interface
// where the probe is being performed, where the packet's 'sender IP address' is
// the address being probed for, then the host MUST treat this address as being
// in use by some other host".
func (round) claimed(d *Detector, _ boottime.Instant, by arp.HardwareAddr) { d.conflict(by) }

func (round) linkUp(*Detector, boottime.Instant) {}

// probing: the link is asked about an address that may not be used yet.
type probing struct{ round }

func (probing) name() State { return StateProbing }

func (s probing) timeout(d *Detector, now boottime.Instant) {
	r, over := s.step(d, now)
	if !over {
		d.state = probing{r}
		return
	}
	d.announce(now, 0)
	d.emit(Clear{d.addr()})
}

func (probing) linkDown(d *Detector) { d.state = waiting{} }

// probed ends the round: of two hosts that ask at the same time none may have
// the address.
//
// RFC 5227 section 2.1.1: "if during this period the host receives any ARP
// Probe where the packet's 'target IP address' is the address being probed for,
// and the packet's 'sender hardware address' is not the hardware address of any
// of the host's interfaces, then the host SHOULD similarly treat this as an
// address conflict".
func (probing) probed(d *Detector, by arp.HardwareAddr) { d.conflict(by) }

// checking: the link is asked about an address that is in use.
type checking struct{ round }

func (checking) name() State { return StateChecking }

func (s checking) timeout(d *Detector, now boottime.Instant) {
	r, over := s.step(d, now)
	if !over {
		d.state = checking{r}
		return
	}
	d.announce(now, 0)
	d.emit(Clear{d.addr()})
}

func (checking) linkDown(d *Detector) { d.state = held{} }

// probed does nothing: the system answers, since the address is in use.
//
// RFC 5227 section 2.5: "the host MUST answer ARP Requests in the usual way";
// "This applies equally for both standard ARP Requests with non-zero sender IP
// addresses and Probe Requests with all-zero sender IP addresses."
func (checking) probed(*Detector, arp.HardwareAddr) {}
