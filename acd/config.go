package acd

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/lessee/lessee/wire/arp"
)

// A Config says who we are. It is copied by [New].
type Config struct {
	// HardwareAddr is the adapter's link address: neither zero nor a group address.
	HardwareAddr arp.HardwareAddr
	// Timing is the schedule; the zero value means [DefaultTiming].
	Timing Timing
	// Defence says what to do when another host claims the address in use.
	Defence Defence
	// Seed makes the random parts of the schedule: the same seed and inputs
	// give the same outputs. It should differ from run to run.
	Seed uint64
}

// A Defence says how an address in use is held against another host that
// claims it (RFC 5227 section 2.4).
type Defence uint8

// The defences.
const (
	// DefendOnce announces the address again, and gives it up if there is
	// another claim within DefendInterval: case (b).
	DefendOnce Defence = iota
	// DefendNever gives the address up at once: case (a).
	DefendNever
	// DefendAlways never gives the address up, and announces it at most once
	// per DefendInterval: case (c), for hosts whose address others must know.
	DefendAlways
)

var defenceNames = [...]string{DefendOnce: "once", DefendNever: "never", DefendAlways: "always"}

// String returns the name: "once", "never" or "always".
func (d Defence) String() string { return nameOf(defenceNames[:], int(d), "defence") }

// Timing is the schedule, under the names of RFC 5227 section 1.1.
type Timing struct {
	// ProbeWait bounds the random wait before the first probe; 0 to 1 minute.
	// It is not made in mode Optimistic.
	ProbeWait time.Duration
	// ProbeNum is how many probes are sent, 1 to 16.
	ProbeNum int
	// ProbeMin and ProbeMax bound the random time between probes; 10 ms to 1
	// minute, ProbeMin not above ProbeMax. ProbeMin is also the least time from
	// one packet to another after the link has come back.
	ProbeMin, ProbeMax time.Duration
	// AnnounceWait is the silence after the last probe that shows the address
	// to be free; 10 ms to 1 minute.
	AnnounceWait time.Duration
	// AnnounceNum is how many announcements are sent, 1 to 16.
	AnnounceNum int
	// AnnounceInterval is the time between announcements; 10 ms to 1 minute.
	AnnounceInterval time.Duration
	// DefendInterval is the least time between two defences; 1 s to 1 hour.
	DefendInterval time.Duration
}

// RFC5227 is the schedule of RFC 5227 section 1.1, which is also that of RFC
// 3927 section 9: an address is clear after 4 to 7 s.
var RFC5227 = Timing{
	ProbeWait:        time.Second,
	ProbeNum:         3,
	ProbeMin:         time.Second,
	ProbeMax:         2 * time.Second,
	AnnounceWait:     2 * time.Second,
	AnnounceNum:      2,
	AnnounceInterval: 2 * time.Second,
	DefendInterval:   10 * time.Second,
}

// DefaultTiming asks as often and quicker: an address is clear after 0.4 to
// 0.6 s. Hosts on Ethernet answer within milliseconds, those that sleep on a
// wireless link when they are woken for broadcasts.
//
// Deviation: "Quick probing" in docs/deviations.md.
var DefaultTiming = Timing{
	ProbeNum:         3,
	ProbeMin:         100 * time.Millisecond,
	ProbeMax:         200 * time.Millisecond,
	AnnounceWait:     200 * time.Millisecond,
	AnnounceNum:      2,
	AnnounceInterval: 2 * time.Second,
	DefendInterval:   10 * time.Second,
}

// Most detectors have one of these: one copy for all, that nobody changes.
var sharedDefault, sharedStrict = DefaultTiming, RFC5227

const (
	minWait  = 10 * time.Millisecond
	maxWait  = time.Minute
	maxGuard = time.Hour
	maxTries = 16
)

// Check returns an error that says which value is out of its range, nil if
// none is.
func (t Timing) Check() error {
	switch {
	case t.ProbeWait < 0 || t.ProbeWait > maxWait:
		return errors.New("acd: probe wait must be 0 to 1m")
	case t.ProbeNum < 1 || t.ProbeNum > maxTries || t.AnnounceNum < 1 || t.AnnounceNum > maxTries:
		return errors.New("acd: probes and announcements must be 1 to 16")
	case t.ProbeMin < minWait || t.ProbeMax < t.ProbeMin || t.ProbeMax > maxWait:
		return errors.New("acd: probe interval must be 10ms to 1m, its least not above its most")
	case t.AnnounceWait < minWait || t.AnnounceWait > maxWait || t.AnnounceInterval < minWait || t.AnnounceInterval > maxWait:
		return errors.New("acd: announce wait and interval must be 10ms to 1m")
	case t.DefendInterval < time.Second || t.DefendInterval > maxGuard:
		return errors.New("acd: defend interval must be 1s to 1h")
	}
	return nil
}

// New returns a detector that waits for Start, or an error that says which
// value of the Config is not valid.
func New(cfg Config) (*Detector, error) {
	hw := cfg.HardwareAddr
	if hw == (arp.HardwareAddr{}) || hw[0]&1 != 0 {
		return nil, fmt.Errorf("acd: hardware address % x: it must be a host's own, neither zero nor a group's", hw[:])
	}
	if int(cfg.Defence) >= len(defenceNames) {
		return nil, fmt.Errorf("acd: %v: it must be once, never or always", cfg.Defence)
	}
	d := &Detector{hardware: hw, defence: cfg.Defence, state: stopped{}}
	switch cfg.Timing {
	case Timing{}, sharedDefault:
		d.timing = &sharedDefault
	case sharedStrict:
		d.timing = &sharedStrict
	default:
		t := cfg.Timing
		if err := t.Check(); err != nil {
			return nil, err
		}
		d.timing = &t
	}
	// Detectors that were given the same seed by mistake still differ.
	d.random = *rand.NewPCG(cfg.Seed, hash(hw))
	return d, nil
}

func hash(hw arp.HardwareAddr) uint64 {
	sum := uint64(14695981039346656037)
	for _, b := range hw {
		sum = (sum ^ uint64(b)) * 1099511628211
	}
	return sum
}

// canHold reports whether a is an address that a host may have.
func canHold(a netip.Addr) bool {
	return a.Is4() && !a.IsMulticast() && !a.IsLoopback() && a.As4()[0] != 0 && a.As4()[0] < 240
}
