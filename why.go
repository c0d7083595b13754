package lessee

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"github.com/lessee/lessee/reason"
)

// A Story explains the present state of an adapter: what was tried, who
// answered, and what comes next. It is data; docs/api.md says what each code
// means. Codes are never renamed, and new ones may be added.
type Story struct {
	// Adapter is its name, Index the kernel's interface index, 0 if there is
	// no such adapter.
	Adapter string `json:"adapter"`
	Index   int    `json:"index,omitempty"`
	// Time is when the story was told: "12 s ago" counts from here.
	Time time.Time `json:"time"`
	// Manager is who manages the adapter, as in [Adapter].
	Manager string `json:"manager"`
	// State is the DHCP client's, as in [IPv4].
	State string `json:"state"`
	// Verdict is the explanation in one fact.
	Verdict Fact `json:"verdict"`
	// Facts are what happened lately, in order: at most 64.
	Facts []Fact `json:"facts,omitempty"`
	// Next is what comes next, in order. Its times are in the future; what has
	// none waits for something to happen.
	Next []Fact `json:"next,omitempty"`
	// Advice is what a person can do about it.
	Advice []Fact `json:"advice,omitempty"`
}

// A Fact is a code and its arguments. What has no meaning for a code is absent.
type Fact struct {
	Code string `json:"code"`
	// Time is when it happened or will; of what happened several times, as
	// Count says, the last time, and Since the first.
	Time  time.Time `json:"time,omitzero"`
	Since time.Time `json:"since,omitzero"`
	Count uint64    `json:"count,omitempty"`
	// Message is the type of a DHCP message, such as "DISCOVER", and XID its
	// transaction in hexadecimal.
	Message string `json:"message,omitempty"`
	XID     string `json:"xid,omitempty"`
	// Server is the server that the fact is about, Address the leased or
	// offered address.
	Server  netip.Addr `json:"server,omitzero"`
	Address netip.Addr `json:"address,omitzero"`
	// MAC is the hardware address of the other side: a server that answered, a
	// host that uses Address.
	MAC string `json:"mac,omitempty"`
	// Reason says why packets were not used: a counter "rejected." and this
	// name counts them.
	Reason string `json:"reason,omitempty"`
	// Detail is in plain English: what a server said, what hinders, or a name.
	// Cause is what hinders, for programs.
	Detail string        `json:"detail,omitempty"`
	Cause  *reason.Cause `json:"cause,omitempty"`
}

// Why explains the present state of an adapter, by its name or an alternative
// name. It tells of any name: that there is no such adapter is a story, too.
func (c *Client) Why(ctx context.Context, name string) (Story, error) {
	var s Story
	err := c.call(ctx, request{op: "why", adapter: name, method: http.MethodGet, sub: "why"}, &s)
	return s, err
}
