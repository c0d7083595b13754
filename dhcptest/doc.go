// Package dhcptest is a test kit for DHCPv4 software: a virtual clock, virtual
// Ethernet links with faults, hosts that own addresses and servers that are
// correct, or not. Nothing in it waits, opens a socket or starts a goroutine,
// and all chance comes from one seed: a run of a day takes microseconds, and one
// that failed can be run again.
//
//	w := dhcptest.New(seed)
//	lan := w.NewLink("lan")
//	lan.SetFaults(dhcptest.Faults{Loss: 0.3})
//	server := dhcptest.NewServer(lan.NewHost(serverAddr), cfg, dhcptest.Slow(0, time.Second))
//	client := lan.NewHost(clientAddr) // send and hear with it
//	err := w.Until(time.Minute, func() bool { ... })
//
// # Parts
//
//   - A [World] is a [Clock] and the seed. Events run one by one in
//     [Clock.Run], [Clock.Until] or [Clock.Step], which find a livelock.
//   - A [Link] carries frames between [Port]s, with [Faults]: loss, duplication,
//     reordering, delay, mirrored and corrupted frames; and partitions.
//   - A [Host] is a machine on a link: it answers ARP for its addresses,
//     announces them, and sends and hears UDP. The client under test speaks
//     through one: [Host.Listen] and [Host.SendTo] are like a packet socket,
//     [Host.Send] like the kernel.
//   - A [Server] is the server side of RFC 2131 on a host. A [Behaviour] makes
//     it slow, silent, refusing, rogue, odd or forgetful; write your own by
//     changing the [Reply].
//   - [Each] runs a test for many seeds. What fails logs a line that runs just
//     that seed again, with every frame in the log.
package dhcptest
