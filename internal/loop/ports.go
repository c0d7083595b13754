package loop

import (
	"io"
	"net"
	"net/netip"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/internal/linux/packet"
	"github.com/lessee/lessee/internal/linux/poll"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy/v4"
)

// A Space is a network namespace that is open.
type Space struct {
	Kernel    Kernel
	Transport Transport
	// Close closes both, on the loop's goroutine; nil for the namespace of the process.
	Close func()
}

// A Kernel is the network configuration of one network namespace. Its methods
// may be called from any goroutine, but for Watch and WatchNeighbours; their errors
// say what failed and why, and wrap the errno.
type Kernel interface {
	Links() ([]netconf.Link, error)
	// LinkByName finds by name or alternative name; [netconf.ErrNoLink] if there is none.
	LinkByName(name string) (netconf.Link, error)
	// LinkByIndex finds by index; [netconf.ErrNoLink] if there is none.
	LinkByIndex(index int) (netconf.Link, error)
	// Watch reports every change of a link from the moment Watch returns, and
	// hints at what others do to addresses and routes, on the loop's goroutine. If the
	// kernel dropped notifications, all links are reported anew.
	Watch(loop poll.Loop, notify func(netconf.Notice)) (io.Closer, error)

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
	// Ahead reads what the next Apply would have to read, if it can.
	Ahead(link netconf.Link)
	// RehearseApply goes through what Apply does for a link that does not exist.
	RehearseApply(link netconf.Link, want netconf.Desired)
	// Inspect returns the wanted addresses and routes that the kernel does not
	// have for the interface: see [netconf.Missing].
	Inspect(link netconf.Link, want netconf.Desired) ([]netconf.Object, error)

	// Neighbour returns the link address that the kernel knows for a host.
	Neighbour(link netconf.Link, host netip.Addr) (net.HardwareAddr, bool)
	// Solicit has the kernel ask for it.
	Solicit(link netconf.Link, host netip.Addr) error
	// WatchNeighbours reports the link addresses that the kernel learns, on the loop's
	// goroutine. A host that is not valid says that notifications were lost.
	WatchNeighbours(loop poll.Loop, notify func(index int, host netip.Addr, link []byte)) (io.Closer, error)
}

// A Transport sends and receives in one network namespace. Its methods are called on
// the loop's goroutine; their errors say what failed and why, and wrap the errno.
type Transport interface {
	// Open begins an exchange: a filtered packet socket on the interface.
	// Well-formed UDP datagrams for port 68 that carry the link's hardware
	// address are delivered, on the loop's goroutine, until it is closed. What
	// passed the kernel's filter and is not delivered is reported with its
	// number; refused is called there, too, once more after Close.
	Open(link netconf.Link, deliver func(packet.Datagram), refused func(packet.Refusal, uint64)) (packet.Exchange, error)
	// Send sends a message that awaits no answer. It returns when the frame
	// has been handed to the interface. The error, as that of an exchange's Send, may
	// be a [*netconf.UnresolvedError].
	Send(link netconf.Link, t packet.Transmit) error

	// Capture delivers the DHCP frames of the link as the kernel sees them, both
	// directions and all clients', and with arp the packets of conflict detection
	// too, from one goroutine of its own, until it is closed. It may be called from any.
	Capture(link netconf.Link, arp bool, deliver func(packet.Frame)) (io.Closer, error)

	// Listen replaces the addresses whose ARP is wanted from the interface:
	// what another host sends from one of them, and its probes for one of them.
	// None ends it. The adapters share two sockets at most.
	Listen(link netconf.Link, addresses []netip.Addr, deliver func(packet.ARP)) error
	// ListenForceRenew delivers the FORCERENEW messages (RFC 3203) that come to
	// the address, whether an exchange is open or not, until it is called with
	// an address that is not valid. The adapters share two sockets at most.
	ListenForceRenew(link netconf.Link, address netip.Addr, deliver func(packet.Datagram)) error
	// Recheck is called after a change of a link: what is listened to there is listened
	// to still, also if another link has taken its index.
	Recheck(link netconf.Link) error
	// SendARP sends an ARP packet of 28 bytes to a link address; nil: to all.
	// [netconf.ErrLinkDown] if there is no link.
	SendARP(link netconf.Link, packet, to []byte) error
}

// A Resolver is the system's name resolution.
type Resolver interface {
	// Set makes the resolver use d for the adapter; an empty d takes back what
	// was set before. Setting the same again changes nothing. It may take long.
	Set(link netconf.Link, d netconf.DNS) error
}

// A Store keeps one record per adapter across restarts.
type Store interface {
	// Save replaces the adapter's record: it survives the process when Save
	// returns.
	Save(adapter string, r v4.Record) error
	// RehearseSave goes through what Save does, without a trace.
	RehearseSave(r v4.Record) error
	// Persist makes the record that was saved last, or its removal, survive a
	// power failure. It may take as long as a disk does.
	Persist(adapter string) error
	// Pending lists the adapters for which Persist has something to do.
	Pending() []string
	// Load returns false if there is none. What cannot be understood counts as
	// none: it is set aside and reported as an error beside what was found.
	Load(adapter string) (v4.Record, bool, error)
	// Remove is done for any later process when it returns.
	Remove(adapter string) error
}

// Others finds DHCP clients that are not us. It may take long.
type Others interface {
	// Manager tells who else manages the link by DHCP: one of the names of
	// [lessee.Adapter.Manager], and how that is known ("dhcpcd, pid 1234, has
	// UDP port 68 open"). ok is false if nobody does. The answer may be a
	// second old.
	Manager(link netconf.Link) (name, how string, ok bool)
	// ManagerNow is Manager with an answer that is not old.
	ManagerNow(link netconf.Link) (name, how string, ok bool)
}

// A Poller waits until there is something to do. It is used by the loop's goroutine,
// but for Wake.
type Poller interface {
	// Add and Remove are those of [poll.Loop].
	Add(fd int, ready func()) error
	Remove(fd int)
	// Wait returns when a descriptor can be read, the instant has come (if one is
	// set), or Wake was called. It may return too early. n is for how many descriptors
	// Dispatch has something to do.
	Wait(until boottime.Instant, set bool) (n int, err error)
	// Dispatch calls what belongs to the descriptors that Wait found.
	Dispatch()
	Wake()
	Close() error
}
