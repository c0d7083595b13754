package driver

import (
	"io"
	"net/netip"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/internal/linux/packet"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy/v4"
)

// A Kernel is the network configuration of one network namespace. Its methods
// may be called from any goroutine; their errors say what failed and why, and
// wrap the errno.
type Kernel interface {
	Links() ([]netconf.Link, error)
	// LinkByName finds by name or alternative name; [netconf.ErrNoLink] if there is none.
	LinkByName(name string) (netconf.Link, error)
	// LinkByIndex finds by index; [netconf.ErrNoLink] if there is none.
	LinkByIndex(index int) (netconf.Link, error)
	// Watch reports every change of a link from the moment Watch returns, and
	// hints at what others do to addresses and routes. notify is called from one
	// goroutine at a time. If the kernel dropped notifications, all links are
	// reported anew.
	Watch(notify func(netconf.Notice)) (io.Closer, error)

	// Claim keeps other lessee daemons off the interface until Unclaim or the
	// end of the process; [netconf.ErrClaimed] if one of them was first.
	Claim(link netconf.Link) error
	Unclaim(link netconf.Link)

	// Addresses lists the IPv4 addresses of an interface.
	Addresses(index int) ([]netconf.Address, error)
	// SetUp sets the interface administratively up.
	SetUp(index int) error

	// Apply makes the kernel hold want for the interface, with owned what is
	// ours by the record: see [netconf.Diff]. It is idempotent: what is already
	// as wanted is not touched, and what is not ours never is. What cannot be
	// done does not keep the rest from being done.
	Apply(link netconf.Link, owned []netip.Prefix, want netconf.Desired) netconf.Outcome
	// Inspect returns the wanted addresses and routes that the kernel does not
	// have for the interface: see [netconf.Missing].
	Inspect(link netconf.Link, want netconf.Desired) ([]netconf.Object, error)
}

// A Transport sends and receives in one network namespace. Its methods may be
// called from any goroutine; their errors say what failed and why, and wrap the
// errno.
type Transport interface {
	// Open begins an exchange: a filtered packet socket on the interface.
	// Well-formed UDP datagrams for port 68 that carry the link's hardware
	// address are delivered, from one goroutine, until it is closed. What
	// passed the kernel's filter and is not delivered is reported with its
	// number; refused is called from that goroutine, too, once more after Close.
	Open(link netconf.Link, deliver func(packet.Datagram), refused func(packet.Refusal, uint64)) (packet.Exchange, error)
	// Send sends a message that awaits no answer. It returns when the frame
	// has been handed to the interface.
	Send(link netconf.Link, t packet.Transmit) error

	// Capture delivers the DHCP frames of the link as the kernel sees them, both
	// directions and all clients', and with arp the packets of conflict detection
	// too, from one goroutine, until it is closed.
	Capture(link netconf.Link, arp bool, deliver func(packet.Frame)) (io.Closer, error)

	// Listen replaces the addresses whose ARP is wanted from the interface:
	// what another host sends from one of them, and its probes for one of them.
	// None ends it. All adapters share one socket; deliver is called from one
	// goroutine, and may still be called once after the end.
	Listen(link netconf.Link, addresses []netip.Addr, deliver func(packet.ARP)) error
	// ListenForceRenew delivers the FORCERENEW messages (RFC 3203) that come to
	// the address, whether an exchange is open or not, until it is called with
	// an address that is not valid. All adapters share one socket.
	ListenForceRenew(link netconf.Link, address netip.Addr, deliver func(packet.Datagram)) error
	// SendARP sends an ARP packet of 28 bytes to a link address; nil: to all.
	// [netconf.ErrLinkDown] if there is no link.
	SendARP(link netconf.Link, packet, to []byte) error
}

// A Resolver is the system's name resolution.
type Resolver interface {
	// Set makes the resolver use d for the adapter; an empty d takes back what
	// was set before. Setting the same again changes nothing.
	Set(link netconf.Link, d netconf.DNS) error
}

// A Store keeps one record per adapter across restarts.
type Store interface {
	// Save replaces the adapter's record: it survives the process when Save
	// returns.
	Save(adapter string, r v4.Record) error
	// Persist makes the record that was saved last, or its removal, survive a
	// power failure. It may take as long as a disk does.
	Persist(adapter string) error
	// Pending lists the adapters for which Persist has something to do.
	Pending() []string
	// Load returns false if there is none. What cannot be understood counts as
	// none: it is set aside and reported as an error beside what was found.
	Load(adapter string) (v4.Record, bool, error)
	// Remove and Rename are done for any later process when they return.
	Remove(adapter string) error
	Rename(from, to string) error
}

// Others finds DHCP clients that are not us.
type Others interface {
	// Manager tells who else manages the link by DHCP: one of the names of
	// [lessee.Adapter.Manager], and how that is known ("dhcpcd, pid 1234, has
	// UDP port 68 open"). ok is false if nobody does. The answer may be a
	// second old.
	Manager(link netconf.Link) (name, how string, ok bool)
	// ManagerNow is Manager with an answer that is not old.
	ManagerNow(link netconf.Link) (name, how string, ok bool)
}

// A Clock tells and awaits time that counts suspended time.
type Clock interface {
	Now() boottime.Instant
	// NewTimer returns a timer that is not set.
	NewTimer() Timer
}

// A Timer fires once per Reset at an absolute instant.
type Timer interface {
	C() <-chan struct{}
	Reset(at boottime.Instant)
	Stop()
	Close() error
}
