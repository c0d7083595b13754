// Package store keeps one lease record per adapter on disk, so that a restart
// of the daemon or of the machine resumes with the address it had.
//
// # Files
//
// A state directory belongs to one daemon, which holds a lock on the file
// "lock" in it. The record of the adapter eth0 is the file "eth0.json". A byte
// of the adapter's name that is not a letter, a digit, "-", "_" or a "." after
// the first byte is written as "%" and two hexadecimal digits, so no name leads
// out of the directory and no two names share a file.
//
// A file is replaced as a whole: it is written beside the old one, flushed to
// the disk if that is asked for, and renamed over it. After a crash there is the
// old record or the new one; after a power failure too, if it was flushed. A file that cannot be understood is renamed to
// "eth0.json.corrupt-1" (up to 5 of them are kept per adapter) and reported.
//
// # Fields
//
//	version        1; a file with a greater version is set aside
//	saved          when it was written, by the wall clock
//	boot_id        the boot it was written in (/proc/sys/kernel/random/boot_id)
//	saved_uptime   the time since that boot, suspended time included
//	hardware_addr  the link address that the lease was obtained with
//	lease          the lease, or the one that was given back; absent if there is none
//	released       the adapter was released and stays so until a renew or a reboot
//	ours           other addresses that we configured and that may still be there
//	base_mtu       the MTU from before ours was set
//	up             the adapter came under management by a call, until a reboot
//	networks       where the adapter was before, the latest first: router,
//	               router_link and the lease it has there, which is absent
//	               where it is the record's own
//	link_local     the link-local address that was used last
//
// and of a lease:
//
//	address        with the length of the subnet mask
//	broadcast, server, server_link, relay, client_id
//	               options 28 and 54, the link address the ACK came from, giaddr,
//	               option 61 (in hexadecimal)
//	start_uptime   when the REQUEST was sent, as time since the boot
//	duration, t1, t2, infinite
//	routers, routes, dns, ntp, wins, host_name, domain, search, mtu
//	               options 3, 121 or 249, 6, 42, 44, 12, 15, 119 and 26
//	more           what few leases have: zone (option 101), posix_zone (100),
//	               utc_offset (2), sip_domains or sip_servers (120),
//	               captive_portal, no_captive_portal (114), wpad (252), resolvers
//	               (162), fqdn (81), vendors (125), and in other the options that
//	               have no field, by their codes, in hexadecimal
//
// Durations have the form "1h30m0s".
//
// # Time
//
// Within one boot, a lease's age is taken from the time since boot: a wall
// clock that is set meanwhile changes nothing. After a reboot it is taken from
// the wall clock; one that went back makes a lease no younger than it was when
// it was saved.
package store
