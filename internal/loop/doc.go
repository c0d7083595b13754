// Package loop runs a core: one goroutine does its I/O, in the order in which the core
// asks for it. What may take long (looking for other DHCP clients, the resolver, the
// disk) is done by a pool beside it.
package loop
