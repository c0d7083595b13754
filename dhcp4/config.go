package dhcp4

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/lessee/lessee/names"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// A Config says who the client is. It is copied by [New].
type Config struct {
	// HardwareType is the ARP hardware type: 1 for Ethernet, 32 for InfiniBand.
	HardwareType uint8
	// HardwareAddr is the link address, 1 to 254 bytes. With another one the
	// client is another client to every server: make a new one.
	HardwareAddr []byte
	// ClientID is option 61, 2 to 255 bytes, first the type (RFC 2132 section
	// 9.14). Empty means hardware type and address: a machine that was cloned
	// with a new link address is a new client, and a lease follows the link.
	ClientID []byte
	// Anonymous keeps all from servers that could tell this host from others but
	// for the link address (RFC 7844). ClientID, HostName, Profile, Parameters,
	// RapidCommit, IPv6Only, AutoConfigure and ForceRenew then mean nothing, and
	// a lease that was got under another client identifier is not asked for.
	Anonymous bool
	// Profile is what else to tell servers; nil: nothing.
	Profile *Profile
	// HostName is option 12, a valid host name (RFC 1123 section 2.1); empty
	// means that none is told.
	HostName string
	// Broadcast asks servers to broadcast what they answer, for links that
	// cannot receive unicast without an address (RFC 2131 section 4.1). It is
	// always on where the hardware address does not fit chaddr (RFC 4390).
	Broadcast bool
	// RapidCommit asks servers for an ACK in answer to the DISCOVER, without an
	// OFFER (RFC 4039). Where the first DISCOVER is not answered every other one
	// is sent without, as some servers stay silent on it.
	RapidCommit bool
	// IPv6Only asks servers whether the network can do without IPv4 (RFC 8925).
	// Where it can, no lease is taken and the client falls silent for a while,
	// in [StateIPv6Only]. For hosts that work without IPv4 only.
	IPv6Only bool
	// AutoConfigure tells servers that there will be a link-local address where
	// no lease can be had, and asks whether there may (RFC 2563). Their answers
	// come as outputs of that name.
	AutoConfigure bool
	// ForceRenew tells servers that they may make the client renew its lease
	// before T1, and obeys those that prove themselves (RFC 3203, RFC 6704). See
	// [Client.Receptive].
	ForceRenew bool
	// Parameters are options to ask for besides those that [Lease] has.
	Parameters []wire.OptionCode
	// NoParameters are options not to ask for. Those that no lease can be
	// without (1, 51, 54) are refused.
	NoParameters []wire.OptionCode
	// Timing is the schedule; the zero value means [DefaultTiming].
	Timing Timing
	// Seed makes transaction identifiers and jitter: a run with the same seed
	// and inputs gives the same outputs. It should differ from run to run.
	Seed uint64
}

// Timing says how patient the client is.
type Timing struct {
	// StartDelayMin and StartDelayMax bound the random pause before the first
	// DISCOVER after Start or LinkUp; 0 to 1 minute.
	StartDelayMin, StartDelayMax time.Duration
	// FirstRetry is how long the first DISCOVER or REQUEST waits for its
	// answer, at least 1 s. The wait doubles up to MaxRetry, at most 1 hour.
	FirstRetry, MaxRetry time.Duration
	// RequestTries is how often a REQUEST for an offer is sent, 1 to 16.
	RequestTries int
	// RebootTries is how often a REQUEST to verify a lease is sent, 1 to 16.
	RebootTries int
	// RenewalFloor is the least wait between REQUESTs in RENEWING and
	// REBINDING, 1 s to 1 hour.
	RenewalFloor time.Duration
	// ShortenFloor lowers RenewalFloor for leases so short that there would be
	// no second REQUEST: to an eighth of the time from T1 to T2, or from T2 to
	// the end, where that time is under twice the floor.
	ShortenFloor bool
	// ConflictPause is the pause after a DECLINE, 1 s to 1 hour.
	ConflictPause time.Duration
}

// DefaultTiming is quick where that hurts nobody.
//
// Deviation: "Start delay", "First retry", "REQUEST tries", "Bounded
// INIT-REBOOT" and "Renewal of short leases" in docs/deviations.md.
var DefaultTiming = Timing{
	FirstRetry:    time.Second,
	MaxRetry:      64 * time.Second,
	RequestTries:  3,
	RebootTries:   2,
	RenewalFloor:  60 * time.Second,
	ShortenFloor:  true,
	ConflictPause: 10 * time.Second,
}

// sharedTiming is what most clients have: one copy for all, that nobody changes.
var sharedTiming = DefaultTiming

// StrictTiming is RFC 2131's: a start delay of 1 to 10 s (section 4.4.1), 4, 8,
// 16 up to 64 s between messages (4.1), four REQUESTs (3.1), 60 s between
// renewals (4.4.5).
var StrictTiming = Timing{
	StartDelayMin: time.Second,
	StartDelayMax: 10 * time.Second,
	FirstRetry:    4 * time.Second,
	MaxRetry:      64 * time.Second,
	RequestTries:  4,
	RebootTries:   4,
	RenewalFloor:  60 * time.Second,
	ConflictPause: 10 * time.Second,
}

const (
	maxChaddr   = 16
	maxStart    = time.Minute
	maxWait     = time.Hour
	maxTries    = 16
	maxOption   = 255
	minClientID = 2
)

func (t *Timing) check() error {
	switch {
	case t.StartDelayMin < 0 || t.StartDelayMax < t.StartDelayMin || t.StartDelayMax > maxStart:
		return errors.New("start delay must be 0 to 1m, its least not above its most")
	case t.FirstRetry < time.Second || t.MaxRetry < t.FirstRetry || t.MaxRetry > maxWait:
		return errors.New("retry must be 1s to 1h, the first not above the last")
	case t.RequestTries < 1 || t.RequestTries > maxTries || t.RebootTries < 1 || t.RebootTries > maxTries:
		return errors.New("tries must be 1 to 16")
	case t.RenewalFloor < time.Second || t.RenewalFloor > maxWait:
		return errors.New("renewal floor must be 1s to 1h")
	case t.ConflictPause < time.Second || t.ConflictPause > maxWait:
		return errors.New("conflict pause must be 1s to 1h")
	}
	return nil
}

// defaultParameters is what nearly every host has a use for. RFC 3442 wants
// classless routes before routers; those in Microsoft's option stand between,
// for servers that know no other. RFC 8910 wants every client to ask for the
// captive portal. What else [Extras] has is asked for where it is configured:
// a list of everything would cost every message of every client, and WPAD hands
// a host's traffic to whoever answers first.
var defaultParameters = []byte{
	byte(wire.OptionSubnetMask),
	byte(wire.OptionClasslessRoutes),
	byte(wire.OptionMSClasslessRoutes),
	byte(wire.OptionRouter),
	byte(wire.OptionDNS),
	byte(wire.OptionHostName),
	byte(wire.OptionDomainName),
	byte(wire.OptionMTU),
	byte(wire.OptionBroadcast),
	byte(wire.OptionLeaseTime),
	byte(wire.OptionServerID),
	byte(wire.OptionT1),
	byte(wire.OptionT2),
	byte(wire.OptionDomainSearch),
	byte(wire.OptionNetBIOSNameServer),
	byte(wire.OptionNTP),
	byte(wire.OptionCaptivePortal),
}

// v6OnlyParameters are these and the question of RFC 8925.
var v6OnlyParameters = append(slices.Clip(defaultParameters), byte(wire.OptionIPv6OnlyPreferred))

// New returns a client that waits for Start, or an error that says which value
// of the Config is not valid.
func New(cfg Config) (*Client, error) {
	if cfg.Anonymous {
		cfg.hide()
	}
	n := len(cfg.HardwareAddr)
	if n == 0 || n >= maxOption {
		return nil, fmt.Errorf("dhcp4: hardware address of %d bytes: it must have 1 to %d", n, maxOption-1)
	}
	if n := len(cfg.ClientID); n != 0 && (n < minClientID || n > maxOption) {
		return nil, fmt.Errorf("dhcp4: client identifier of %d bytes: it must have %d to %d, first its type", n, minClientID, maxOption)
	}
	if _, err := names.ParseHost(cfg.HostName); err != nil && cfg.HostName != "" {
		return nil, fmt.Errorf("dhcp4: %q: %w: use letters, digits, hyphens and dots", cfg.HostName, err)
	}
	if cfg.Profile != nil {
		if err := cfg.Profile.check(); err != nil {
			return nil, fmt.Errorf("dhcp4: profile: %w", err)
		}
	}
	timing := &sharedTiming
	if cfg.Timing != (Timing{}) && cfg.Timing != sharedTiming {
		t := cfg.Timing
		if err := t.check(); err != nil {
			return nil, fmt.Errorf("dhcp4: timing: %w", err)
		}
		timing = &t
	}
	c := &Client{
		hardwareType: cfg.HardwareType,
		hardwareAddr: bytes.Clone(cfg.HardwareAddr),
		clientID:     bytes.Clone(cfg.ClientID),
		hostName:     cfg.HostName,
		broadcast:    cfg.Broadcast || n > maxChaddr,
		profile:      cfg.Profile,
		timing:       timing,
		state:        &stopped{},
	}
	c.set(rapidCommit, cfg.RapidCommit)
	c.set(ipv6Only, cfg.IPv6Only)
	c.set(autoConfigure, cfg.AutoConfigure)
	c.set(anonymous, cfg.Anonymous)
	c.set(forceRenew, cfg.ForceRenew)
	// Deviation: "Client identifier" in docs/deviations.md.
	if len(c.clientID) == 0 {
		c.clientID = append([]byte{cfg.HardwareType}, cfg.HardwareAddr...)
	}
	// Clients that were given the same seed by mistake still differ.
	second := uint64(14695981039346656037)
	for _, b := range c.hardwareAddr {
		second = (second ^ uint64(b)) * 1099511628211
	}
	c.random = *rand.NewPCG(cfg.Seed, second)
	if err := c.setParameters(&cfg); err != nil {
		return nil, err
	}
	return c, nil
}

// setParameters decides what to ask for.
func (c *Client) setParameters(cfg *Config) error {
	switch {
	case cfg.Anonymous:
		c.parameters = c.shuffledParameters()
		return nil
	case cfg.IPv6Only:
		c.parameters = v6OnlyParameters
	default:
		c.parameters = defaultParameters
	}
	for _, p := range cfg.Parameters {
		if p != wire.OptionPad && p != wire.OptionEnd && !slices.Contains(c.parameters, byte(p)) {
			c.parameters = append(slices.Clip(c.parameters), byte(p))
		}
	}
	for _, p := range cfg.NoParameters {
		switch p {
		case wire.OptionSubnetMask, wire.OptionLeaseTime, wire.OptionServerID:
			return fmt.Errorf("dhcp4: option %d (%v) is asked for always: there is no lease without it", p, p)
		default:
		}
		if i := slices.Index(c.parameters, byte(p)); i >= 0 {
			c.parameters = slices.Concat(c.parameters[:i], c.parameters[i+1:])
		}
	}
	return nil
}
