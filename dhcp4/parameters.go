package dhcp4

import (
	"net/netip"

	"github.com/lessee/lessee/names"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// setParameters sets what is not needed to hold the lease. A value that makes
// no sense is as good as absent.
//
// Deviation: "Filtered values" and "Routers beside routes" in
// docs/deviations.md.
func setParameters(l *Lease, m message) {
	if a, ok := m.Addr(wire.OptionBroadcast); ok && (a == broadcast || l.Address.Contains(a)) {
		l.Broadcast = a
	}
	if list, ok := m.Addrs(wire.OptionRouter); ok {
		l.Routers = hosts(list)
	}
	if list, ok := m.Addrs(wire.OptionDNS); ok {
		l.DNS = hosts(list)
	}
	if v, ok := m.Option(wire.OptionClasslessRoutes); ok {
		l.Routes = routes(v)
	} else if v, ok := m.Option(wire.OptionMSClasslessRoutes); ok {
		l.Routes = routes(v)
	}
	if s, ok := m.Text(wire.OptionHostName); ok {
		l.HostName, _ = names.ParseHost(s)
	}
	if s, ok := m.Text(wire.OptionDomainName); ok {
		l.Domain, _ = names.ParseDomain(s)
	}
	if v, ok := m.Option(wire.OptionDomainSearch); ok {
		l.Search, _ = wire.ParseDomainSearch(v) // a bad list is as good as none
	}
	if v, ok := m.Uint16(wire.OptionMTU); ok && v >= minMTU {
		l.MTU = int(v)
	}
	l.More = extras(m)
}

// routes decodes option 121 or 249; where it is malformed there are none.
func routes(value []byte) []Route {
	list, err := wire.ParseClasslessRoutes(value)
	if err != nil {
		return nil
	}
	var all []Route
	for _, r := range list {
		if (r.Router == unspecified || isHost(r.Router)) && !r.Destination.Addr().IsLoopback() {
			all = append(all, Route{r.Destination, r.Router})
		}
	}
	return all
}

// hosts keeps the addresses of hosts, each once, in their order, where the list is; nil
// if there are none.
func hosts(list []netip.Addr) []netip.Addr {
	kept := list[:0]
next:
	for _, a := range list {
		if !isHost(a) {
			continue
		}
		for _, k := range kept {
			if k == a {
				continue next
			}
		}
		kept = append(kept, a)
	}
	if len(kept) == 0 {
		return nil
	}
	return kept
}
