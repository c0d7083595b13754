package leases

import (
	"bytes"
	"encoding/hex"
	"net"
	"net/netip"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"github.com/lessee/lessee/names"
)

// A record is what a file says; doc.go describes the fields.
type record struct {
	Saved        time.Time      `json:"saved"`
	BootID       string         `json:"boot_id"`
	SavedUptime  duration       `json:"saved_uptime"`
	HardwareAddr linkAddr       `json:"hardware_addr,omitempty"`
	Lease        *lease         `json:"lease,omitempty"`
	Release      release        `json:"release,omitempty"`
	Ours         []netip.Prefix `json:"ours,omitempty"`
	BaseMTU      int            `json:"base_mtu,omitempty"`
	Up           bool           `json:"up,omitempty"`
	Networks     []network      `json:"networks,omitempty"`
	LinkLocal    netip.Addr     `json:"link_local,omitzero"`
	Removed      bool           `json:"removed,omitempty"`
}

// release is a v4.ReleaseState as the file has it.
type release string

const (
	releasing release = "releasing"
	released  release = "released"
)

func encodeRelease(r v4.ReleaseState) release {
	switch r {
	case v4.NotReleased:
	case v4.Releasing:
		return releasing
	case v4.Released:
		return released
	}
	return ""
}

// decode returns what encodeRelease was given. The value has been checked.
func (r release) decode() v4.ReleaseState {
	switch r {
	case releasing:
		return v4.Releasing
	case released:
		return v4.Released
	}
	return v4.NotReleased
}

type network struct {
	Router     netip.Addr `json:"router"`
	RouterLink linkAddr   `json:"router_link"`
	// Lease is absent where it is the record's own.
	Lease *lease `json:"lease,omitempty"`
}

type lease struct {
	Address     netip.Prefix   `json:"address"`
	Broadcast   netip.Addr     `json:"broadcast,omitzero"`
	Server      netip.Addr     `json:"server,omitzero"`
	ServerLink  linkAddr       `json:"server_link,omitempty"`
	Relay       netip.Addr     `json:"relay,omitzero"`
	ClientID    octets         `json:"client_id,omitempty"`
	StartUptime duration       `json:"start_uptime"`
	Duration    duration       `json:"duration,omitempty"`
	T1          duration       `json:"t1,omitempty"`
	T2          duration       `json:"t2,omitempty"`
	Infinite    bool           `json:"infinite,omitempty"`
	Routers     []netip.Addr   `json:"routers,omitempty"`
	Routes      []route        `json:"routes,omitempty"`
	DNS         []netip.Addr   `json:"dns,omitempty"`
	HostName    names.Host     `json:"host_name,omitzero"`
	Domain      names.Domain   `json:"domain,omitzero"`
	Search      []names.Domain `json:"search,omitempty"`
	MTU         int            `json:"mtu,omitempty"`
	Nonce       *nonce         `json:"nonce,omitempty"`
	More        *extras        `json:"more,omitempty"`
}

type route struct {
	Destination netip.Prefix `json:"destination"`
	Router      netip.Addr   `json:"router,omitzero"`
}

// duration is a time.Duration in the form "1h30m0s".
type duration time.Duration

func (d duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

func (d *duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	*d = duration(v)
	return err
}

// octets are bytes in hexadecimal.
type octets []byte

func (o octets) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(o)), nil }

func (o *octets) UnmarshalText(b []byte) error {
	v, err := hex.DecodeString(string(b))
	*o = v
	return err
}

// linkAddr is a link address in the usual notation, of whatever length.
type linkAddr []byte

func (a linkAddr) MarshalText() ([]byte, error) { return []byte(net.HardwareAddr(a).String()), nil }

func (a *linkAddr) UnmarshalText(b []byte) error {
	var v octets
	err := v.UnmarshalText(bytes.ReplaceAll(b, []byte(":"), nil))
	*a = linkAddr(v)
	return err
}

// A moment is the time by both clocks, and the boot that one of them belongs to.
type moment struct {
	boot   boottime.Instant
	bootID string
	wall   time.Time
}

// encode returns the text of the adapter's file.
func encode(r v4.Record, now moment) ([]byte, error) {
	f := newRecord(now)
	f.HardwareAddr, f.Release, f.Ours, f.BaseMTU = r.HardwareAddr, encodeRelease(r.Release), r.Ours, r.BaseMTU
	f.Up, f.LinkLocal = r.Up, r.LinkLocal
	f.Lease = encodeLease(r.Lease)
	for _, n := range r.Networks {
		e := network{Router: n.Router, RouterLink: n.RouterLink}
		if n.Lease != r.Lease {
			e.Lease = encodeLease(n.Lease)
		}
		f.Networks = append(f.Networks, e)
	}
	return seal(f)
}

// encodeRemoval returns the text that says that there is no record any more.
func encodeRemoval(now moment) ([]byte, error) {
	f := newRecord(now)
	f.Removed = true
	return seal(f)
}

func newRecord(now moment) record {
	return record{Saved: now.wall.UTC().Round(0), BootID: now.bootID, SavedUptime: duration(now.boot)}
}

func encodeLease(l *dhcp4.Lease) *lease {
	if l == nil {
		return nil
	}
	f := &lease{
		Address: l.Address, Broadcast: l.Broadcast, Server: l.Server, ServerLink: l.ServerLink, Relay: l.Relay,
		ClientID: l.ClientID, StartUptime: duration(l.Start),
		Duration: duration(l.Duration), T1: duration(l.T1), T2: duration(l.T2), Infinite: l.Infinite,
		Routers: l.Routers, DNS: l.DNS, HostName: l.HostName, Domain: l.Domain, Search: l.Search, MTU: l.MTU,
		Nonce: encodeNonce(l.Nonce), More: encodeExtras(l.More),
	}
	for _, r := range l.Routes {
		f.Routes = append(f.Routes, route(r))
	}
	return f
}

// decode is the reverse of encode, with the lease's start moved to this boot.
func (f *record) decode(now moment) v4.Record {
	r := v4.Record{HardwareAddr: f.HardwareAddr, LinkLocal: f.LinkLocal}
	if f.sameBoot(now) {
		// What was done by calls and to the kernel ends with the boot.
		r.Release, r.Up, r.Ours, r.BaseMTU = f.Release.decode(), f.Up, f.Ours, f.BaseMTU
	}
	// A lease that was given back is of no use once the release is over.
	if f.Lease != nil && (f.Release == "" || r.Release != v4.NotReleased) {
		r.Lease = f.decodeLease(f.Lease, now)
	}
	for _, n := range f.Networks {
		e := v4.Network{Router: n.Router, RouterLink: n.RouterLink, Lease: r.Lease}
		if n.Lease != nil {
			e.Lease = f.decodeLease(n.Lease, now)
		}
		if e.Lease != nil {
			r.Networks = append(r.Networks, e)
		}
	}
	return r
}

func (f *record) decodeLease(l *lease, now moment) *dhcp4.Lease {
	to := &dhcp4.Lease{
		Address: l.Address, Broadcast: l.Broadcast, Server: l.Server, ServerLink: l.ServerLink, Relay: l.Relay,
		ClientID: l.ClientID, Start: f.start(l, now),
		Duration: time.Duration(l.Duration), T1: time.Duration(l.T1), T2: time.Duration(l.T2), Infinite: l.Infinite,
		Routers: l.Routers, DNS: l.DNS, HostName: l.HostName, Domain: l.Domain, Search: l.Search, MTU: l.MTU,
		Nonce: l.Nonce.decode(), More: l.More.decode(),
	}
	for _, r := range l.Routes {
		to.Routes = append(to.Routes, dhcp4.Route(r))
	}
	return to
}

func (f *record) sameBoot(now moment) bool { return f.BootID != "" && f.BootID == now.bootID }

// start returns when the lease began, in this boot's time; before the boot it is negative.
func (f *record) start(l *lease, now moment) boottime.Instant {
	start, saved := boottime.Instant(l.StartUptime), boottime.Instant(f.SavedUptime)
	if f.sameBoot(now) {
		// A start in the future would lengthen the lease.
		return min(start, now.boot)
	}
	age := max(saved.Sub(start), 0)
	if since := now.wall.Sub(f.Saved); since > 0 {
		if age += since; age < 0 {
			age = 1<<63 - 1
		}
	}
	return now.boot.Add(-age)
}
