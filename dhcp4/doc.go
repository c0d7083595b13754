// Package dhcp4 is a DHCPv4 client (RFC 2131) that does no I/O: it decides, its
// caller sends, receives and keeps the time.
//
// # Contract
//
//		c, err := dhcp4.New(cfg)
//		c.Handle(now, in)          // one way in: something happened
//		out, ok := c.Poll()        // one way out: something is to be done
//		at, why, ok := c.Deadline() // one deadline
//
//	  - After every Handle, call Poll until it returns false and carry out the
//	    outputs in order; then ask Deadline, which may have changed, and Awaiting.
//	  - When the deadline comes, call Handle with [Timeout]. Early, late or
//	    twice does no harm. Every Handle ends a lease that is over, so a caller
//	    that was asleep never sees one in use.
//	  - Time is an argument and never goes back. It must count suspended time
//	    (package boottime): leases run out in suspend as well.
//	  - There is no clock, no goroutine, no log; randomness comes from
//	    [Config].Seed. The same seed and inputs give the same outputs.
//	  - No input panics. A datagram that is of no use is answered by [Dropped]
//	    with its reason, and counted.
//	  - A Client is for one goroutine at a time. What it hands out is the
//	    caller's, but for a [Lease], which nobody changes.
//
// # Life
//
// A client begins with [Start], [StartReleased] or [StartInform] and sends
// nothing before [LinkUp]. It goes through the states of figure 5 of RFC 2131; RELEASED is
// ours. A lease comes with [Acquired] and goes with [Lost]; between the two
// [Client.Lease] returns it. After a link flap, or where no server answers
// when a lease is to be verified, the lease stays in use as long as it lasts
// while the client looks for a server: INIT, SELECTING and REQUESTING may
// therefore have a lease.
//
// Where the package departs from an RFC, the code says "Deviation:" and names
// a row of docs/deviations.md.
package dhcp4
