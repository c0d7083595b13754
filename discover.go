package lessee

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"github.com/lessee/lessee/names"
	"github.com/lessee/lessee/reason"
)

// How long a discovery may take.
const (
	// DefaultDiscovery is how long 'lessee discover' collects offers: servers
	// take up to a second to see whether an address is free.
	DefaultDiscovery = 5 * time.Second
	// MinDiscovery is the shortest time.
	MinDiscovery = time.Second
	// MaxDiscovery is the longest.
	MaxDiscovery = time.Hour
)

// A Duration is a time span whose JSON form is a text such as "1h30m0s".
type Duration = reason.Duration

// A Discovery is what the DHCP servers of an adapter's link offered.
type Discovery struct {
	Adapter string `json:"adapter"`
	Index   int    `json:"index"`
	// Time is when it began, During how long offers were collected, Sent how
	// many DISCOVERs were sent.
	Time   time.Time `json:"time"`
	During Duration  `json:"during"`
	Sent   uint64    `json:"sent"`
	// Offers are in the order of their arrival, one for each server and the
	// hardware address it came from; at most 64.
	Offers []Offer `json:"offers"`
	// Flags are what is suspicious about the offers as a whole; docs/api.md
	// says what each means.
	Flags []string `json:"flags,omitempty"`
	// Rejected counts packets that were no offers to this machine, by reason.
	Rejected map[string]uint64 `json:"rejected,omitempty"`
}

// An Offer is what one server offered. What is not known is absent.
type Offer struct {
	// After is how long after the last DISCOVER the offer came.
	After Duration `json:"after"`
	// Server is the server identifier, From the address that the packet came
	// from, MAC the hardware address, Relay the relay agent it came through.
	Server netip.Addr `json:"server,omitzero"`
	From   netip.Addr `json:"from,omitzero"`
	MAC    string     `json:"mac,omitempty"`
	Relay  netip.Addr `json:"relay,omitzero"`
	// Address is the address offered, with its prefix length.
	Address netip.Prefix `json:"address,omitzero"`
	// Lease, T1 and T2 are the times of the lease. One without end has none of
	// them and Infinite.
	Lease    Duration       `json:"lease,omitempty"`
	T1       Duration       `json:"t1,omitempty"`
	T2       Duration       `json:"t2,omitempty"`
	Infinite bool           `json:"infinite,omitempty"`
	Routers  []netip.Addr   `json:"routers,omitempty"`
	Routes   []Route        `json:"routes,omitempty"`
	DNS      []netip.Addr   `json:"dns,omitempty"`
	WINS     []netip.Addr   `json:"wins,omitempty"`
	Domain   names.Domain   `json:"domain,omitzero"`
	Search   []names.Domain `json:"search,omitempty"`
	HostName names.Host     `json:"host_name,omitzero"`
	MTU      int            `json:"mtu,omitempty"`
	// RapidCommit says that the server would skip the second round trip (RFC 4039).
	RapidCommit bool `json:"rapid_commit,omitempty"`
	// Refused says why the client would not take the offer: a counter
	// "rejected." and this name.
	Refused string `json:"refused,omitempty"`
	// Flags are what is suspicious about this offer.
	Flags []string `json:"flags,omitempty"`
}

// Discover asks all DHCP servers on the adapter's link for an offer, collects
// what they say for a time, and takes none. The adapter need not be managed;
// the lease of one that is stays as it is. A during of 0 is [DefaultDiscovery].
//
// It fails with ERROR_FILE_NOT_FOUND if there is no such adapter,
// ERROR_NOT_SUPPORTED if it is no Ethernet adapter, ERROR_NO_NETWORK if it is
// down or has no carrier, ERROR_BUSY while another discovery runs on it,
// ERROR_INVALID_PARAMETER if the time is not between [MinDiscovery] and
// [MaxDiscovery], and otherwise like [Client.Renew]. That nobody answers is no
// error.
func (c *Client) Discover(ctx context.Context, name string, during time.Duration) (Discovery, error) {
	if during == 0 {
		during = DefaultDiscovery
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, during+DefaultTimeout)
		defer cancel()
	}
	body := struct {
		Timeout string `json:"timeout"`
	}{during.String()}
	var d Discovery
	err := c.call(ctx, request{op: "discover", adapter: name, method: http.MethodPost, body: body}, &d)
	return d, err
}
