package reason

import "slices"

// A Reason is the name of a cause in the API, such as "no-server".
type Reason string

// String returns the name.
func (r Reason) String() string { return string(r) }

// The reasons why a call fails.
const (
	// None: the error's code says all that is known.
	None Reason = ""

	// Adapters and who manages them.

	NoSuchAdapter    Reason = "no-such-adapter"   // no adapter has this name
	NoAdapterName    Reason = "no-adapter-name"   // the name is empty
	ImpossibleName   Reason = "impossible-name"   // no adapter can have this name
	NoEthernet       Reason = "no-ethernet"       // it has no Ethernet address
	AdapterRemoved   Reason = "adapter-removed"   // it was removed meanwhile
	NotManaged       Reason = "not-managed"       // this daemon does not manage it
	ManagementEnded  Reason = "management-ended"  // its management ended meanwhile
	ManagedElsewhere Reason = "managed-elsewhere" // another DHCP client manages it, and is not asked
	AnotherClient    Reason = "another-client"    // another DHCP client manages it, so this daemon does not begin
	AnotherDaemon    Reason = "another-daemon"    // another lessee daemon manages it
	BadConfiguration Reason = "bad-configuration" // its configuration is refused
	NothingManaged   Reason = "nothing-managed"   // no adapter is managed by DHCP

	// Leases.

	NoLease           Reason = "no-lease"           // there is none
	NoLink            Reason = "no-link"            // the adapter is down or has no carrier
	ReleaseNeedsLink  Reason = "release-needs-link" // no link, so nothing was released
	DownNeedsLink     Reason = "down-needs-link"    // no link, so the management did not end
	NoServer          Reason = "no-server"          // no DHCP server answered in time
	NoOffers          Reason = "no-offers"          // no DHCP server answered a discovery
	AddressInUse      Reason = "address-in-use"     // another host uses the address that the server gives
	NoOwnAddress      Reason = "no-own-address"     // parameters are wanted, and others set no address (RFC 2131 section 3.4)
	NoIPv4Wanted      Reason = "no-ipv4-wanted"     // the network asks its hosts to use no IPv4 (RFC 8925)
	NoIPv6            Reason = "no-ipv6"            // IPv6 leases are not managed
	ReleasedMeanwhile Reason = "released-meanwhile" // another caller released the lease
	ReleaseUnsent     Reason = "release-unsent"     // the address is gone, the RELEASE was not sent
	Cancelled         Reason = "cancelled"          // the caller gave up, the operation continues
	GaveUp            Reason = "gave-up"            // the caller gave up, nothing continues
	DiscoveryRuns     Reason = "discovery-runs"     // a discovery runs on this adapter already
	TooManyTraces     Reason = "too-many-traces"    // too many traces run already

	// The system.

	SendFailed         Reason = "send-failed"          // a message could not be sent
	KernelSlow         Reason = "kernel-slow"          // the kernel has not applied the change yet
	KernelRefused      Reason = "kernel-refused"       // the kernel refused a change
	ResolverFailed     Reason = "resolver-failed"      // the name servers could not be set
	LeaseUnsaved       Reason = "lease-unsaved"        // the lease could not be saved
	LeaseNotDurable    Reason = "lease-not-durable"    // the lease would not survive a power failure
	RecordUnreadable   Reason = "record-unreadable"    // what is on record of the adapter cannot be used
	LinkLocalForbidden Reason = "link-local-forbidden" // a server forbids link-local addresses (RFC 2563)
	TakenAway          Reason = "taken-away"           // another program took away what the kernel had for a lease
	PutBack            Reason = "put-back"             // that was put back
	MTUChanged         Reason = "mtu-changed"          // another program changed the link's MTU
	ResolverChanged    Reason = "resolver-changed"     // another program changed the resolver's file
	SystemFailed       Reason = "system-failed"        // the system refused something else

	// The way to the daemon.

	NoDaemon            Reason = "no-daemon"             // there is no socket at `path`
	DaemonNotListening  Reason = "daemon-not-listening"  // nothing listens at `path`
	DaemonBusy          Reason = "daemon-busy"           // it is too busy to accept a connection
	DaemonSilent        Reason = "daemon-silent"         // it did not answer in time
	DaemonQuiet         Reason = "daemon-quiet"          // a stream brought nothing for too long
	DaemonStopping      Reason = "daemon-stopping"       // it is being stopped
	DaemonStopped       Reason = "daemon-stopped"        // its DHCP client has stopped
	SocketDenied        Reason = "socket-denied"         // no permission to connect
	SocketPathTooLong   Reason = "socket-path-too-long"  // the path does not fit into a socket's address
	SocketNotAFile      Reason = "socket-not-a-file"     // the path is not a file's
	ConnectionBroken    Reason = "connection-broken"     // the connection ended before the answer
	AnswerNotUnderstood Reason = "answer-not-understood" // it is not one of this API
	StreamEnded         Reason = "stream-ended"          // the caller ended the stream

	// Permission and limits.

	UnknownCaller      Reason = "unknown-caller"       // it is not known who calls
	NotInGroup         Reason = "not-in-group"         // the caller may only read
	NoSuchGroup        Reason = "no-such-group"        // the caller may only read, and the group does not exist
	GroupUnusable      Reason = "group-unusable"       // the caller may only read, and the group's number means anybody
	TooManyConnections Reason = "too-many-connections" // of this user, or of all

	// Requests that are not as they should be.

	NoResource        Reason = "no-resource"        // the API has no such path
	WrongMethod       Reason = "wrong-method"       // the path takes another method
	UnexpectedBody    Reason = "unexpected-body"    // the request takes no body
	BodyTooLarge      Reason = "body-too-large"     // the body is too large
	BodyUnreadable    Reason = "body-unreadable"    // the body could not be read
	BodyNotObject     Reason = "body-not-object"    // the body is not a JSON object
	BodyTrailing      Reason = "body-trailing"      // something follows the JSON object
	BodyMalformed     Reason = "body-malformed"     // the body is not JSON
	BodyTruncated     Reason = "body-truncated"     // the JSON ends in the middle
	BodyRefused       Reason = "body-refused"       // the JSON object is not one of this request
	WrongType         Reason = "wrong-type"         // a field is of another JSON type
	NotADuration      Reason = "not-a-duration"     // a field is not a time span
	OutOfRange        Reason = "out-of-range"       // a time span is too short or too long
	MisplacedField    Reason = "misplaced-field"    // another request has this field
	QueryMalformed    Reason = "query-malformed"    // the URL's query cannot be read
	UnknownParameter  Reason = "unknown-parameter"  // the query has a parameter that is not known
	RepeatedParameter Reason = "repeated-parameter" // the parameter is not there once, with a value
	NotABoolean       Reason = "not-a-boolean"      // the parameter is neither true nor false
	AnswerUnwritable  Reason = "answer-unwritable"  // the answer has no form in JSON
)

// A Definition says which fields a reason has.
type Definition struct {
	Reason Reason
	// Needs are the fields that every cause of this reason has, May those that
	// it has where they are known.
	Needs, May []Field
}

func fields(f ...Field) []Field { return f }

// lease are the fields of what becomes of a lease when a call for it failed.
var lease = fields(FieldExpires, FieldInfinite)

// table declares each reason once. Words for people are in the faces.
var table = [...]Definition{
	{NoSuchAdapter, nil, nil},
	{NoAdapterName, nil, nil},
	{ImpossibleName, nil, nil},
	{NoEthernet, nil, nil},
	{AdapterRemoved, nil, nil},
	{NotManaged, nil, nil},
	{ManagementEnded, nil, nil},
	{ManagedElsewhere, fields(FieldManager, FieldHow), nil},
	{AnotherClient, fields(FieldManager, FieldHow), nil},
	{AnotherDaemon, nil, nil},
	{BadConfiguration, fields(FieldFault), nil},
	{NothingManaged, nil, nil},

	{NoLease, nil, nil},
	{NoLink, nil, nil},
	{ReleaseNeedsLink, nil, nil},
	{DownNeedsLink, nil, nil},
	{NoServer, fields(FieldTimeout), lease},
	{NoOffers, fields(FieldTimeout), nil},
	{AddressInUse, fields(FieldAddress), nil},
	{NoOwnAddress, nil, nil},
	{NoIPv4Wanted, nil, nil},
	{NoIPv6, nil, nil},
	{ReleasedMeanwhile, nil, nil},
	{ReleaseUnsent, fields(FieldFault), nil},
	{Cancelled, nil, nil},
	{GaveUp, nil, nil},
	{DiscoveryRuns, nil, nil},
	{TooManyTraces, nil, nil},

	{SendFailed, fields(FieldMessage, FieldFault), lease},
	{KernelSlow, nil, nil},
	{KernelRefused, fields(FieldFault), nil},
	{ResolverFailed, fields(FieldFault), nil},
	{LeaseUnsaved, fields(FieldFault), nil},
	{LeaseNotDurable, fields(FieldFault), nil},
	{RecordUnreadable, fields(FieldFault), nil},
	{LinkLocalForbidden, nil, nil},
	{TakenAway, fields(FieldObjects), fields(FieldManager, FieldCount)},
	{PutBack, fields(FieldObjects), nil},
	{MTUChanged, fields(FieldCount, FieldLimit), nil},
	{ResolverChanged, fields(FieldPath), nil},
	{SystemFailed, fields(FieldFault), nil},

	{NoDaemon, fields(FieldPath), nil},
	{DaemonNotListening, fields(FieldPath), nil},
	{DaemonBusy, fields(FieldPath), nil},
	{DaemonSilent, fields(FieldPath, FieldTimeout), nil},
	{DaemonQuiet, fields(FieldPath, FieldTimeout), nil},
	{DaemonStopping, nil, nil},
	{DaemonStopped, nil, nil},
	{SocketDenied, fields(FieldPath), nil},
	{SocketPathTooLong, fields(FieldPath, FieldCount, FieldLimit), nil},
	{SocketNotAFile, fields(FieldPath), nil},
	{ConnectionBroken, fields(FieldPath, FieldFault), nil},
	{AnswerNotUnderstood, fields(FieldPath, FieldFault), nil},
	{StreamEnded, nil, nil},

	{UnknownCaller, nil, nil},
	{NotInGroup, fields(FieldUser, FieldGroup), nil},
	{NoSuchGroup, fields(FieldUser, FieldGroup), nil},
	{GroupUnusable, fields(FieldUser, FieldGroup, FieldValue), nil},
	{TooManyConnections, fields(FieldUser), nil},

	{NoResource, fields(FieldPath), nil},
	{WrongMethod, fields(FieldPath, FieldMethod, FieldAllow), nil},
	{UnexpectedBody, fields(FieldMethod, FieldPath), nil},
	{BodyTooLarge, fields(FieldLimit), nil},
	{BodyUnreadable, fields(FieldFault), nil},
	{BodyNotObject, nil, nil},
	{BodyTrailing, nil, nil},
	{BodyMalformed, fields(FieldFault, FieldCount), nil},
	{BodyTruncated, nil, nil},
	{BodyRefused, fields(FieldFault), nil},
	{WrongType, fields(FieldField, FieldWant, FieldGot), nil},
	{NotADuration, fields(FieldField, FieldValue), nil},
	{OutOfRange, fields(FieldField, FieldValue, FieldMin, FieldMax), nil},
	{MisplacedField, fields(FieldField), nil},
	{QueryMalformed, fields(FieldFault), nil},
	{UnknownParameter, fields(FieldField), nil},
	{RepeatedParameter, fields(FieldField), nil},
	{NotABoolean, fields(FieldField), nil},
	{AnswerUnwritable, fields(FieldFault), nil},
}

// Table returns the definitions of all reasons but None, in the order of the
// documentation.
func Table() []Definition { return slices.Clone(table[:]) }

// Define returns the definition of a reason; false if it is not known here, as
// one of a newer daemon.
func Define(r Reason) (Definition, bool) {
	for i := range table {
		if table[i].Reason == r {
			return table[i], true
		}
	}
	return Definition{}, false
}
