// Package sandbox runs this program in namespaces of its own, with a network
// that has an independent DHCP server at its other end. Nothing outside is
// touched, nothing outlives the process, and no privilege is needed where the
// kernel lets an ordinary user create namespaces.
//
// A sandboxed process is the same executable, started again by [Command] or
// [Run] in new network and mount namespaces (and, if it is not root's, a new
// user namespace). It calls [Enter] first, then [NewNetwork], which lays a
// cable between the process's network namespace, where the DHCP client lives,
// and a second one, where [Network.Serve] starts the server:
//
//	process's namespace            server's namespace
//	eth0 02:00:00:00:00:02  ——veth——  s0 10.77.0.1/24, UDP port 67
//
// The server is built on github.com/insomniacslk/dhcp and shares no code with
// this project's client: a mistake in one of them does not hide in the other.
package sandbox
