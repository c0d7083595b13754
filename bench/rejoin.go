package main

import (
	"github.com/vishvananda/netlink"
)

// measureRejoin has the client come back to a network where it has a lease. It
// had one there, its adapter is without a carrier and without an address, and
// then the carrier comes: from there until the address is configured. Most
// clients take the address away with the carrier. lessee keeps it, so what is
// measured there is the harder case: the machine was elsewhere, or off.
func (b *bench) measureRejoin(t *trial, c *client) {
	s := newScene(t)
	c.prepare(t, s.client, []string{"c0"})
	p := c.start(t, s.client, []string{"c0"})
	s.addressAfter(0)
	p.bound()
	s.carrier(false)
	if p.crash != nil {
		p.crash()
		link, err := s.client.Net.LinkByName("c0")
		must(t, err)
		list, err := s.client.Net.AddrList(link, netlink.FAMILY_V4)
		must(t, err)
		for i := range list {
			must(t, s.client.Net.AddrDel(link, &list[i]))
		}
		p = c.start(t, s.client, []string{"c0"})
		p.idle()
	}
	s.client.AwaitNoAddress(t, "c0", patience)
	mark, links := s.addresses.Mark(), s.links.Mark()
	s.carrier(true)
	up := s.upAfter(links)
	b.rejoin.add(c.name, s.addressAfter(mark).Sub(up).Seconds())
}
