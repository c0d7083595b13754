package ipconfig

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/iphlpapi"
)

// SixVerb: nobody here manages IPv6 leases.
func (here) SixVerb() func(verb, pattern string) error { return nil }

// hostDetails reads what the kernel and the resolver's configuration say.
func hostDetails() Host {
	h := Host{System: "Linux"}
	if b, err := os.ReadFile("/proc/sys/net/ipv4/ip_forward"); err == nil {
		h.RoutingKnown, h.Routing = true, strings.TrimSpace(string(b)) != "0"
	}
	if b, err := os.ReadFile("/etc/resolv.conf"); err == nil {
		h.Search = searchList(b)
	}
	return h
}

// searchList reads the domains of a resolv.conf: the last search or domain line
// counts (resolv.conf(5)).
func searchList(b []byte) (list []string) {
	for lines := bufio.NewScanner(bytes.NewReader(b)); lines.Scan(); {
		if f := strings.Fields(lines.Text()); len(f) > 1 && (f[0] == "search" || f[0] == "domain") {
			list = f[1:]
		}
	}
	return list
}

// extraTime is how long the daemon may take to tell of the leases.
const extraTime = 2 * time.Second

// extras asks the daemon for what the leases have, by the adapters' indices. One
// question is quicker than one for each adapter, as the contract would have it.
func extras(first *iphlpapi.IpAdapterInfo) map[int]extra {
	ctx, cancel := context.WithTimeout(context.Background(), extraTime)
	defer cancel()
	list, err := lessee.New().Adapters(ctx)
	if err != nil {
		return nil // without a daemon nobody knows
	}
	// A daemon of another network namespace has adapters of the same indices.
	here := make(map[int]string)
	for info := range first.All() {
		here[int(info.Index)] = info.NameString() + " " + info.HardwareAddr().String()
	}
	m := make(map[int]extra)
	for _, a := range list {
		if a.IPv4 != nil && a.IPv4.Address.IsValid() && here[a.Index] == a.Name+" "+a.MAC {
			m[a.Index] = extra{a.IPv4.Domain.String(), a.IPv4.DNS}
		}
	}
	return m
}

// isWireless asks the kernel: to the contract all are Ethernet.
func isWireless(name string) bool {
	_, err := os.Stat(filepath.Join("/sys/class/net", name, "phy80211"))
	return err == nil
}
