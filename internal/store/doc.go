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
// Beside it is "eth0.ahead", the write-ahead file. A record is saved by one
// write into it, flushed to the disk if that is asked for; its space was
// allocated and written before, so that this needs no room and takes one write
// of the disk. Right afterwards, while nobody waits, "eth0.json" is replaced by
// that record: it is written beside the old one, flushed and renamed over it,
// and the write-ahead file is emptied. So eth0.json is what one reads, compares
// and removes; a moment after a change it is up to date.
//
// The record with the highest sequence number counts, wherever it is; of two
// with the same, that of eth0.json. The write-ahead file has two slots, of which
// one keeps what was saved durably while the other is written: whatever a crash
// or a power failure interrupts, there is the record from before or the new one,
// and after a power failure none that is older than the last one that was saved
// durably. A slot that was cut short by a power failure counts for nothing, nor
// does an eth0.json that cannot be understood if a slot has a record. slots.go
// has the layout. A record that does not fit a slot, or cannot be written there,
// goes to eth0.json at once.
//
// What is removed is written down as removed first, so that it does not come
// back by a file that a crash leaves.
//
// If nothing can be understood, eth0.json is renamed to "eth0.json.corrupt-1" (up
// to 5 of them are kept per adapter) and reported.
//
// # Fields
//
//	version        1; a file with a greater version is set aside
//	sequence       counts what was saved for the adapter: the highest is the latest
//	saved          when it was written, by the wall clock
//	boot_id        the boot it was written in (/proc/sys/kernel/random/boot_id)
//	saved_uptime   the time since that boot, suspended time included
//	hardware_addr  the link address that the lease was obtained with
//	lease          the lease, or the one that was given back; absent if there is none
//	offered        the lease was offered, and asked for; that it was granted
//	               was not written yet
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
//	routers, routes, dns, host_name, domain, search, mtu
//	               options 3, 121 or 249, 6, 12, 15, 119 and 26
//	nonce          what the server proves itself by in a FORCERENEW (RFC 6704): key, in
//	               hexadecimal, and replay, the greatest counter seen with it. It is
//	               a secret, so only root reads the files
//	more           what few leases have: ntp (option 42), wins (44), zone (101), posix_zone (100),
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
