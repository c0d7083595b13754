// Package packet sends and receives DHCP and ARP by packet sockets, and captures
// them. Each socket gets its filter before it is bound: no foreign frame wakes
// the process, not even in the first moment.
package packet
