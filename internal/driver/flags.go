package driver

import (
	"bytes"
	"net/netip"
	"slices"

	"github.com/lessee/lessee/dhcp4"
)

// What is suspicious about the offers of a link. The names are part of the API;
// docs/api.md says what each means.
const (
	flagServers      = "several-servers"   // more than one server makes offers
	flagSubnets      = "different-subnets" // the addresses offered are of different subnets
	flagDuplicate    = "duplicate-server"  // one server identifier comes from several hardware addresses
	flagRelay        = "relay"             // the offer came through a relay agent
	flagPrivateRelay = "private-relay"     // the relay's address is private, the one offered is public
	flagForeignRelay = "foreign-relay"     // the relay is not in the subnet of the address offered
	flagMismatch     = "server-mismatch"   // the server identifier is not where the packet came from
	flagForeign      = "foreign-server"    // the server is not in the subnet of the address offered
	flagRouter       = "foreign-router"    // no router is in that subnet
	flagOther        = "other-server"      // another server gave the adapter's present lease
	flagUnusable     = "unusable"          // the client would not take it: Refused says why
)

// flagsOf finds what is suspicious about an offer. lease is the adapter's
// present one, nil if it has none.
func flagsOf(o *dhcp4.Offer, lease *dhcp4.Lease) []string {
	var flags []string
	flag := func(name string, is bool) {
		if is {
			flags = append(flags, name)
		}
	}
	l := &o.Lease
	subnet := l.Address.Masked()
	known := l.Address.IsValid() && l.Address.Bits() < 32
	relayed := l.Relay.IsValid()
	flag(flagRelay, relayed)
	flag(flagPrivateRelay, relayed && known && l.Relay.IsPrivate() && public(l.Address.Addr()))
	flag(flagForeignRelay, relayed && known && !subnet.Contains(l.Relay))
	flag(flagMismatch, !relayed && l.Server.IsValid() && o.From.IsValid() && l.Server != o.From)
	flag(flagForeign, !relayed && known && l.Server.IsValid() && !subnet.Contains(l.Server))
	flag(flagRouter, known && len(l.Routers) > 0 && !slices.ContainsFunc(l.Routers, subnet.Contains))
	flag(flagOther, lease != nil && l.Server.IsValid() && lease.Server.IsValid() && l.Server != lease.Server)
	flag(flagUnusable, o.Refusal != 0)
	return flags
}

// public reports whether an address is one of the Internet's.
func public(a netip.Addr) bool {
	shared := netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64, 0, 0}), 10) // RFC 6598
	return a.IsGlobalUnicast() && !a.IsPrivate() && !shared.Contains(a)
}

// flagsOfAll finds what is suspicious about all offers together.
func flagsOfAll(offers []*dhcp4.Offer) []string {
	var servers []netip.Addr
	var subnets []netip.Prefix
	duplicate := false
	for i, o := range offers {
		if s := o.Lease.Server; s.IsValid() && !slices.Contains(servers, s) {
			servers = append(servers, s)
		}
		if a := o.Lease.Address; a.IsValid() && a.Bits() < 32 && !slices.Contains(subnets, a.Masked()) {
			subnets = append(subnets, a.Masked())
		}
		for _, other := range offers[:i] {
			duplicate = duplicate || other.Lease.Server.IsValid() && other.Lease.Server == o.Lease.Server &&
				!o.Lease.Relay.IsValid() && !bytes.Equal(other.Lease.ServerLink, o.Lease.ServerLink)
		}
	}
	var flags []string
	if len(servers) > 1 {
		flags = append(flags, flagServers)
	}
	if len(subnets) > 1 {
		flags = append(flags, flagSubnets)
	}
	if duplicate {
		flags = append(flags, flagDuplicate)
	}
	return flags
}
