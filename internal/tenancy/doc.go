// Package tenancy is one adapter's life under DHCP: it joins the protocol
// client of package dhcp4, the callers who ask for a renewal or a release, and
// the configuration that the kernel is to hold.
//
// Like the client itself it does no I/O. After every [Tenancy.Handle], call
// [Tenancy.Poll] until it returns false, carry out the outputs in order, then
// look at [Tenancy.Deadline] and [Tenancy.Awaiting].
//
// Three orders are kept whatever happens in between:
//
//   - a lease is on record, and on the disk, before its address is configured;
//   - a release is on record before its packet leaves, and the packet leaves
//     before the address goes;
//   - a caller hears "done" after the kernel is so.
package tenancy
