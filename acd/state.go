package acd

import (
	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/wire/arp"
)

// A state is what the detector does with each kind of event. It is a value:
// a state that changes is replaced.
type state interface {
	name() State
	timer() (boottime.Instant, Timer, bool)
	timeout(d *Detector, now boottime.Instant)
	// linkUp follows a time without a link, or Start; linkDown may follow another.
	linkUp(d *Detector, now boottime.Instant)
	linkDown(d *Detector)
	// claimed is called when another host uses the address, probed when it asks
	// for it; both with a link only.
	claimed(d *Detector, now boottime.Instant, by arp.HardwareAddr)
	probed(d *Detector, by arp.HardwareAddr)
}

// stopped: there is no address.
type stopped struct{}

func (stopped) name() State                                           { return StateStopped }
func (stopped) timer() (at boottime.Instant, why Timer, ok bool)      { return }
func (stopped) timeout(*Detector, boottime.Instant)                   {}
func (stopped) linkUp(*Detector, boottime.Instant)                    {}
func (stopped) linkDown(*Detector)                                    {}
func (stopped) claimed(*Detector, boottime.Instant, arp.HardwareAddr) {}
func (stopped) probed(*Detector, arp.HardwareAddr)                    {}

// waiting: the address may not be used, and there is no link to ask on.
type waiting struct{ stopped }

func (waiting) name() State { return StateWaiting }

// linkUp begins to probe.
//
// RFC 5227 section 2.1.1: "When ready to begin probing, the host should then
// wait for a random time interval selected uniformly in the range zero to
// PROBE_WAIT seconds".
func (waiting) linkUp(d *Detector, now boottime.Instant) {
	first := now.Add(d.within(0, d.timing.ProbeWait))
	d.state = probing{round{next: max(first, d.rest)}}
	d.due(now)
}

// held: the address is in use, and there is no link to ask on.
type held struct{ stopped }

func (held) name() State { return StateHeld }

// linkUp asks about the address while it is in use. There is no random wait:
// whatever made many hosts begin at once has made them use their addresses.
//
// RFC 5227 section 2.1: "This also applies when a network interface transitions
// from an inactive to an active state".
//
// Deviation: "Optimistic use" and "Unconfirmed address" in docs/deviations.md.
func (held) linkUp(d *Detector, now boottime.Instant) {
	d.state = checking{round{next: max(now, d.rest)}}
	d.due(now)
}
