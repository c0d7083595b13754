// Package simulation plays whole lives of an adapter against random networks
// and checks after every step that the tenancy kept its promises.
//
// [Run] builds from one seed a machine - a tenancy, and models of the driver,
// the kernel, the disk and the callers - and some networks of package dhcptest,
// with their faults, servers and other hosts. Then it lets things happen at
// random: links go and come back elsewhere, servers fall silent, lie or forget,
// the machine is suspended, its program crashes between any two outputs, power
// fails, the kernel refuses, the disk is full, frames cannot be sent, callers
// want something and give up. At the end all is well again, and the tenancy has
// to have an address within a bounded time, to keep it, and to give it back.
//
// What must always hold is in rules.go, one function each. A seed that breaks a
// rule is played again with
//
//	go test ./internal/simulation -run '^TestSeeds$' -seed=N -v
//
// which writes every frame and every output of the tenancy to the log.
package simulation
