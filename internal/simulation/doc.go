// Package simulation plays whole lives of a program and its adapters against random
// networks and checks after every step that it kept its promises.
//
// [Run] builds from one seed a machine and some networks of package dhcptest,
// with their faults, servers and other hosts. The machine has a core, the records
// of package leases on disks in memory, one per namespace, and for each adapter the
// model of the Linux kernel of package netconftest. It is the core's ports.
//
// The first adapter moves between the networks. Half of the machines have one beside it,
// in the same namespace, and half have one in another namespace that looks the same: the same
// name, index and hardware address. Each of these companions has a network of its own,
// on which all is correct.
//
// Then things happen at random. Links go and come back elsewhere. Servers
// fall silent, lie or forget. The machine is suspended, its program crashes between
// any two outputs, power fails and damages files. The kernel refuses an operation,
// or reports late, in another order or not at all. Notifications of links come late,
// but in order, or are lost: then all links are told anew. Adapters are renamed and
// exchange their names. Other programs delete, replace and add addresses and routes.
// The disk is full, frames cannot be sent, callers want something and give up. At the
// end all is well again, and each adapter has to have an address within a bounded
// time, to keep it, and to give it back.
//
// What must always hold is in rules.go and configuration.go, one function each; for
// companions it is in conduct.go, and for all adapters in ports.go. A seed that breaks a
// rule is played again with
//
//	go test ./internal/simulation -run '^TestSeeds$' -seed=N -v
//
// which writes every frame and every output of the tenancy to the log.
package simulation
