// Package tenancy is one adapter's life under DHCP, as far as it is the same
// whatever the protocol: the callers who wait, what the kernel was told to hold
// and what others take away of it, what goes wrong, and the end. The protocols
// are in packages below; each has a Tenancy of its own around a [Life].
//
// Nothing here does I/O. What is to be done comes out of [Life.Poll] and is
// carried out in that order.
package tenancy
