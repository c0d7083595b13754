//go:build linux

package sandbox_test

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv4/nclient4"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/internal/sandbox"
	"github.com/lessee/lessee/internal/sandbox/sandboxtest"
)

// A client of another make obtains, renews and releases, with and without the
// broadcast flag; server and capture agree with it.
func TestClientOnTheCable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, ifname string
		broadcast    bool
	}{{"unicast replies", "u0", false}, {"broadcast replies", "b0", true}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n, server := sandboxtest.Network(t, sandbox.NetworkConfig{Client: c.ifname})
			capture, err := n.Capture()
			if err != nil {
				t.Fatal(err)
			}
			client, err := nclient4.New(c.ifname)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = client.Close() }()
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			lease, err := client.Request(ctx, dhcpv4.WithBroadcast(c.broadcast))
			if err != nil {
				t.Fatal(err)
			}
			a, _ := netip.AddrFromSlice(lease.ACK.YourIPAddr)
			if l, ok := server.Lease(a); !ok || l.State != sandbox.Bound {
				t.Errorf("server's table: %+v, want %s bound", server.Leases(), a)
			}
			got := capture.Take(ctx, func(all []sandbox.Packet) bool { return len(dhcp(all)) >= 4 })
			got = dhcp(got)
			if err := capture.Close(); err != nil {
				t.Error(err)
			}
			want := []dhcpv4.MessageType{
				dhcpv4.MessageTypeDiscover, dhcpv4.MessageTypeOffer,
				dhcpv4.MessageTypeRequest, dhcpv4.MessageTypeAck,
			}
			if len(got) != len(want) {
				t.Fatalf("captured %d packets, want %d", len(got), len(want))
			}
			for i, p := range got {
				if p.DHCP.MessageType() != want[i] || p.Inbound != (i%2 == 0) {
					t.Errorf("packet %d: %s, inbound %t", i, p.DHCP.MessageType(), p.Inbound)
				}
				if i%2 == 1 && p.Broadcast != c.broadcast {
					t.Errorf("packet %d: broadcast %t, want %t", i, p.Broadcast, c.broadcast)
				}
				if i > 0 && p.Time.Before(got[i-1].Time) {
					t.Errorf("packet %d is older than the one before", i)
				}
			}
		})
	}
}

func dhcp(all []sandbox.Packet) []sandbox.Packet {
	return slices.DeleteFunc(slices.Clone(all), func(p sandbox.Packet) bool { return p.DHCP == nil })
}

func TestMute(t *testing.T) {
	t.Parallel()
	_, server := sandboxtest.Network(t, sandbox.NetworkConfig{Client: "m0"})
	server.Mute(true)
	client, err := nclient4.New("m0", nclient4.WithTimeout(50*time.Millisecond), nclient4.WithRetry(1))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	if lease, err := client.Request(t.Context()); err == nil {
		t.Errorf("a silent server gave a lease: %v", lease)
	}
	if len(server.Received()) == 0 {
		t.Error("the silent server has not even heard the client")
	}
}

func TestCarrier(t *testing.T) {
	t.Parallel()
	n, _ := sandboxtest.Network(t, sandbox.NetworkConfig{Client: "k0"})
	for _, on := range []bool{false, true} {
		changes, done := make(chan netlink.LinkUpdate, 64), make(chan struct{})
		if err := netlink.LinkSubscribe(changes, done); err != nil {
			t.Fatal(err)
		}
		if err := n.SetCarrier(on); err != nil {
			t.Fatal(err)
		}
		late := time.After(2 * time.Second)
		for seen := false; !seen; {
			select {
			case c := <-changes:
				a := c.Attrs()
				seen = a.Name == "k0" && (a.RawFlags&unix.IFF_RUNNING != 0) == on
			case <-late:
				t.Fatalf("carrier is not %t", on)
			}
		}
		close(done)
	}
}

// Nothing that a DHCP client would write to is the host's.
func TestFilesAreOurs(t *testing.T) {
	t.Parallel()
	sandboxtest.Require(t)
	var tmpfs unix.Statfs_t
	for _, path := range []string{"/run", "/etc/resolv.conf"} {
		if err := unix.Statfs(path, &tmpfs); err != nil {
			t.Fatal(err)
		}
		if tmpfs.Type != unix.TMPFS_MAGIC {
			t.Errorf("%s: not on the sandbox's own file system", path)
		}
	}
	if entries, err := os.ReadDir("/run"); err != nil || len(entries) > 2 {
		t.Errorf("/run: %v, %v; want nothing of the host's", entries, err)
	}
	for _, name := range []string{"DBUS_SYSTEM_BUS_ADDRESS", "NOTIFY_SOCKET"} {
		if v, ok := os.LookupEnv(name); ok {
			t.Errorf("%s=%s leads out of the sandbox", name, v)
		}
	}
}

func TestDeniedErrorUnwraps(t *testing.T) {
	t.Parallel()
	err := error(&sandbox.DeniedError{Op: "create namespaces", Hint: "use sudo", Err: unix.EPERM})
	if !errors.Is(err, unix.EPERM) || err.Error() != "cannot create a sandbox: use sudo (create namespaces: operation not permitted)" {
		t.Errorf("got %v", err)
	}
}
