// Package ipconfig is the command line of that name, as people who come from
// Windows know it: its words, its report, its exit status.
//
//	ipconfig                        the adapters' addresses
//	ipconfig /all                   all that is known of them
//	ipconfig /release [adapter]     give the leases back
//	ipconfig /renew [adapter]       renew them
//
// It stands on package iphlpapi and so works wherever that does. What an adapter
// is, and what is done to it, comes through the interface [System].
package ipconfig
