package ipconfig

import (
	"errors"
	"math"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/lessee/lessee/iphlpapi"
)

// here is this machine, through package iphlpapi.
type here struct{}

var _ System = here{}

// An extra is what the contract does not tell of an adapter, or not quickly.
type extra struct {
	suffix string
	dns    []netip.Addr
}

// foreverSeconds is when a lease without end expires (see iphlpapi.IpAdapterInfo).
const foreverSeconds = math.MaxInt32

// Host tells of this machine.
func (here) Host() Host {
	h := hostDetails()
	name, err := os.Hostname()
	if err != nil {
		return h
	}
	var domain string
	h.Name, domain, _ = strings.Cut(name, ".")
	if h.Suffix == "" {
		h.Suffix = domain
	}
	return h
}

// Adapters lists the adapters.
func (here) Adapters() ([]Adapter, error) {
	first, err := iphlpapi.AdaptersInfo()
	if errors.Is(err, iphlpapi.ERROR_NO_DATA) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	links, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	more := extras(first)
	var all []Adapter
	for info := range first.All() {
		a := describe(info)
		// An adapter that has gone since has nothing more to tell.
		if i := slices.IndexFunc(links, func(l net.Interface) bool { return l.Index == a.Index }); i >= 0 {
			a.Name = links[i].Name // on Windows the one that people know
			a.Connected = links[i].Flags&net.FlagRunning != 0
			a.IPv6 = ipv6(&links[i])
		}
		a.Suffix, a.DNS = more[a.Index].suffix, more[a.Index].dns
		if isWireless(a.Name) {
			a.Medium = Wireless
		}
		all = append(all, a)
	}
	return all, nil
}

// describe takes what the contract tells of an adapter.
func describe(info *iphlpapi.IpAdapterInfo) Adapter {
	a := Adapter{
		Index:       int(info.Index),
		Name:        info.NameString(),
		Description: info.DescriptionString(),
		Medium:      medium(info.Type),
		Hardware:    info.HardwareAddr(),
		DHCP:        info.DhcpEnabled != 0,
		Gateways:    info.GatewayList.Addresses(),
		Server:      info.DhcpServer.Addr(),
	}
	for e := &info.IpAddressList; e != nil; e = e.Next {
		if p := e.Prefix(); p.IsValid() && !p.Addr().IsUnspecified() {
			a.IPv4 = append(a.IPv4, p)
		}
	}
	if info.HaveWins != 0 {
		a.WINS = append(info.PrimaryWinsServer.Addresses(), info.SecondaryWinsServer.Addresses()...)
	}
	if info.LeaseObtained > 0 {
		a.Obtained = time.Unix(int64(info.LeaseObtained), 0)
	}
	switch {
	case info.LeaseExpires >= foreverSeconds:
		a.Infinite = true
	case info.LeaseExpires > 0:
		a.Expires = time.Unix(int64(info.LeaseExpires), 0)
	}
	return a
}

func medium(typ uint32) Medium {
	switch typ {
	case iphlpapi.MIB_IF_TYPE_ETHERNET:
		return Ethernet
	case iphlpapi.IF_TYPE_IEEE80211:
		return Wireless
	case iphlpapi.MIB_IF_TYPE_PPP, iphlpapi.MIB_IF_TYPE_SLIP:
		return PPP
	case iphlpapi.IF_TYPE_TUNNEL:
		return Tunnel
	}
	return Other
}

func ipv6(link *net.Interface) (list []netip.Addr) {
	addrs, err := link.Addrs()
	if err != nil {
		return nil
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok && !ip.Unmap().Is4() {
				list = append(list, ip)
			}
		}
	}
	// As on Windows the link-local one comes last.
	slices.SortStableFunc(list, func(a, b netip.Addr) int {
		switch {
		case a.IsLinkLocalUnicast() == b.IsLinkLocalUnicast():
			return 0
		case a.IsLinkLocalUnicast():
			return 1
		}
		return -1
	})
	return list
}

// Resolve finds the adapter that has this alternative name.
func (here) Resolve(name string) (string, bool) {
	var m iphlpapi.IpAdapterIndexMap
	var index uint32
	if m.SetName(name) != nil || iphlpapi.GetAdapterIndex(&m.Name[0], &index) != nil {
		return "", false
	}
	link, err := net.InterfaceByIndex(int(index))
	if err != nil {
		return "", false
	}
	return link.Name, true
}

// Release gives the adapter's lease back.
func (here) Release(a Adapter) error { return call(a, iphlpapi.IpReleaseAddress) }

// Renew renews it.
func (here) Renew(a Adapter) error { return call(a, iphlpapi.IpRenewAddress) }

// call finds the adapter's entry: on Windows it has another name than people know.
func call(a Adapter, do func(*iphlpapi.IpAdapterIndexMap) error) error {
	list, err := iphlpapi.Interfaces()
	if err != nil {
		return err
	}
	for i := range list {
		if int(list[i].Index) == a.Index {
			return do(&list[i])
		}
	}
	return iphlpapi.ERROR_FILE_NOT_FOUND
}
