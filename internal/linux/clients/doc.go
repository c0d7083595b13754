// Package clients finds the DHCP clients of the machine that are not us:
// NetworkManager, systemd-networkd, dhcpcd, dhclient, udhcpc. Two clients on one
// adapter take its address from each other, so the daemon asks here first.
//
// It goes by evidence and only reads: sockets and processes in /proc, and what
// NetworkManager and networkd note in /run. It starts no program and asks no
// daemon, so nothing that hangs can hold it up.
package clients
