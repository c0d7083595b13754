package v4

import (
	"net/netip"

	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/event"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/reason"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// What can happen to the adapter besides the inputs of package tenancy.
type (
	// Begin starts the tenancy with what is on record, the zero Record if
	// nothing is. Configured are the IPv4 addresses that the adapter has.
	Begin struct {
		Record     Record
		Configured []netip.Prefix
		Link       tenancy.Link
	}

	// Datagram is what arrived on the DHCP client port.
	Datagram dhcp4.Datagram

	// ARP is an ARP packet that the adapter listens for, and the link address
	// it came from. Unicast says that the frame was sent to this adapter alone,
	// Ours that the sender named in the packet is an adapter of this host.
	ARP struct {
		Packet, From  []byte
		Unicast, Ours bool
	}

	// SendFailed reports that a Transmit did not leave the host.
	SendFailed struct {
		Type wire.MessageType
		Err  error
	}
)

// Input marks the type.
func (Begin) Input() {}

// Input marks the type.
func (Datagram) Input() {}

// Input marks the type.
func (ARP) Input() {}

// Input marks the type.
func (SendFailed) Input() {}

// What there is to do besides the outputs of package tenancy.
type (
	// Transmit sends a DHCP message.
	Transmit dhcp4.Transmit

	// TransmitARP sends an ARP packet to a link address, nil for all.
	TransmitARP struct{ Packet, To []byte }

	// Listen says which addresses' ARP packets are wanted from now on: those
	// sent from one of them and probes for one of them. None: no packet is.
	Listen struct{ Addresses []netip.Addr }

	// Save replaces the adapter's record, which then survives the process.
	// Outputs after it wait until it has been tried.
	Save struct{ Record Record }

	// Note reports an event.
	Note struct {
		Kind    event.Kind
		State   dhcp4.State
		Lease   *dhcp4.Lease
		Message wire.MessageType
		Server  netip.Addr
		// Address is the one that Message or a conflict is about, not valid if
		// none is or if it is Lease's.
		Address netip.Addr
		// Link is the link address of the other side, nil if unknown: of a server
		// that answered, of a host that uses Address.
		Link []byte
		// XID is the transaction of a Message that was sent.
		XID uint32
		// Why says why a datagram was not used.
		Why dhcp4.Rejection
		// Text is what a server said in a Message.
		Text string
		// Cause is what hinders or was done about it, where it has a reason.
		Cause reason.Cause
	}
)

// Output marks the type.
func (Transmit) Output() {}

// Output marks the type.
func (TransmitARP) Output() {}

// Output marks the type.
func (Listen) Output() {}

// Output marks the type.
func (Save) Output() {}

// Output marks the type.
func (Note) Output() {}
