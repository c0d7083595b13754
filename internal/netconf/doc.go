// Package netconf describes the network configuration of one adapter, of both
// families: the link, its addresses and routes, and what of them a lease wants.
package netconf
