// Package control is the server side of the control API: HTTP and JSON over a
// Unix socket, described by openapi.yaml.
//
// Anyone who reaches the socket may read. Root, the user the daemon runs as and
// members of the group netdev may change something; the kernel tells who calls
// (SO_PEERCRED and SO_PEERGROUPS, unix(7)). Whatever a caller does, sends or
// fails to read costs it its own connection and never holds up the [Engine].
package control
