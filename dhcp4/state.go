package dhcp4

import "strconv"

// A State is where the client is in figure 5 of RFC 2131; [StateReleased] and
// those after it are not in the figure.
type State uint8

// The states.
const (
	// StateInit: without a lease and about to look for one, or waiting for a link to do so on.
	StateInit State = iota
	// StateSelecting: DISCOVER was sent, an OFFER is awaited.
	StateSelecting
	// StateRequesting: an offer was chosen, its server's ACK is awaited.
	StateRequesting
	// StateBound: the lease is in use and nothing is awaited.
	StateBound
	// StateRenewing: the lease's server was asked to extend it.
	StateRenewing
	// StateRebinding: any server was asked to extend the lease.
	StateRebinding
	// StateInitReboot: with a lease and about to verify it, or waiting for a link to do so on.
	StateInitReboot
	// StateRebooting: the servers were asked whether the lease still holds here.
	StateRebooting
	// StateReleased: silent until a Renew.
	StateReleased
	// StateInforming: with an address by other means, asking for parameters, or waiting for a link to do so on.
	StateInforming
	// StateInformed: a server has told the parameters.
	StateInformed
	// StateIPv6Only: without IPv4 for a while, as the network prefers it.
	StateIPv6Only
)

var stateNames = [...]string{
	StateInit:       "init",
	StateSelecting:  "selecting",
	StateRequesting: "requesting",
	StateBound:      "bound",
	StateRenewing:   "renewing",
	StateRebinding:  "rebinding",
	StateInitReboot: "init-reboot",
	StateRebooting:  "rebooting",
	StateReleased:   "released",
	StateInforming:  "informing",
	StateInformed:   "informed",
	StateIPv6Only:   "ipv6-only",
}

// String returns the name in lower case, such as "init-reboot".
func (s State) String() string { return nameOf(stateNames[:], int(s), "state") }

// A Timer is a reason for which the client wants to be told [Timeout].
type Timer uint8

// The timers.
const (
	// TimerBegin: a pause ends and the search for a lease, or its verification, begins.
	TimerBegin Timer = iota
	// TimerRetransmit: an answer has not come in time.
	TimerRetransmit
	// TimerT1: the lease is to be renewed.
	TimerT1
	// TimerT2: any server is to be asked.
	TimerT2
	// TimerExpiry: the lease ends.
	TimerExpiry
)

var timerNames = [...]string{
	TimerBegin:      "begin",
	TimerRetransmit: "retransmit",
	TimerT1:         "T1",
	TimerT2:         "T2",
	TimerExpiry:     "expiry",
}

// String returns the name, such as "T1".
func (t Timer) String() string { return nameOf(timerNames[:], int(t), "timer") }

// A Loss says why a lease is not ours any more.
type Loss uint8

// The losses.
const (
	// LossReleased: it was given back with a RELEASE.
	LossReleased Loss = iota
	// LossExpired: its time is over, or it was over when it was handed to Start,
	// or a client that is to be anonymous would give itself away with it.
	LossExpired
	// LossNAK: a server says that it does not hold, or not here.
	LossNAK
	// LossConflict: another host uses the address.
	LossConflict
	// LossReplaced: a lease of another address takes its place; it comes with the next Acquired.
	LossReplaced
	// LossIPv6Only: the network prefers to be used without IPv4.
	LossIPv6Only
	// LossStopped: the client was stopped. The lease goes on at the server.
	LossStopped
)

var lossNames = [...]string{
	LossReleased: "released",
	LossExpired:  "expired",
	LossNAK:      "nak",
	LossConflict: "conflict",
	LossReplaced: "replaced",
	LossIPv6Only: "ipv6-only",
	LossStopped:  "stopped",
}

// String returns the name, such as "expired".
func (l Loss) String() string { return nameOf(lossNames[:], int(l), "loss") }

// An Op is what a caller asked for.
type Op uint8

// The operations.
const (
	OpRenew Op = iota
	OpRelease
)

var opNames = [...]string{OpRenew: "renew", OpRelease: "release"}

// String returns the name: "renew" or "release".
func (o Op) String() string { return nameOf(opNames[:], int(o), "op") }

func nameOf(names []string, i int, kind string) string {
	if i < len(names) {
		return names[i]
	}
	return kind + " " + strconv.Itoa(i)
}
