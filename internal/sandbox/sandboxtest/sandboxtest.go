//go:build linux

// Package sandboxtest runs tests in a sandbox. A test package asks for it in
// its TestMain:
//
//	func TestMain(m *testing.M) { sandboxtest.Main(m) }
//
// and then each test lays the cables that it needs:
//
//	func TestLease(t *testing.T) {
//		net, server := sandboxtest.Network(t, sandbox.NetworkConfig{Client: "c0"})
//		…
//	}
//
// Root and ordinary users get the same. Tests in parallel are fine: they are
// in one network namespace, so their adapters need different names and, if
// routes matter, different subnets.
package sandboxtest

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/lessee/lessee/internal/sandbox"
)

// reason is why there is no sandbox, "" inside of one; dir is for its files.
var reason, dir string

// Main runs the tests of a package in a sandbox, by starting the test binary
// again, and exits. Where sandboxes are forbidden the tests run outside, and
// those that need one are skipped with the reason.
func Main(m *testing.M) {
	if !sandbox.Inside() {
		code, err := sandbox.Run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
		if err == nil {
			os.Exit(code)
		}
		reason = err.Error()
		os.Exit(m.Run())
	}
	d, err := sandbox.Enter()
	if err != nil {
		reason = err.Error()
	}
	dir = d
	os.Exit(m.Run())
}

// Require skips the test if it is not in a sandbox.
func Require(tb testing.TB) {
	tb.Helper()
	switch {
	case reason != "":
		tb.Skip(reason)
	case !sandbox.Inside():
		tb.Fatal("TestMain does not call sandboxtest.Main")
	}
}

// Dir returns a new directory on the sandbox's own file system. Its path is
// short enough for a Unix socket in it.
func Dir(tb testing.TB) string {
	tb.Helper()
	Require(tb)
	d, err := os.MkdirTemp(dir, "t")
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// Network lays a cable with a DHCP server at its far end, until the test ends.
// Only the first of servers is used; without one the server has its defaults.
func Network(tb testing.TB, conf sandbox.NetworkConfig, servers ...sandbox.ServerConfig) (*sandbox.Network, *sandbox.Server) {
	tb.Helper()
	Require(tb)
	n, err := sandbox.NewNetwork(conf)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := n.Close(); err != nil {
			tb.Error(err)
		}
	})
	var sc sandbox.ServerConfig
	if len(servers) > 0 {
		sc = servers[0]
	}
	s, err := n.Serve(sc)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(fmt.Errorf("close the server: %w", err))
		}
	})
	return n, s
}
