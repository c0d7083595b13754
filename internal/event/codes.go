package event

import "time"

// A Code says what a [Fact] is. Codes are part of the API: they are never renamed.
type Code string

// patience is how long a message may be on its way before its answer is late.
const patience = time.Second

// What happened, besides the facts in the table of events.
const (
	FactUnanswered Code = "unanswered"  // a message was sent and has no answer yet
	FactNAK        Code = "nak"         // a server refused, Detail says why
	FactOther      Code = "other-found" // how the other manager is known
)

// The explanations.
const (
	VerdictAbsent      Code = "absent"         // there is no such adapter
	VerdictAwaited     Code = "awaited"        // nor one that is managed once it comes
	VerdictUnmanaged   Code = "unmanaged"      // nobody manages it
	VerdictOther       Code = "other-manager"  // somebody else does: Detail
	VerdictHindered    Code = "hindered"       // it is to be managed and cannot be: Detail is its cause, packed
	VerdictDown        Code = "down"           // it is administratively down
	VerdictNoCarrier   Code = "no-link"        // it has no carrier
	VerdictTakenAway   Code = "taken-away"     // another program took the address away: Detail is the cause, packed
	VerdictReleased    Code = "idle"           // the lease was given back, nothing is sent
	VerdictBound       Code = "in-use"         // the lease is in use
	VerdictRenewing    Code = "renewing"       // in use, its server is asked to extend it
	VerdictRebinding   Code = "rebinding"      // in use, any server is asked to extend it
	VerdictVerifying   Code = "verifying"      // the servers are asked whether it holds here
	VerdictAsking      Code = "asking"         // a lease is being asked for
	VerdictNoAnswer    Code = "no-answer"      // no server answers
	VerdictUnusable    Code = "unusable"       // what arrives cannot be used: Why
	VerdictUnconfirmed Code = "unconfirmed"    // a server offers and does not confirm
	VerdictNAK         Code = "refused"        // a server refuses
	VerdictConflict    Code = "in-conflict"    // the address was another host's
	VerdictPause       Code = "pause"          // a pause before the search
	VerdictIPv6Only    Code = "ipv6-only"      // the network prefers to be used without IPv4
	VerdictInforming   Code = "informing"      // the servers are asked for parameters, the address is the adapter's own
	VerdictInformed    Code = "has-parameters" // a server has told them
	VerdictLinkLocal   Code = "without-server" // an address without a server is in use
)

// What comes next.
const (
	NextSearch     Code = "search"        // the search for a lease begins
	NextVerify     Code = "verify"        // the lease is verified
	NextRetransmit Code = "retransmit"    // Message is sent again
	NextRenewal    Code = "renewal"       // the lease's server is asked to extend it (T1)
	NextRebinding  Code = "rebind"        // any server is asked to extend it (T2)
	NextExpiry     Code = "expiry"        // the lease ends
	NextTimer      Code = "timer"         // the timer called Detail
	NextCarrier    Code = "await-carrier" // nothing before the link comes up
	NextRenew      Code = "await-renew"   // nothing before somebody renews
	NextAdapter    Code = "await-adapter" // nothing before the adapter comes
	NextNothing    Code = "nothing"       // nothing: the lease has no end
)

// What a person can do.
const (
	AdviceList       Code = "list"        // look for the name
	AdviceUp         Code = "up"          // have the adapter managed
	AdviceStopOther  Code = "stop-other"  // end the other management first
	AdviceSetUp      Code = "set-up"      // set the interface up
	AdviceCable      Code = "cable"       // look at the cable
	AdviceRenew      Code = "renew"       // renew
	AdviceNetwork    Code = "network"     // look whether a server is on this network
	AdviceServerLog  Code = "server-log"  // look into the server's log
	AdviceServerGone Code = "server-gone" // change to another server
	AdviceNAK        Code = "nak-source"  // look at who refuses
	AdviceUnusable   Code = "packets"     // look at the packets
	AdviceFindHost   Code = "find-host"   // find the other host
	AdviceProblem    Code = "solve"       // solve the problem whose packed cause is Detail
)
