// Package option has the table of DHCPv4 options: what each is called, who reads
// it, and how it is shown and stored.
//
// A [Row] of the table declares an option. Package wire/dhcp4 takes its name from
// there, package dhcp4 whether and how it is decoded, the store and the API its
// name in JSON, the command line its label. An option that a lease only hands on
// has a field in [Servers] or [Texts], which package dhcp4's Extras, the API's types
// and the records of leases share: nothing else has to know of it.
//
// The package is pure: no I/O, no clock, no goroutine.
package option
