// Package netlink is the kernel's network configuration by rtnetlink: links,
// addresses, routes, neighbours, and what others change of them.
//
// Everything that the package puts into the kernel can be told from what others
// put there: addresses have the flag "noprefixroute" and, since Linux 5.18, the
// protocol "dhcp", routes the protocol "dhcp".
package netlink
