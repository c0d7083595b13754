package dna

import (
	"net/netip"
	"strconv"

	"github.com/lessee/lessee/wire/arp"
)

// An Input is something that happened, told to [Prober.Handle].
type Input interface{ input() }

type (
	// Start asks which of the candidates is the network of the link, which must
	// be up. It takes the place of a test under way. Candidates that cannot be
	// asked are passed over, and so are those after the first [MaxCandidates]
	// that can; if none is left, the answer is Silent at once.
	Start struct{ Candidates []Candidate }

	// Learn asks for the link address of Router, from Address, which must be in
	// use on the link. It takes the place of a question under way. A question
	// that makes no sense is not asked.
	Learn struct{ Address, Router netip.Addr }

	// Stop ends test and question without an answer: there is no link, or no
	// interest.
	Stop struct{}

	// Packet is an ARP packet of the link, without its link header. The prober
	// keeps no reference to it.
	Packet struct{ ARP []byte }

	// Timeout says that the instant of [Prober.Deadline] has come. Telling it
	// early, late or twice does no harm.
	Timeout struct{}
)

func (Start) input()   {}
func (Learn) input()   {}
func (Stop) input()    {}
func (Packet) input()  {}
func (Timeout) input() {}

// A Candidate is a network that the host knows.
type Candidate struct {
	// Address is the host's own there: one that a server gave it for a time
	// that is not over. A link-local address cannot be a candidate's.
	Address netip.Addr
	// Router is the router there, and RouterLink its link address.
	Router     netip.Addr
	RouterLink arp.HardwareAddr
}

// An Output is something that the caller is to do or to know, in order.
type Output interface{ output() }

type (
	// Transmit sends an ARP packet.
	Transmit struct {
		// Packet is the ARP packet, 28 bytes. It belongs to the receiver of the
		// Output.
		Packet []byte
		// To is the link address that the frame goes to; nil is broadcast. It
		// belongs to the receiver of the Output.
		To []byte
	}

	// Confirmed says that the link is the network of a candidate: its router
	// has answered, under its link address. Candidate is the index in Start.
	Confirmed struct{ Candidate int }

	// Silent says that no router answered: most likely, the link is another
	// network.
	Silent struct{}

	// Learned says which link address the router of a Learn has.
	Learned struct {
		Router netip.Addr
		Link   arp.HardwareAddr
	}
)

func (Transmit) output()  {}
func (Confirmed) output() {}
func (Silent) output()    {}
func (Learned) output()   {}

// A Timer is a reason for which the prober wants to be told [Timeout].
type Timer uint8

// The timers.
const (
	// TimerTest: the routers are to be asked, or asked again, or are silent.
	TimerTest Timer = iota
	// TimerLearn: the router's link address is to be asked for again, or is
	// not to be learned.
	TimerLearn
)

var timerNames = [...]string{TimerTest: "test", TimerLearn: "learn"}

// String returns the name: "test" or "learn".
func (t Timer) String() string {
	if int(t) < len(timerNames) {
		return timerNames[t]
	}
	return "timer " + strconv.Itoa(int(t))
}
