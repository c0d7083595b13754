// Package test holds lessee to real kernels, real DHCP servers and the clients
// it replaces, each in network namespaces of its own (package lab). It knows
// the product as its users do: by its command line, its control socket and the
// packets on the wire.
package test
