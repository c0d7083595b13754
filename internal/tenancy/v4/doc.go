// Package v4 is one adapter's life under DHCPv4: it joins the protocol client of
// package dhcp4, what asks the link by ARP, the callers who want a renewal or a
// release, and the configuration that the kernel is to hold. What of that knows no
// protocol is in package v4.
//
// Like the client itself it does no I/O. After every [Tenancy.Handle], call
// [Tenancy.Poll] until it returns false, carry out the outputs in order, then
// look at [Tenancy.Deadline] and [Tenancy.Awaiting].
//
// Three orders are kept whatever happens in between:
//
//   - a lease is on record before its address is configured, unless the record
//     has it already with earlier times;
//   - a release is on record before its packet leaves, and the packet leaves
//     before the address goes;
//   - a caller hears "done" after the kernel is so.
package v4
