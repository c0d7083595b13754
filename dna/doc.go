// Package dna finds out which of the networks that a host knows it is attached
// to (RFC 4436), by asking their routers directly, and learns the link address
// of a router for the next time. It does no I/O: it decides, its caller sends,
// receives and keeps the time.
//
// # Contract
//
//		p, err := dna.New(cfg)
//		p.Handle(now, in)           // one way in: something happened
//		out, ok := p.Poll()         // one way out: something is to be done
//		at, why, ok := p.Deadline() // one deadline
//
//	  - After every Handle, call Poll until it returns false and carry out the
//	    outputs in order; then ask Deadline and Addresses, which may have changed.
//	  - When the deadline comes, call Handle with [Timeout]. Early, late or
//	    twice does no harm.
//	  - Hand in every ARP packet of the link whose sender address is one of
//	    [Prober.Addresses]. Others do no harm.
//	  - Time is an argument and never goes back. There is no clock, no
//	    goroutine, no log and nothing random: the same inputs give the same
//	    outputs.
//	  - No input panics. A packet that [arp.Parse] refuses is ignored.
//	  - A Prober is for one goroutine at a time.
//
// # Test
//
// [Start] asks the remembered routers of up to four networks at once, each
// with one unicast ARP request from the address that we had there. It is
// answered by exactly one [Confirmed] or [Silent], unless [Stop] or another
// Start comes first. DHCP is to run at the same time (RFC 4436 section 2.2); if
// it says otherwise, it is right.
//
// # Learning
//
// [Learn] asks, with up to three broadcasts from the address in use, for the
// router's link address. It is answered by one [Learned], or by nothing.
// Testing and learning do not disturb each other.
//
// Where the package departs from an RFC, the code says "Deviation:" and names
// a row of docs/deviations.md.
package dna
