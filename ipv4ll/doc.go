// Package ipv4ll gives an adapter a link-local IPv4 address (RFC 3927), for
// where no server gives one. It does no I/O: it decides, its caller sends,
// receives and keeps the time.
//
// # Contract
//
//		c, err := ipv4ll.New(cfg)
//		c.Handle(now, in)           // one way in: something happened
//		out, ok := c.Poll()         // one way out: something is to be done
//		at, why, ok := c.Deadline() // one deadline
//
//	  - After every Handle, call Poll until it returns false and carry out the
//	    outputs in order; then ask Deadline and Listening, which may have changed.
//	  - When the deadline comes, call Handle with [Timeout]. Early, late or
//	    twice does no harm.
//	  - While [Client.Listening] returns an address, hand in every ARP packet of
//	    the link whose sender address it is, and every probe for it (sender
//	    address 0.0.0.0). Others do no harm.
//	  - Time is an argument and never goes back. There is no clock, no
//	    goroutine, no log; randomness comes from [Config].Seed, the order of the
//	    addresses from [Config].HardwareAddr alone.
//	  - No input panics. A packet that cannot be read is ignored.
//	  - A Client is for one goroutine at a time.
//
// # Life
//
// A client begins with [Start], sends nothing before [LinkUp], and is over with
// [Stop]. It asks whether anyone has an address (package acd) until one is
// free: that is [Acquired]. It is ours until [Lost]: another host claims it, the
// link is lost, or Stop. After a conflict the next address is tried, and after
// the link has come back the same one, asked about anew.
//
// What a host does with such an address is its caller's part: no packet of it
// goes to a router (RFC 3927 section 2.7), and an adapter that gets a routable
// address gives it up (section 1.9).
//
// Where the package departs from an RFC, the code says "Deviation:" and names
// a row of docs/deviations.md.
package ipv4ll
