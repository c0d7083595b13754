// Package host is the Linux kernel as the driver sees it: links, addresses and
// routes by rtnetlink, DHCP frames by packet sockets, a clock that counts
// suspended time, and the system's name resolution.
//
// [New] binds to the network namespace of the calling thread. All methods may
// then be called from any goroutine, whatever namespace its thread is in.
//
// Everything that the package puts into the kernel can be told from what others
// put there: routes carry the protocol "dhcp", addresses are named by the
// caller, who remembers what was ours.
package host
