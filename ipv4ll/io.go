package ipv4ll

import (
	"net/netip"
	"strconv"

	"github.com/lessee/lessee/acd"
	"github.com/lessee/lessee/wire/arp"
)

// An Input is something that happened, told to [Client.Handle].
type Input interface{ input() }

type (
	// Start begins to look for an address, first Last, the one that the adapter
	// had before: not valid if there was none. Last is ignored if it is not
	// between [First] and [Final]. Start has no effect on a client that was
	// started already.
	Start struct{ Last netip.Addr }

	// Stop ends all activity without a packet. An address is Lost.
	Stop struct{}

	// LinkUp says that frames can be sent; until then nothing is. Repeated, it
	// has no effect. It counts before Start, too.
	LinkUp struct{}

	// LinkDown says that no frame can be sent. An address is Lost: it was ours
	// for as long as we could hear who else wants it.
	LinkDown struct{}

	// Packet is an ARP packet of the link, without its link header. The client
	// keeps no reference to it.
	Packet struct {
		ARP []byte
		// Ours says that the sender hardware address is that of one of the
		// host's own adapters. The client knows that of its own adapter itself.
		Ours bool
		// Unicast says that the frame was sent to this host alone.
		Unicast bool
	}

	// Timeout says that the instant of [Client.Deadline] has come. Telling it
	// early, late or twice does no harm.
	Timeout struct{}
)

func (Start) input()    {}
func (Stop) input()     {}
func (LinkUp) input()   {}
func (LinkDown) input() {}
func (Packet) input()   {}
func (Timeout) input()  {}

// An Output is something that the caller is to do or to know, in order.
type Output interface{ output() }

type (
	// Transmit broadcasts an ARP packet on the link.
	Transmit struct {
		// Packet is the ARP packet, 28 bytes. It belongs to the receiver of the
		// Output.
		Packet []byte
		Kind   acd.Kind
	}

	// Acquired says that the address is ours from now on: it is to be
	// configured, and to be kept for the next Start.
	Acquired struct {
		// Address has the length of the prefix, 16.
		Address netip.Prefix
	}

	// Lost says that the address is not ours any more: it is to be removed from
	// the adapter. After a conflict its connections should be reset (RFC 3927
	// section 2.5).
	Lost struct {
		Address netip.Prefix
		Why     Loss
		// By is the link address of the other host in a conflict, else zero.
		By arp.HardwareAddr
	}

	// Taken says that an address that was to be ours belongs to another host.
	Taken struct {
		Address netip.Addr
		By      arp.HardwareAddr
	}

	// Defended says that another host claimed our address, and that a Transmit
	// of kind [acd.KindDefend] answers it.
	Defended struct {
		Address netip.Addr
		By      arp.HardwareAddr
	}
)

func (Transmit) output() {}
func (Acquired) output() {}
func (Lost) output()     {}
func (Taken) output()    {}
func (Defended) output() {}

// A Loss says why an address is not ours any more.
type Loss uint8

// The losses.
const (
	// LossConflict: another host uses the address.
	LossConflict Loss = iota
	// LossLink: the link is gone, and with it the claim.
	LossLink
	// LossStopped: the client was stopped.
	LossStopped
)

var lossNames = [...]string{LossConflict: "conflict", LossLink: "link", LossStopped: "stopped"}

// String returns the name, such as "conflict".
func (l Loss) String() string { return nameOf(lossNames[:], int(l), "loss") }

// A State is what the client does.
type State uint8

// The states.
const (
	// StateStopped: no address is wanted.
	StateStopped State = iota
	// StateWaiting: there is no link to ask on.
	StateWaiting
	// StateResting: too many addresses were taken; the next is tried later.
	StateResting
	// StateClaiming: the link is asked about an address.
	StateClaiming
	// StateBound: the address is ours.
	StateBound
)

var stateNames = [...]string{
	StateStopped:  "stopped",
	StateWaiting:  "waiting",
	StateResting:  "resting",
	StateClaiming: "claiming",
	StateBound:    "bound",
}

// String returns the name in lower case, such as "claiming".
func (s State) String() string { return nameOf(stateNames[:], int(s), "state") }

// A Timer is a reason for which the client wants to be told [Timeout].
type Timer uint8

// The timers.
const (
	// TimerNext: the next address may be tried.
	TimerNext Timer = iota
	// TimerProbe: a probe is to be sent.
	TimerProbe
	// TimerClear: if there is no answer by then, the address is ours.
	TimerClear
	// TimerAnnounce: an announcement is to be sent.
	TimerAnnounce
)

var timerNames = [...]string{TimerNext: "next", TimerProbe: "probe", TimerClear: "clear", TimerAnnounce: "announce"}

// String returns the name, such as "probe".
func (t Timer) String() string { return nameOf(timerNames[:], int(t), "timer") }

func nameOf(names []string, i int, kind string) string {
	if i < len(names) {
		return names[i]
	}
	return kind + " " + strconv.Itoa(i)
}
