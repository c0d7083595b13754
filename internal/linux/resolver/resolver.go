//go:build linux

package resolver

import (
	"cmp"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/lessee/lessee/internal/linux/netns"
	"github.com/lessee/lessee/internal/linux/syserr"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/names"
	"golang.org/x/sys/unix"
)

// A Mode says how the system's name resolution is set up.
type Mode string

// The modes.
const (
	// ModeAuto finds out which of the others fits, when it is needed first.
	ModeAuto Mode = "auto"
	// ModeResolved tells systemd-resolved, by D-Bus.
	ModeResolved Mode = "resolved"
	// ModeResolvconf runs the program resolvconf (openresolv, Debian's, resolvectl).
	ModeResolvconf Mode = "resolvconf"
	// ModeFile writes resolv.conf itself and puts the old one back in the end.
	ModeFile Mode = "file"
	// ModeNone leaves name resolution alone.
	ModeNone Mode = "none"
)

// Options configure a [Resolver].
type Options struct {
	// Mode is one of the constants; "" is [ModeAuto].
	Mode Mode
	// Path is the resolver's file; "" is /etc/resolv.conf.
	Path string
	// StateDir is where the file from before ours is kept; "" is beside it.
	StateDir string
	// Log gets what is not an error of a call; nil drops it.
	Log *slog.Logger
	// Changed is called when another program has changed the resolver's file
	// while a setting of ours is in it, and when the file is ours again. It is
	// not fought over. Nil: it is not watched.
	Changed func(path string, by Writer)
}

// A Writer is who wrote what the resolver's file has.
type Writer uint8

// The writers.
const (
	Us Writer = iota
	Others
)

// A Resolver is the system's name resolution.
//
// Name resolution belongs to the machine, or to the container: the namespace
// that process 1 is in. A daemon in another network namespace does not touch
// it; it says so once in the log, and Set then does nothing and succeeds. It
// does write a resolv.conf that is private to its mount namespace, as
// `ip netns exec` makes one from /etc/netns/NAME/resolv.conf.
type Resolver struct {
	opt   Options
	guard guard

	mu      sync.Mutex
	backend backend
	set     map[int]setting // by interface index; an empty one was taken back, or that is not known (no name)
}

// A setting is what one adapter's lease says.
type setting struct {
	Index   int          `json:"index"`
	Name    string       `json:"name"`
	Servers []netip.Addr `json:"servers,omitempty"`
	// Search are the domains to complete names with, in order.
	Search []names.Domain `json:"search,omitempty"`
}

func (s setting) empty() bool { return len(s.Servers) == 0 && len(s.Search) == 0 }

func (s setting) equal(o setting) bool {
	return s.Index == o.Index && s.Name == o.Name && slices.Equal(s.Servers, o.Servers) && slices.Equal(s.Search, o.Search)
}

// A backend is one way to set up name resolution.
type backend interface {
	// apply sets changed, an empty one takes back what was set; all has what
	// holds for every adapter then, in the order of their indexes.
	apply(changed setting, all []setting) error
	close() error
}

// New returns the resolver of the machine that the namespace belongs to.
func New(space *netns.Namespace, opt Options) (*Resolver, error) {
	opt.Mode = cmp.Or(opt.Mode, ModeAuto)
	opt.Path = cmp.Or(opt.Path, "/etc/resolv.conf")
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	switch opt.Mode {
	case ModeAuto, ModeResolved, ModeFile, ModeNone:
	case ModeResolvconf:
		if _, err := exec.LookPath("resolvconf"); err != nil {
			return nil, &syserr.Error{Op: `set up name resolution by "resolvconf"`, Err: err, Hint: "install openresolv, or choose another dns.mode"}
		}
	default:
		return nil, &syserr.Error{
			Op: fmt.Sprintf("set up name resolution by %q", opt.Mode), Err: unix.EINVAL,
			Hint: "the modes are auto, resolved, resolvconf, file and none",
		}
	}
	r := &Resolver{opt: opt, set: map[int]setting{}}
	err := space.Do(func() (err error) {
		r.guard, err = newGuard("/proc/thread-self", "/proc/1")
		return err
	})
	if err != nil {
		return nil, syserr.Wrap("", "identify the network namespace", err)
	}
	return r, nil
}

// Set makes the resolver use d for the adapter; an empty d takes back what was
// set before. Setting the same again changes nothing.
func (r *Resolver) Set(link netconf.Link, d netconf.DNS) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := settingOf(link, d)
	old, was := r.set[s.Index]
	if was && s.equal(old) {
		return nil
	}
	if r.backend == nil {
		b, err := r.open()
		if err != nil {
			return syserr.Wrap(link.Name, "set up name resolution", err)
		}
		r.backend = b
	}
	next := maps.Clone(r.set)
	next[s.Index] = s
	if _, remembers := r.backend.(*resolvFile); !was && s.empty() && !remembers {
		// Only the file knows what an earlier daemon set; what else there is for
		// the adapter is not ours to take back.
		r.set = next
		return nil
	}
	all := slices.SortedFunc(maps.Values(next), func(a, b setting) int { return cmp.Compare(a.Index, b.Index) })
	all = slices.DeleteFunc(all, setting.empty)
	if err := r.backend.apply(s, all); err != nil {
		r.set[s.Index] = setting{Index: s.Index} // some of it may be in place: an empty one takes that back
		return syserr.Wrap(link.Name, "set up name resolution", err)
	}
	r.set = next
	return nil
}

// Close ends the resolver. What was set stays, as the leases do.
func (r *Resolver) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.backend == nil {
		return nil
	}
	return r.backend.close()
}

// open chooses the backend.
func (r *Resolver) open() (backend, error) {
	mode := r.opt.Mode
	if mode == ModeNone {
		return nothing{}, nil
	}
	home, why := r.guard.home()
	if mode == ModeAuto {
		mode = r.detect(home)
	}
	switch mode {
	case ModeFile:
		if !home && !r.guard.private(r.opt.Path) {
			r.opt.Log.Info("name resolution is left alone: "+why, "file", r.opt.Path)
			return nothing{}, nil
		}
		return newResolvFile(r.opt)
	case ModeResolved, ModeResolvconf:
		if !home {
			r.opt.Log.Info("name resolution is left alone: " + why)
			return nothing{}, nil
		}
		if mode == ModeResolvconf {
			return resolvconf{}, nil
		}
		return &resolved{log: r.opt.Log, set: map[int]setting{}}, nil
	case ModeAuto, ModeNone:
	}
	return nothing{}, nil
}

// detect finds out who has the resolver's file.
func (r *Resolver) detect(home bool) Mode {
	if !home {
		return ModeFile // if that is private
	}
	if to, err := os.Readlink(r.opt.Path); err == nil {
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(r.opt.Path), to)
		}
		// The stub's file, the one with its upstream servers, or the static one.
		if strings.HasPrefix(to, "/run/systemd/resolve/") || strings.HasSuffix(to, "/lib/systemd/resolv.conf") {
			return ModeResolved
		}
	}
	if _, err := exec.LookPath("resolvconf"); err == nil {
		return ModeResolvconf
	}
	return ModeFile
}

type nothing struct{}

func (nothing) apply(setting, []setting) error { return nil }
func (nothing) close() error                   { return nil }

// broadcast is the limited broadcast address.
var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// settingOf takes from d what a resolver can use.
func settingOf(link netconf.Link, d netconf.DNS) setting {
	s := setting{Index: link.Index, Name: link.Name}
	for _, a := range d.Servers {
		if a = a.Unmap(); a.IsValid() && !a.IsUnspecified() && !a.IsMulticast() && a != broadcast && !slices.Contains(s.Servers, a) {
			s.Servers = append(s.Servers, a)
		}
	}
	search := d.Search
	if len(search) == 0 {
		search = []names.Domain{d.Domain}
	}
	for _, name := range search {
		if !name.IsZero() && !slices.Contains(s.Search, name) {
			s.Search = append(s.Search, name)
		}
	}
	return s
}
