// Package netconf describes the network configuration of one adapter, IPv4 and
// IPv6: what the kernel has ([State]), what a lease wants ([Desired]), and by
// which operations the one becomes the other ([Diff]). It does no I/O.
//
// Whose an object is decides what may happen to it. What is not ours is never
// replaced and never removed.
//
//   - An address is ours if it is on record and the kernel's marks agree: it has
//     the flag "noprefixroute", and its protocol, where the kernel reports one,
//     is [ProtocolDHCP]. One that an administrator set by hand has neither mark.
//   - A route is ours if its protocol is [ProtocolDHCP] and its source is an
//     address that is on record or wanted, no matter who set that address. An IPv6
//     route without a source is ours if an IPv6 address or prefix is on record
//     or wanted, and an unreachable one if its destination is.
package netconf
