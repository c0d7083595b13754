// Package simulation plays whole lives of an adapter against random networks
// and checks after every step that the tenancy kept its promises.
//
// [Run] builds from one seed a machine and some networks of package dhcptest,
// with their faults, servers and other hosts. The machine has a tenancy, the records
// of package leases on disks in memory, the model of the Linux kernel of package
// netconftest, and models of the driver and the callers.
//
// Then things happen at random. Links go and come back elsewhere. Servers
// fall silent, lie or forget. The machine is suspended, its program crashes between
// any two outputs, power fails and damages files. The kernel refuses an operation,
// or reports late, in another order or not at all. Other programs delete, replace
// and add addresses and routes. The disk is full, frames cannot be sent, callers
// want something and give up. At the end all is well again, and the tenancy has
// to have an address within a bounded time, to keep it, and to give it back.
//
// What must always hold is in rules.go and configuration.go, one function each. A
// seed that breaks a rule is played again with
//
//	go test ./internal/simulation -run '^TestSeeds$' -seed=N -v
//
// which writes every frame and every output of the tenancy to the log.
package simulation
