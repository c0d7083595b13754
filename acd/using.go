package acd

import (
	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/wire/arp"
)

// listening: the address is in use, and nothing is due. It has no data: most
// detectors are in this state, and cost nothing for it.
type listening struct{}

func (listening) name() State { return StateListening }

// timer: RFC 5227 section 2.1: "A host MUST NOT perform this check periodically
// as a matter of course."
func (listening) timer() (at boottime.Instant, why Timer, ok bool) { return }
func (listening) timeout(*Detector, boottime.Instant)              {}
func (listening) linkUp(*Detector, boottime.Instant)               {}
func (listening) linkDown(d *Detector)                             { d.state = held{} }

func (listening) claimed(d *Detector, now boottime.Instant, by arp.HardwareAddr) { d.defend(now, by) }

// probed does nothing: the system answers (RFC 5227 section 2.5).
func (listening) probed(*Detector, arp.HardwareAddr) {}

// announcing: the address is in use, and announcements are left to be sent.
type announcing struct {
	listening
	sent int
	next boottime.Instant
}

func (announcing) name() State { return StateAnnouncing }

func (s announcing) timer() (boottime.Instant, Timer, bool) { return s.next, TimerAnnounce, true }

func (s announcing) timeout(d *Detector, now boottime.Instant) { d.announce(now, s.sent) }

// announce sends the next announcement, and listens after the last.
//
// RFC 5227 section 2.3: "a host implementing this specification MUST then
// announce that it is commencing to use this address by broadcasting
// ANNOUNCE_NUM ARP Announcements, spaced ANNOUNCE_INTERVAL seconds apart." "The
// host may begin legitimately using the IP address immediately after sending
// the first of the two ARP Announcements; the sending of the second ARP
// Announcement may be completed asynchronously".
func (d *Detector) announce(now boottime.Instant, sent int) {
	d.transmit(now, KindAnnounce)
	if sent++; sent == d.timing.AnnounceNum {
		d.state = listening{}
		return
	}
	d.state = announcing{sent: sent, next: now.Add(d.timing.AnnounceInterval)}
}
