// Package arp reads and writes ARP packets (RFC 826) for IPv4 on Ethernet, and
// makes the probes and announcements of address conflict detection (RFC 5227).
//
// [Parse] takes what follows the link header and does not allocate unless it
// fails. Bytes after the packet are link padding and ignored. No input panics.
package arp
