package lessee

// An EventKind says what happened.
type EventKind string

// The kinds of events. A newer daemon may have more of them.
const (
	// EventManaged says that the adapter came under management.
	EventManaged EventKind = "managed"
	// EventUnmanaged says that the adapter is not managed any more.
	EventUnmanaged EventKind = "unmanaged"
	// EventCarrier says that the adapter's link came up.
	EventCarrier EventKind = "carrier"
	// EventNoCarrier says that the adapter's link went down.
	EventNoCarrier EventKind = "no-carrier"
	// EventState says that the client moved to another state: State.
	EventState EventKind = "state"
	// EventBound says that a lease was obtained and its address is configured.
	EventBound EventKind = "bound"
	// EventRenewed says that the lease was extended.
	EventRenewed EventKind = "renewed"
	// EventReleased says that the lease was given back.
	EventReleased EventKind = "released"
	// EventExpired says that the lease ran out.
	EventExpired EventKind = "expired"
	// EventNAK says that a server took the lease away.
	EventNAK EventKind = "nak"
	// EventConflict says that another host uses the address.
	EventConflict EventKind = "conflict"
	// EventDefended says that another host claimed the address and was told that
	// it is ours.
	EventDefended EventKind = "defended"
	// EventRecognised says that the adapter is back on a network that it knows by
	// its router: a lease that it has there (Address) is verified first.
	EventRecognised EventKind = "recognised"
	// EventLinkLocal says that no server answers and a link-local address is in use.
	EventLinkLocal EventKind = "link-local"
	// EventInformed says that a server gave parameters for the adapter's own
	// address (INFORM).
	EventInformed EventKind = "informed"
	// EventRenamed says that the adapter has another name; Detail is the old one.
	EventRenamed EventKind = "renamed"
	// EventRemoved says that the adapter does not exist any more.
	EventRemoved EventKind = "removed"
	// EventSent says that a DHCP message was sent: Message.
	EventSent EventKind = "sent"
	// EventReceived says that a DHCP message arrived: Message.
	EventReceived EventKind = "received"
	// EventRejected says that a packet was not used; Reason and Detail say why.
	EventRejected EventKind = "rejected"
	// EventProblem says that something hinders; Cause and Detail say what.
	EventProblem EventKind = "problem"
	// EventLost says that this subscriber was too slow: Count events are missing here.
	EventLost EventKind = "lost"
)
