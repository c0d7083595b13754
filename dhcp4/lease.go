package dhcp4

import (
	"net/netip"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/names"
)

// A Lease is what a server granted. It is immutable once handed out.
type Lease struct {
	// Address is the leased address with the length of its subnet mask.
	Address netip.Prefix
	// Broadcast is option 28, not valid where absent.
	Broadcast netip.Addr
	// Server is the server identifier (option 54).
	Server netip.Addr
	// ServerLink is the link address that the ACK came from: the server's, or
	// its relay's. Nil if unknown.
	ServerLink []byte
	// Relay is giaddr of the ACK, not valid if zero.
	Relay netip.Addr
	// ClientID is option 61 as sent: what the server knows the lease by.
	ClientID []byte

	// Start is when the REQUEST was sent that the server granted: the lease's
	// times count from there (RFC 2131 section 4.4.5).
	Start boottime.Instant
	// Duration is the lease time, T1 and T2 the renewal and rebinding times,
	// T1 < T2 < Duration. With Infinite set all three mean nothing.
	Duration, T1, T2 time.Duration
	Infinite         bool

	Routers []netip.Addr // option 3, in the server's order of preference
	// Routes is option 121, or 249 where that is absent; where not empty, Routers
	// is to be ignored.
	Routes []Route
	DNS    []netip.Addr // option 6
	// HostName is option 12: the name that the server has for us.
	HostName names.Host
	Domain   names.Domain   // option 15
	Search   []names.Domain // option 119
	MTU      int            // option 26, 68 to 65535; 0 where absent or not valid

	// Nonce is what the server proves itself by in a FORCERENEW; nil unless
	// Config.ForceRenew is set and the server gave one.
	Nonce *Nonce
	// More is what few leases have; nil where this one has none of it.
	More *Extras
}

// A Route is a classless static route (RFC 3442).
type Route struct {
	Destination netip.Prefix
	// Router is 0.0.0.0 for a destination that is on the link itself.
	Router netip.Addr
}

// Expires returns when the lease ends; false if it never does.
func (l *Lease) Expires() (boottime.Instant, bool) { return l.Start.Add(l.Duration), !l.Infinite }

// RenewsAt returns T1 as an instant; false if the lease never ends.
func (l *Lease) RenewsAt() (boottime.Instant, bool) { return l.Start.Add(l.T1), !l.Infinite }

// RebindsAt returns T2 as an instant; false if the lease never ends.
func (l *Lease) RebindsAt() (boottime.Instant, bool) { return l.Start.Add(l.T2), !l.Infinite }

// sane reports whether a lease that was handed in can be held.
func (l *Lease) sane() bool {
	return isHost(l.Address.Addr()) && l.Address.Bits() > 0 && isHost(l.Server) &&
		len(l.ClientID) <= maxOption &&
		(l.Infinite || 0 < l.T1 && l.T1 < l.T2 && l.T2 < l.Duration)
}
