// Package lab builds small networks of real kernels, DHCP servers and clients
// for tests: each machine is a network namespace held by one thread of the
// test process, so that nothing is left behind, however the process ends.
//
//	l := lab.New(t)
//	home := l.Network("home")
//	server := home.Host("server", "10.77.0.1/24")
//	client := l.Space("client")
//	port := home.Attach(client, "c0", "02:00:00:00:00:02")
//	dhcp := lab.Servers["dnsmasq"].Start(t, server, lab.Config{Lease: 2 * time.Minute})
//
// Children see a private /run, /var/lib and /etc with a scratch resolv.conf,
// never the machine's own. A [Disk] is a file system that only one machine sees;
// it can be full, read-only, frozen, slow or broken. A [Tracer] kills a process
// at one of its system calls. Tests wait for packets, log lines and kernel
// notifications, not for time to pass.
package lab
