// Package leases keeps one record per adapter, so that a restart of the daemon
// or of the machine resumes with the address it had.
//
// # Two copies
//
// A record must survive the process, not the power, before its address is used:
// after a power failure the kernel's address is gone too. So there are two copies
// of it.
//
//   - The first is in RUN/leases (/run/lessee/leases), on a tmpfs. [Store.Save]
//     writes it: a temporary file, then a rename, no flush. It counts only in the
//     boot in which it was written.
//   - The second is in the state folder (/var/lib/lessee). [Store.Persist] writes
//     it, and nothing waits for that: a temporary file, flushed, renamed, and the
//     folder flushed. The latest record wins.
//
// At the start the first copy counts. Where there is none, the second does. The
// second counts also where it is of this boot and newer, because the first could
// not be written.
//
// The record of the adapter eth0 is the file "eth0.json" of both folders. A byte
// of the adapter's name that is not a letter, a digit, "-", "_" or a "." after
// the first byte is written as "%" and two hexadecimal digits, so no name leads
// out of the folder and no two names share a file. A folder belongs to one
// daemon, which holds a lock on the file "lock" in it.
//
// A record that is removed stays as a first copy that says so, until the second
// copy is gone.
//
// # What cannot be understood
//
// An empty file, one that was cut short or filled with zeros, one with a wrong
// checksum and one of another version count as no record. [Store.Load] renames it
// to "eth0.json.corrupt-1" (up to 5 of them are kept per adapter) and reports it.
//
// # Fields
//
// A file is one line of JSON: version, crc32c, the CRC-32C checksum of the bytes
// of the record, in hexadecimal, and record:
//
//	saved          when it was written, by the wall clock
//	boot_id        the boot it was written in (/proc/sys/kernel/random/boot_id)
//	saved_uptime   the time since that boot, suspended time included
//	removed        there is no record any more
//	hardware_addr  the link address that the lease was obtained with
//	lease          the lease, or the one that was given back; absent if there is none
//	release        "releasing" from before the RELEASE leaves until it is known to
//	               have left, then "released" until a renew or a reboot; absent
//	               if the lease was not given back
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
//	more           what few leases have: the options of internal/option that are only
//	               handed on, such as ntp (option 42) and zone (101), each by its name
//	               for the record; sip_domains or sip_servers for option 120,
//	               no_captive_portal for one of the things that option 114 may say; and
//	               in other the options that have no field, by their codes, in hexadecimal
//
// Durations have the form "1h30m0s".
//
// # Time
//
// Within one boot, a lease's age is taken from the time since boot: a wall
// clock that is set meanwhile changes nothing. After a reboot it is taken from
// the wall clock; one that went back makes a lease no younger than it was when
// it was saved.
package leases
