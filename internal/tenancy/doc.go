// Package tenancy has the parts of an adapter's life under DHCP that do not depend
// on the protocol: the callers who wait, what the kernel was told to hold and what
// others take away of it, what goes wrong, and the end. Each protocol has a package
// below, with a Tenancy of its own around a [Life].
//
// Nothing here does I/O: the outputs of [Life.Poll] are carried out in order.
package tenancy
