// Package acd detects conflicts of one IPv4 address with other hosts (RFC
// 5227) and does no I/O: it decides, its caller sends, receives and keeps the
// time.
//
// # Contract
//
//		d, err := acd.New(cfg)
//		d.Handle(now, in)           // one way in: something happened
//		out, ok := d.Poll()         // one way out: something is to be done
//		at, why, ok := d.Deadline() // one deadline
//
//	  - After every Handle, call Poll until it returns false and carry out the
//	    outputs in order; then ask Deadline and Listening, which may have changed.
//	  - When the deadline comes, call Handle with [Timeout]. Early, late or
//	    twice does no harm.
//	  - While [Detector.Listening] is true, hand in every ARP packet of the link
//	    whose sender address is [Detector.Address], and every probe for it
//	    (sender address 0.0.0.0). Others do no harm.
//	  - Time is an argument and never goes back. There is no clock, no
//	    goroutine, no log; randomness comes from [Config].Seed.
//	  - No input panics. A packet that [arp.Parse] refuses is ignored.
//	  - A Detector is for one goroutine at a time.
//
// # Life
//
// A detector begins with [Start], sends nothing before [LinkUp], and is over
// with [Stop] or once it has said [Conflict]; [Start] begins anew. LinkUp and
// LinkDown are remembered while it is stopped.
//
//	Probe       wait, probes, silence, announcement -> Clear, announcement, listening
//	Optimistic  in use; probes, silence, announcement -> Clear, announcement, listening
//
// In mode [Probe] the address may be used from [Clear] on. In mode
// [Optimistic] it is in use already: whoever claims it before Clear had it
// first, so that is a [Conflict] without a defence. After Clear both modes
// defend the address as [Config].Defence says.
//
// A link that comes back may be another one (RFC 5227 section 2.1): probing
// starts again, and an address in use goes through Optimistic once more.
//
// An idle detector costs about 100 bytes and no timer: one may be held for
// every address of a host.
//
// Where the package departs from an RFC, the code says "Deviation:" and names
// a row of docs/deviations.md.
package acd
