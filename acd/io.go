package acd

import (
	"net/netip"
	"strconv"

	"github.com/lessee/lessee/wire/arp"
)

// An Input is something that happened, told to [Detector.Handle].
type Input interface{ input() }

type (
	// Start begins to look for conflicts of Address, instead of the one before
	// if there was one. An Address that no host can have stops the detector.
	Start struct {
		Address netip.Addr
		Mode    Mode
	}

	// Stop ends all activity without a packet.
	Stop struct{}

	// LinkUp says that frames can be sent; until then nothing is. Repeated, it
	// has no effect.
	LinkUp struct{}

	// LinkDown says that no frame can be sent.
	LinkDown struct{}

	// Packet is an ARP packet of the link, without its link header. The
	// detector keeps no reference to it.
	Packet struct {
		ARP []byte
		// Ours says that the sender hardware address is that of one of the
		// host's own adapters. The detector knows that of its own adapter itself.
		Ours bool
		// Unicast says that the frame was sent to this host alone.
		Unicast bool
	}

	// Timeout says that the instant of [Detector.Deadline] has come. Telling it
	// early, late or twice does no harm.
	Timeout struct{}
)

func (Start) input()    {}
func (Stop) input()     {}
func (LinkUp) input()   {}
func (LinkDown) input() {}
func (Packet) input()   {}
func (Timeout) input()  {}

// A Mode says whether the address is in use before it is known to be free.
type Mode uint8

// The modes.
const (
	// Probe asks first: the address may be used from Clear on (RFC 5227).
	Probe Mode = iota
	// Optimistic asks about an address that is in use already.
	Optimistic
)

var modeNames = [...]string{Probe: "probe", Optimistic: "optimistic"}

// String returns the name: "probe" or "optimistic".
func (m Mode) String() string { return nameOf(modeNames[:], int(m), "mode") }

// An Output is something that the caller is to do or to know, in order.
type Output interface{ output() }

type (
	// Transmit broadcasts an ARP packet on the link.
	Transmit struct {
		// Packet is the ARP packet, 28 bytes. It belongs to the receiver of the
		// Output.
		Packet []byte
		Kind   Kind
	}

	// Clear says that the link was asked and nobody has the address: it may be
	// used from now on. It is said again when the link has come back.
	Clear struct{ Address netip.Addr }

	// Conflict says that another host has the address: it must not be used, or
	// not any more. Existing connections should be reset (RFC 5227 section
	// 2.4). The detector is stopped.
	Conflict struct {
		Address netip.Addr
		// By is the other host's link address.
		By arp.HardwareAddr
	}

	// Defended says that another host claimed the address, and that a
	// Transmit of kind [KindDefend] answers it.
	Defended struct {
		Address netip.Addr
		By      arp.HardwareAddr
	}
)

func (Transmit) output() {}
func (Clear) output()    {}
func (Conflict) output() {}
func (Defended) output() {}

// A Kind says what a packet is sent for.
type Kind uint8

// The kinds.
const (
	// KindProbe asks whether anyone has the address.
	KindProbe Kind = iota
	// KindAnnounce tells that we use the address.
	KindAnnounce
	// KindDefend tells another host, and those it has misled, that we use the address.
	KindDefend
)

var kindNames = [...]string{KindProbe: "probe", KindAnnounce: "announce", KindDefend: "defend"}

// String returns the name: "probe", "announce" or "defend".
func (k Kind) String() string { return nameOf(kindNames[:], int(k), "kind") }

// A State is what the detector does.
type State uint8

// The states.
const (
	// StateStopped: no address is looked after.
	StateStopped State = iota
	// StateWaiting: an address that may not be used yet waits for the link.
	StateWaiting
	// StateProbing: the link is asked about an address that may not be used yet.
	StateProbing
	// StateHeld: an address in use waits for the link.
	StateHeld
	// StateChecking: the link is asked about an address in use.
	StateChecking
	// StateAnnouncing: the address is in use, and announced.
	StateAnnouncing
	// StateListening: the address is in use; claims of others are answered.
	StateListening
)

var stateNames = [...]string{
	StateStopped:    "stopped",
	StateWaiting:    "waiting",
	StateProbing:    "probing",
	StateHeld:       "held",
	StateChecking:   "checking",
	StateAnnouncing: "announcing",
	StateListening:  "listening",
}

// String returns the name in lower case, such as "probing".
func (s State) String() string { return nameOf(stateNames[:], int(s), "state") }

// A Timer is a reason for which the detector wants to be told [Timeout].
type Timer uint8

// The timers.
const (
	// TimerProbe: a probe is to be sent.
	TimerProbe Timer = iota
	// TimerClear: if there is no answer by then, the address is free.
	TimerClear
	// TimerAnnounce: an announcement is to be sent.
	TimerAnnounce
)

var timerNames = [...]string{TimerProbe: "probe", TimerClear: "clear", TimerAnnounce: "announce"}

// String returns the name, such as "probe".
func (t Timer) String() string { return nameOf(timerNames[:], int(t), "timer") }

func nameOf(names []string, i int, kind string) string {
	if i < len(names) {
		return names[i]
	}
	return kind + " " + strconv.Itoa(i)
}
