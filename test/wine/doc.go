// Package wine runs the Windows side of the project in Wine, on adapters that a
// network namespace provides: the tests of package iphlpapi, built for Windows,
// and the command line.
package wine
