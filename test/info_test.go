package test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/iphlpapi"
	"github.com/lessee/lessee/test/lab"
)

func init() { helpers["adapters"] = tellAdapters }

// told is what GetAdaptersInfo and GetPerAdapterInfo tell of an adapter.
type told struct {
	Index             uint32
	Name, MAC         string
	DHCP              bool
	Addresses         []netip.Prefix
	Gateways, DNS     []netip.Addr
	Server            netip.Addr
	Obtained, Expires int64
}

// tellAdapters runs inside the client's namespace.
func tellAdapters() int {
	first, err := iphlpapi.AdaptersInfo()
	if err != nil {
		fmt.Println(err)
		return 1
	}
	list := make(map[string]told)
	for a := range first.All() {
		more, err := iphlpapi.PerAdapterInfo(a.Index)
		if err != nil {
			fmt.Println(err)
			return 1
		}
		t := told{
			Index: a.Index, Name: a.NameString(), MAC: a.HardwareAddr().String(), DHCP: a.DhcpEnabled != 0,
			Gateways: a.GatewayList.Addresses(), DNS: more.DnsServerList.Addresses(),
			Obtained: int64(a.LeaseObtained), Expires: int64(a.LeaseExpires),
		}
		if s := a.DhcpServer.Addresses(); len(s) > 0 {
			t.Server = s[0]
		}
		for s := &a.IpAddressList; s != nil; s = s.Next {
			if p := s.Prefix(); p.IsValid() && !p.Addr().IsUnspecified() {
				t.Addresses = append(t.Addresses, p)
			}
		}
		list[t.Name] = t
	}
	if err := json.NewEncoder(os.Stdout).Encode(list); err != nil {
		return 1
	}
	return 0
}

// adapters returns what the contract tells of the client's adapters, by name.
func (h *home) adapters(t *testing.T, socket string) map[string]told {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := h.client.Command(t, self)
	cmd.Env = append(cmd.Environ(), helperEnv+"=adapters", lessee.SocketEnv+"="+socket)
	r := h.client.Result(t, cmd)
	var list map[string]told
	if err := json.Unmarshal([]byte(r.Stdout), &list); err != nil || r.Status != 0 {
		t.Fatalf("status %d, %v\n%s%s", r.Status, err, r.Stdout, r.Stderr)
	}
	return list
}

// TestGetAdaptersInfo holds what is told of an adapter to the lease that a real
// server gave, before and after a release, and without the daemon.
func TestGetAdaptersInfo(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{Router: addr("10.77.0.1"), DNS: []netip.Addr{addr("10.77.0.1"), addr("10.77.0.2")}, Lease: time.Hour})
	d, a := h.bound(t)
	more, err := netlink.ParseAddr("192.0.2.7/28")
	if err != nil {
		t.Fatal(err)
	}
	link, err := h.client.Net.LinkByName("c0")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.client.Net.AddrAdd(link, more); err != nil {
		t.Fatal(err)
	}
	got := h.adapters(t, d.Socket)["c0"]
	want := fmt.Sprintln(a.Index, mac, true, []netip.Prefix{a.IPv4.Address, prefix("192.0.2.7/28")}, a.IPv4.Routers, a.IPv4.DNS, a.IPv4.Server)
	if s := fmt.Sprintln(got.Index, got.MAC, got.DHCP, got.Addresses, got.Gateways, got.DNS, got.Server); s != want {
		t.Errorf("bound: got %swant %s", s, want)
	}
	if got.Obtained != a.IPv4.Obtained.Unix() || got.Expires != a.IPv4.Expires.Unix() || got.Expires-got.Obtained != 3600 {
		t.Errorf("the lease is from %d to %d, want %v to %v", got.Obtained, got.Expires, a.IPv4.Obtained, a.IPv4.Expires)
	}

	d.Must(t, "release", "c0")
	got = h.adapters(t, d.Socket)["c0"]
	if s := fmt.Sprint(got.DHCP, got.Addresses, got.Gateways, got.Server.IsValid(), got.Obtained, got.Expires); s != "true [192.0.2.7/28] [] false 0 0" {
		t.Errorf("released: %s", s)
	}
	got = h.adapters(t, h.client.Path("none"))["c0"]
	if s := fmt.Sprint(got.DHCP, got.Addresses); s != "false [192.0.2.7/28]" {
		t.Errorf("without the daemon: %s", s)
	}
}

// TestGetAdaptersInfoOfOthers: the adapters of other DHCP clients are told of
// truthfully, with a daemon and without one.
func TestGetAdaptersInfoOfOthers(t *testing.T) {
	t.Parallel()
	for _, peer := range lab.Peers {
		t.Run(peer.Name, func(t *testing.T) {
			t.Parallel()
			lab.Need(t, peer.Programs...)
			h := newHome(t, dnsmasq(), lab.Config{Lease: time.Hour})
			h.net.Attach(h.client, "c1", "02:00:00:00:00:03")
			d := h.client.ReadyDaemon(t, lab.Options{Args: []string{"c1"}})
			d.AwaitBound(t, "c1")
			began := time.Now()
			p := peer.Start(t, h.client, "c0")
			p.AwaitLine(t, patience, peer.Bound)
			if !lab.Eventually(patience, func() bool { return len(h.client.Addresses("c0")) > 0 }) {
				t.Fatal("it has no address")
			}
			// The daemon looks for other clients once a second at most.
			if !lab.Eventually(patience, func() bool { return d.Show(t, "c0").Manager == peer.Name }) {
				t.Fatalf("to the daemon it is managed by %s", d.Show(t, "c0").Manager)
			}
			have := h.client.Addresses("c0")[0]
			for what, socket := range map[string]string{"with a daemon": d.Socket, "without": h.client.Path("none")} {
				list := h.adapters(t, socket)
				got := list["c0"]
				if !got.DHCP || len(got.Addresses) != 1 || got.Addresses[0] != have.Prefix || got.Server.IsValid() {
					t.Errorf("%s: %+v, want %s by DHCP", what, got, have.Prefix)
				}
				obtained, expires := time.Unix(got.Obtained, 0), time.Unix(got.Expires, 0)
				if !near(obtained, began) && obtained.Before(began) || !near(expires, obtained.Add(time.Hour)) {
					t.Errorf("%s: a lease from %v to %v", what, obtained, expires)
				}
				if want := socket == d.Socket; list["c1"].DHCP != want {
					t.Errorf("%s: c1 by DHCP: %t", what, list["c1"].DHCP)
				}
			}
		})
	}
}
